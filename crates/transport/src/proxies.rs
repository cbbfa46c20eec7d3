//! Which proxies are believed, and from which address a request comes.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::{
    dev::RequestHead,
    http::header::{HeaderName, HeaderValue},
};
use chat_domain::ports::AddressBlock;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose `X-Forwarded-For` counts. Default none: whoever connects is the client.
///
/// A proxy appends the address that it was reached from. So the list is read from its right end, as far as trusted
/// proxies have written it: the first address that is no trusted proxy's is the client's. What stands to the left
/// of it is what that client wrote, and means nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// How many bits stand before the IPv4 address in an IPv6 one that is mapped from it.
const MAPPED_BITS: u32 = 96;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix: u32,
}

impl TrustedProxies {
    /// Reads addresses and networks (`10.0.0.0/8`, `2001:db8::/32`) with commas between.
    ///
    /// # Errors
    /// What is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        items
            .map(|item| Network::parse(item).ok_or_else(|| item.to_owned()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The address that a request is counted by. Peers without one (Unix sockets) count together.
    pub(crate) fn client(&self, head: &RequestHead) -> AddressBlock {
        let peer = head.peer_addr.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip());
        let mut client = peer.to_canonical();
        if self.trust(client) {
            let lines: Vec<_> = head.headers().get_all(FORWARDED_FOR).collect();
            for hop in lines.into_iter().rev().flat_map(hops) {
                // What can't be read names nobody: the proxy that passed it on answers for it.
                let Some(hop) = hop else { break };
                client = hop;
                if !self.trust(client) {
                    break;
                }
            }
        }
        client.into()
    }
}

/// The addresses of a header line, the last one first; `None` for what is no address.
fn hops(line: &HeaderValue) -> impl Iterator<Item = Option<IpAddr>> {
    let text = line.to_str().unwrap_or("?");
    text.rsplit(',').map(|hop| address(hop.trim()))
}

/// An address as proxies write it: with or without brackets and port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address: IpAddr = text.parse().ok().or_else(bare).or_else(with_port)?;
    Some(address.to_canonical())
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address.parse().ok()?, Some(prefix.parse().ok()?)),
            None => (text.parse().ok()?, None),
        };
        let most = bits(address).1;
        let prefix = prefix.unwrap_or(most);
        (prefix <= most).then(|| Self { address, prefix }.canonical())
    }

    /// Peers are compared as IPv4 where they are that, however the system writes them; so are networks.
    fn canonical(self) -> Self {
        match (self.address.to_canonical(), self.prefix.checked_sub(MAPPED_BITS)) {
            (address @ IpAddr::V4(_), Some(prefix)) if self.address.is_ipv6() => Self { address, prefix },
            _ => self,
        }
    }

    fn contains(self, address: IpAddr) -> bool {
        let ((ours, length), (theirs, other)) = (bits(self.address), bits(address));
        // Shifted by all its bits a number would stay as it is.
        length == other && (ours ^ theirs).checked_shr(length - self.prefix).unwrap_or(0) == 0
    }
}

/// An address as a number, and how many bits it has.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (v4.to_bits().into(), 32),
        IpAddr::V6(v6) => (v6.to_bits(), 128),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(trusted: &str, peer: &str, lines: &[&str]) -> AddressBlock {
        let mut request = TestRequest::default().peer_addr(SocketAddr::new(peer.parse().unwrap(), 9));
        for line in lines {
            request = request.append_header((FORWARDED_FOR, *line));
        }
        TrustedProxies::parse(trusted).unwrap().client(request.to_http_request().head())
    }

    #[test]
    fn the_right_most_hop_that_is_no_trusted_proxy_is_the_client() {
        let two = "10.0.0.0/8, 2001:db8:aa::/48, 192.0.2.9";
        for (trusted, peer, lines, expected) in [
            ("", "192.0.2.1", &["203.0.113.7"] as &[_], "192.0.2.1"),
            (two, "192.0.2.1", &["203.0.113.7"], "192.0.2.1"),
            (two, "10.1.2.3", &[], "10.1.2.3"),
            (two, "10.1.2.3", &["203.0.113.7"], "203.0.113.7"),
            (two, "10.1.2.3", &["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            (two, "10.1.2.3", &["1.1.1.1", "203.0.113.7,192.0.2.9"], "203.0.113.7"),
            (two, "10.1.2.3", &["1.1.1.1", "203.0.113.7", "10.9.9.9"], "203.0.113.7"),
            (two, "2001:db8:aa::1", &["[2001:db8:bb::7]:4711"], "2001:db8:bb::7"),
            (two, "2001:db8:aa::1", &["[2001:db8:bb::7]"], "2001:db8:bb::7"),
            (two, "::ffff:10.1.2.3", &["203.0.113.7:4711"], "203.0.113.7"),
            (two, "10.1.2.3", &["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
            (two, "10.1.2.3", &["203.0.113.7, unknown"], "10.1.2.3"),
            (two, "10.1.2.3", &["203.0.113.7, bad, 192.0.2.9"], "192.0.2.9"),
            (two, "10.1.2.3", &[""], "10.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", &["203.0.113.7"], "203.0.113.7"),
            ("::ffff:10.0.0.0/104", "11.1.2.3", &["203.0.113.7"], "11.1.2.3"),
            ("::ffff:10.1.2.3", "::ffff:10.1.2.3", &["203.0.113.7"], "203.0.113.7"),
            ("::ffff:0:0/96", "198.51.100.1", &["203.0.113.7"], "203.0.113.7"),
            ("0.0.0.0/0", "198.51.100.1", &["203.0.113.7"], "203.0.113.7"),
            ("::/0", "198.51.100.1", &["203.0.113.7"], "198.51.100.1"),
        ] {
            let expected = AddressBlock::from(expected.parse::<IpAddr>().unwrap());
            assert_eq!(client(trusted, peer, lines), expected, "{trusted} {peer} {lines:?}");
        }
    }

    #[test]
    fn what_is_no_address_and_no_network_is_named() {
        for wrong in ["proxy", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::1/129", "10.0.0.0/-1", "1.2.3.4:80"]
        {
            assert_eq!(TrustedProxies::parse(&format!("10.0.0.1,{wrong}")), Err(wrong.to_owned()));
        }
        assert_eq!(TrustedProxies::parse(" , "), Ok(TrustedProxies::default()));
    }

    #[test]
    fn a_peer_without_an_address_is_one_client() {
        let head = TestRequest::default().to_http_request();
        let client = TrustedProxies::default().client(head.head());
        assert_eq!(client, AddressBlock::from(IpAddr::from(Ipv4Addr::UNSPECIFIED)));
    }
}
