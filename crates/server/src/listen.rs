//! The listening socket, and how many sockets the process may have.

use std::net::{IpAddr, SocketAddr, TcpListener};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::{failure::Failure, settings::Listen};

/// Connections that the system holds until they are accepted: a whole fleet of clients may come back at once.
const BACKLOG: i32 = 4_096;

/// Binds the address of the settings.
///
/// # Errors
/// It is in use, not ours, or not an address.
pub(crate) fn bind(settings: &Listen) -> Result<TcpListener, Failure> {
    let (host, port) = (settings.host.as_str(), settings.port);
    let failed = |error| Failure::run(format_args!("can't listen on {host}, port {port}"), error);
    let listener = TcpListener::bind((host, port)).map_err(failed)?;
    // The standard library asks for a backlog of 128; listening once more raises it.
    rustix::net::listen(&listener, BACKLOG).map_err(|error| failed(error.into()))?;
    Ok(listener)
}

/// The address to type into a browser on this machine.
pub(crate) fn url(scheme: &str, address: SocketAddr) -> String {
    let port = address.port();
    match address.ip() {
        ip if ip.is_unspecified() => format!("{scheme}://localhost:{port}"),
        IpAddr::V4(ip) => format!("{scheme}://{ip}:{port}"),
        IpAddr::V6(ip) => format!("{scheme}://[{ip}]:{port}"),
    }
}

/// Raises the limit of open files as far as this user may: every connection is one.
pub(crate) fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum || limit.maximum.is_none() && limit.current.is_some() {
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            tracing::debug!(%error, "the limit of open files stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_what_a_browser_on_this_machine_understands() {
        for (address, expected) in [
            ("0.0.0.0:5000", "http://localhost:5000"),
            ("127.0.0.1:80", "http://127.0.0.1:80"),
            ("[::]:5000", "http://localhost:5000"),
            ("192.0.2.7:5000", "http://192.0.2.7:5000"),
            ("[2001:db8::1]:5000", "http://[2001:db8::1]:5000"),
        ] {
            assert_eq!(url("http", address.parse().unwrap()), expected);
        }
    }
}
