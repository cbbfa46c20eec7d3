//! Where a server is, and the name it is asked for by.

use std::net::SocketAddr;

/// A server's address, and what stands in the `Host` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Where to connect to.
    pub address: SocketAddr,
    /// The authority of its URL.
    pub host: String,
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self { address, host: address.to_string() }
    }
}
