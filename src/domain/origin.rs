//! Where a request came from, and until when its caller waits: what throttling counts by, the audit trail tells, and
//! the queue of passwords admits by.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::deadline::Deadline;

/// The network source of a request, in the one form that limits count by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// An IPv4-mapped address (`::ffff:a.b.c.d`) is the IPv4 address that it maps.
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    pub const fn address(self) -> IpAddr {
        self.0
    }

    /// The network that shares one budget: the IPv4 address itself, or the /64 that an IPv6 subscriber is given.
    pub fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let prefix = u128::from(address) & (u128::MAX << 64);
                IpAddr::V6(Ipv6Addr::from(prefix))
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The trace that a request belongs to (W3C Trace Context, section 3.2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Where something came from: a request's source and trace, or a background loop, which has no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub source: Option<Source>,
    pub trace_id: TraceId,
    /// Until when somebody waits for the answer.
    pub deadline: Deadline,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(address: &str) -> Source {
        Source::new(address.parse().unwrap())
    }

    #[test]
    fn a_mapped_address_is_the_address_that_it_maps() {
        // promise L4
        assert_eq!(source("::ffff:192.0.2.7"), source("192.0.2.7"));
        assert_eq!(source("::ffff:192.0.2.7").to_string(), "192.0.2.7");
    }

    #[test]
    fn each_ipv4_address_has_its_own_budget() {
        // promise L1
        assert_ne!(source("192.0.2.7").network(), source("192.0.2.8").network());
    }

    #[test]
    fn an_ipv6_subscriber_has_one_budget() {
        // promise L1
        let network = source("2001:db8:1:2::1").network();
        assert_eq!(network, source("2001:db8:1:2:ffff:ffff:ffff:ffff").network());
        assert_eq!(network.to_string(), "2001:db8:1:2::");
        assert_ne!(network, source("2001:db8:1:3::1").network());
    }

    #[test]
    fn a_trace_id_prints_as_32_hex_digits() {
        let mut bytes = [0; 16];
        bytes[0] = 0x0a;
        bytes[15] = 0xff;
        assert_eq!(TraceId(bytes).to_string(), "0a0000000000000000000000000000ff");
    }
}
