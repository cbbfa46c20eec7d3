//! The port for counters that bound how often something may be done.

use std::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use crate::{Login, model::UserId};

/// What counts as one client by its address: an IPv4 address, or the /64 block of an IPv6 one, of which
/// every household and every rented machine has a whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressBlock(IpAddr);

impl From<IpAddr> for AddressBlock {
    fn from(address: IpAddr) -> Self {
        const HOST_BITS: u32 = 64;
        // `::ffff:192.0.2.7` is an IPv4 client at a socket that listens for both.
        Self(match address.to_canonical() {
            v4 @ IpAddr::V4(_) => v4,
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> HOST_BITS << HOST_BITS).into(),
        })
    }
}

/// What is counted, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RateSubject {
    /// Registrations, by address.
    Registrations(AddressBlock),
    /// Attempts to log in, by address.
    LoginsFrom(AddressBlock),
    /// Attempts to log in, by the account that they name, which need not exist: one that does, always by the same of its
    /// two logins. Compared as [`Users::find_by_login`](crate::Users::find_by_login) does.
    LoginsTo(Login),
    /// Handshakes that open a session, by address.
    Handshakes(AddressBlock),
    /// Messages, by their sender.
    Messages(UserId),
}

/// Counts what subjects do, each against the rate of its kind.
///
/// Both methods are called on the way of every request or event. They MUST NOT block: an implementation
/// that shares its counters among nodes answers by what it knows, and reconciles behind.
pub trait RateLimiter: Send + Sync {
    /// Counts one; or, where the rate has no room for it, counts nothing and tells after which time it
    /// will have, in whole milliseconds, rounded up.
    ///
    /// Of calls at once no more MUST pass than the rate allows. Memory MUST be bounded, whatever
    /// subjects come, and a subject MUST NOT get rid of its count by bringing others.
    ///
    /// # Errors
    /// The wait.
    fn take(&self, subject: &RateSubject) -> Result<(), Duration>;

    /// A counter of a new socket's own, against the rate of events.
    fn meter(&self) -> Box<dyn RateMeter>;
}

/// Counts what one socket does.
pub trait RateMeter: Send + Sync {
    /// Counts one, as [`RateLimiter::take`] does.
    ///
    /// # Errors
    /// The wait.
    fn take(&self) -> Result<(), Duration>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(address: &str) -> AddressBlock {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn an_ipv6_client_is_its_block_and_an_ipv4_client_its_address() {
        assert_eq!(block("2001:db8:1:2::1"), block("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
        assert_ne!(block("192.0.2.7"), block("192.0.2.8"));
        assert_eq!(block("::ffff:192.0.2.7"), block("192.0.2.7"));
    }
}
