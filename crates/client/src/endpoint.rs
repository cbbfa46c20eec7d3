//! Where a server is, the name it is asked for by, and whether it speaks TLS.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use crate::{ClientError, tls::Tls};

/// How long one of a name's addresses may take to answer before the next one is tried.
const ANSWERS: Duration = Duration::from_secs(3);

/// A server's address, and what stands in the `Host` header.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where to connect to.
    pub address: SocketAddr,
    /// The authority of its URL.
    pub host: String,
    tls: Option<Tls>,
}

impl Endpoint {
    /// Where a URL leads to: `http[s]://host[:port]`, nothing behind it. Over `https` the public certificate authorities are
    /// trusted, and with `ca` those in that PEM text as well.
    ///
    /// # Errors
    /// It is no such URL, its host is not known, or `ca` holds no certificate.
    pub async fn resolve(url: &str, ca: Option<&[u8]>) -> Result<Self, ClientError> {
        let Authority { secure, host, name, port } = Authority::parse(url)?;
        let failed = |error: &dyn std::fmt::Display| ClientError::Usage(format!("{host}: {error}"));
        let tls = if secure { Some(Tls::new(name, ca)?) } else { None };
        let found = lookup_host((name, port)).await.map_err(|error| failed(&error))?;
        let address = first_that_answers(found).await.ok_or_else(|| failed(&"is not known"))?;
        Ok(Self { address, host: host.to_owned(), tls })
    }

    pub(crate) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self { address, host: address.to_string(), tls: None }
    }
}

/// A name may stand for an address that nobody listens on: `localhost` is often `::1` as well. Where none answers it is the first.
async fn first_that_answers(found: impl Iterator<Item = SocketAddr>) -> Option<SocketAddr> {
    let mut first = None;
    for address in found {
        if matches!(timeout(ANSWERS, TcpStream::connect(address)).await, Ok(Ok(_))) {
            return Some(address);
        }
        first = first.or(Some(address));
    }
    first
}

/// What a URL says.
#[derive(Debug, PartialEq, Eq)]
struct Authority<'a> {
    secure: bool,
    /// As it stands in the URL.
    host: &'a str,
    /// Without a port and brackets.
    name: &'a str,
    port: u16,
}

impl<'a> Authority<'a> {
    fn parse(url: &'a str) -> Result<Self, ClientError> {
        let wrong =
            || ClientError::Usage("the URL must be http[s]://host[:port], with nothing behind it".into());
        let (secure, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            (None, None) => return Err(wrong()),
        };
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let (name, port) = match host.rsplit_once(':') {
            // A colon inside brackets is the address's own.
            Some((name, port)) if !port.contains(']') => (name, port.parse().ok().ok_or_else(wrong)?),
            _ => (host, if secure { 443 } else { 80 }),
        };
        let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        if name.is_empty() || name.contains(['/', '@', '?', '#', ' ']) {
            return Err(wrong());
        }
        Ok(Self { secure, host, name, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how() {
        for (url, secure, host, name, port) in [
            ("http://localhost:5000", false, "localhost:5000", "localhost", 5_000),
            ("http://chat.example/", false, "chat.example", "chat.example", 80),
            ("https://chat.example", true, "chat.example", "chat.example", 443),
            ("https://192.0.2.7:8443", true, "192.0.2.7:8443", "192.0.2.7", 8_443),
            ("https://[2001:db8::1]", true, "[2001:db8::1]", "2001:db8::1", 443),
            ("https://[2001:db8::1]:444/", true, "[2001:db8::1]:444", "2001:db8::1", 444),
        ] {
            assert_eq!(Authority::parse(url).unwrap(), Authority { secure, host, name, port });
        }
        for url in [
            "chat.example",
            "ws://chat.example",
            "https://",
            "https://:443",
            "https://chat.example:port",
            "https://chat.example:70000",
            "https://chat.example/path",
            "https://user@chat.example",
            "https://chat.example?x",
        ] {
            let error = Authority::parse(url).unwrap_err().to_string();
            assert!(error.contains("http[s]://host[:port]"), "{url}: {error}");
        }
    }
}
