//! Where a request comes from: its peer, or what a trusted proxy says of it.
//!
//! A header counts only if the peer itself is a trusted proxy, and then only the header that the operator has named:
//! the other one is passed through by proxies that do not know it, so a client can write into it what it likes. Proxies
//! append, so the list is read from its end: the first address that is no trusted proxy is the source.

use std::net::{IpAddr, SocketAddr};

use super::network::Network;
use super::origin::Source;

/// The header in which the trusted proxies name the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `x-forwarded-for`: addresses, separated by commas.
    #[default]
    XForwardedFor,
    /// `forwarded`: the `for` parameters (RFC 7239, section 5.2).
    Forwarded,
}

impl ForwardedHeader {
    /// In lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

/// Which proxies are believed, and in which header.
#[derive(Clone, Debug, Default)]
pub struct ProxyTrust {
    pub proxies: Vec<Network>,
    pub header: ForwardedHeader,
}

impl ProxyTrust {
    /// The source of a request from this peer; `values` gives all values of the header that it is asked for.
    pub fn source<'h, V>(&self, peer: IpAddr, values: impl FnOnce(&'static str) -> V) -> Source
    where
        V: IntoIterator<Item = &'h [u8]>,
    {
        let mut nearest = peer;
        if self.trusts(peer) {
            let values: Vec<&[u8]> = values(self.header.name()).into_iter().collect();
            for hop in values.into_iter().rev().flat_map(|value| self.hops(value)) {
                // Past an illegible hop nothing can be believed: the source is the last hop that could be read.
                let Some(address) = hop else { break };
                nearest = address;
                if !self.trusts(address) {
                    break;
                }
            }
        }
        Source::new(nearest)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(address))
    }

    /// The hops that a value names, the nearest first; `None` for one that cannot be read.
    fn hops<'h>(&self, value: &'h [u8]) -> Box<dyn Iterator<Item = Option<IpAddr>> + 'h> {
        match self.header {
            ForwardedHeader::XForwardedFor => Box::new(value.rsplit(|&byte| byte == b',').map(node)),
            ForwardedHeader::Forwarded => Box::new(from_the_end(value, b',').map(forwarded_for)),
        }
    }
}

/// The one `for` parameter of one element of `forwarded`; what stands in quotes is nobody's parameter (RFC 7239, section 4).
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    let mut named = from_the_end(element, b';').filter_map(|parameter| {
        let equals = parameter.iter().position(|&byte| byte == b'=')?;
        let (name, value) = parameter.split_at(equals);
        name.trim_ascii().eq_ignore_ascii_case(b"for").then(|| value[1..].trim_ascii())
    });
    let (Some(value), None) = (named.next(), named.next()) else { return None };
    let quoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let bare = quoted.unwrap_or(value);
    if bare.contains(&b'"') { None } else { node(bare) }
}

/// The parts between separators, but for those in quotes, the last one first.
///
/// Read from the end, so that a quote that a client leaves open ends nothing that a proxy appends: the separators of what
/// is well-formed are found whatever stands before it.
fn from_the_end(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let mut is_quoted = false;
        let at = whole.iter().enumerate().rposition(|(place, &byte)| {
            if byte == b'"' && !is_escaped(&whole[..place]) {
                is_quoted = !is_quoted;
            }
            byte == separator && !is_quoted
        });
        rest = at.map(|at| &whole[..at]);
        Some(at.map_or(whole, |at| &whole[at + 1..]))
    })
}

/// Whether what follows this text is escaped: by a backslash that is not escaped itself.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
}

/// An address, perhaps with a port, perhaps in brackets (RFC 7239, section 6).
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse().ok().or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust(header: ForwardedHeader) -> ProxyTrust {
        ProxyTrust { proxies: vec!["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()], header }
    }

    fn seen(header: ForwardedHeader, peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let values =
            |wanted| headers.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value.as_bytes());
        trust(header).source(peer.parse().unwrap(), values).to_string()
    }

    fn x_forwarded_for(peer: &str, values: &[&'static str]) -> String {
        let headers: Vec<_> = values.iter().map(|value| ("x-forwarded-for", *value)).collect();
        seen(ForwardedHeader::XForwardedFor, peer, &headers)
    }

    // promise L4
    #[test]
    fn a_forged_header_from_a_stranger_changes_nothing() {
        assert_eq!(x_forwarded_for("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(x_forwarded_for("::ffff:192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
    }

    // promise L4
    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_the_source() {
        assert_eq!(x_forwarded_for("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(x_forwarded_for("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.2.3.4"]), "198.51.100.7");
        assert_eq!(x_forwarded_for("10.0.0.1", &["203.0.113.9", "198.51.100.7"]), "198.51.100.7");
        assert_eq!(x_forwarded_for("10.0.0.1", &["10.9.9.9, 10.2.3.4"]), "10.9.9.9");
        assert_eq!(x_forwarded_for("10.0.0.1", &["::ffff:198.51.100.7"]), "198.51.100.7");
        assert_eq!(x_forwarded_for("::ffff:10.0.0.1", &["198.51.100.7:4711"]), "198.51.100.7");
    }

    // promise L4
    #[test]
    fn what_a_client_puts_before_the_part_of_its_proxy_hides_nothing() {
        let of = |header: ForwardedHeader, values: &[&'static [u8]]| {
            trust(header).source("10.0.0.1".parse().unwrap(), |_| values.iter().copied()).to_string()
        };
        for value in [b"\xff, 203.0.113.9".as_slice(), b"198.51.100.7\xff, 203.0.113.9, 10.2.3.4"] {
            assert_eq!(of(ForwardedHeader::XForwardedFor, &[value]), "203.0.113.9");
        }
        for value in [
            b"\xff, for=203.0.113.9".as_slice(),
            b"for=\", for=203.0.113.9",
            b"for=\"x\\, for=203.0.113.9",
            b"host=\"x\\\", for=203.0.113.9;host=\"y\"",
            b"for=\", for=203.0.113.9;host=\"x, for=1.2.3.4;y=\"",
            b"for=\", for=203.0.113.9;host=\"x\\\", for=1.2.3.4;y=\"",
            b"for=\"x, for=203.0.113.9, for=10.2.3.4;host=\"y,for=1.2.3.4\"",
        ] {
            assert_eq!(of(ForwardedHeader::Forwarded, &[value]), "203.0.113.9", "{}", value.escape_ascii());
        }
        assert_eq!(of(ForwardedHeader::Forwarded, &[b"for=\"", b"for=203.0.113.9"]), "203.0.113.9");
    }

    #[test]
    fn past_an_illegible_hop_nothing_is_believed() {
        assert_eq!(x_forwarded_for("10.0.0.1", &["198.51.100.7, unknown, 10.2.3.4"]), "10.2.3.4");
        assert_eq!(x_forwarded_for("10.0.0.1", &[""]), "10.0.0.1");
        assert_eq!(x_forwarded_for("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn only_the_configured_header_is_read() {
        let both = [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "198.51.100.7")];
        assert_eq!(seen(ForwardedHeader::XForwardedFor, "10.0.0.1", &both), "198.51.100.7");
        assert_eq!(seen(ForwardedHeader::Forwarded, "10.0.0.1", &both), "203.0.113.9");
    }

    #[test]
    fn the_forwarded_header_is_read_as_rfc_7239_writes_it() {
        let of = |value| seen(ForwardedHeader::Forwarded, "10.0.0.1", &[("forwarded", value)]);
        assert_eq!(of("for=192.0.2.43, for=198.51.100.17;by=10.0.0.2;proto=http"), "198.51.100.17");
        assert_eq!(of("proto=https;For=\"[2001:db9::17]:4711\""), "2001:db9::17");
        assert_eq!(of("for=_hidden"), "10.0.0.1");
        assert_eq!(of("for=192.0.2.43, proto=https"), "10.0.0.1");
    }

    // promise L4
    #[test]
    fn what_a_client_gets_into_quotes_names_no_source() {
        let of = |value| seen(ForwardedHeader::Forwarded, "10.0.0.1", &[("forwarded", value)]);
        assert_eq!(of("proto=http;host=\"x;for=1.2.3.4\";for=203.0.113.9"), "203.0.113.9");
        assert_eq!(of("for=203.0.113.9;host=\"x,for=1.2.3.4\""), "203.0.113.9");
        assert_eq!(of("host=\"x\\\";for=1.2.3.4;\";for=203.0.113.9"), "203.0.113.9");
        for doubtful in ["host=\"x;for=1.2.3.4;for=203.0.113.9", "for=1.2.3.4;for=203.0.113.9", "for=\"1.2.3.4"] {
            assert_eq!(of(doubtful), "10.0.0.1", "{doubtful}");
        }
    }
}
