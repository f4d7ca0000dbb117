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
            for hop in self.hops(values(self.header.name())).into_iter().rev() {
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

    /// The hops that the header names, the nearest last; `None` for one that cannot be read.
    fn hops<'h>(&self, values: impl IntoIterator<Item = &'h [u8]>) -> Vec<Option<IpAddr>> {
        let mut hops = Vec::new();
        for value in values {
            match (str::from_utf8(value), self.header) {
                (Ok(list), ForwardedHeader::XForwardedFor) => hops.extend(list.split(',').map(|hop| node(hop.trim()))),
                (Ok(list), ForwardedHeader::Forwarded) => hops.extend(outside_quotes(list, ',').map(forwarded_for)),
                (Err(_), _) => hops.push(None),
            }
        }
        hops
    }
}

/// The one `for` parameter of one element of `forwarded`; what stands in quotes is nobody's parameter (RFC 7239, section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut named = outside_quotes(element, ';').filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    let (Some(value), None) = (named.next(), named.next()) else { return None };
    let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let bare = quoted.unwrap_or(value);
    if bare.contains('"') { None } else { node(bare) }
}

/// The parts between separators, but for those in quotes; a quote that never ends takes the rest into its part.
fn outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.split(move |character| {
        let was_escaped = is_escaped;
        is_escaped = is_quoted && !was_escaped && character == '\\';
        if character == '"' && !was_escaped {
            is_quoted = !is_quoted;
        }
        character == separator && !is_quoted
    })
}

/// An address, perhaps with a port, perhaps in brackets (RFC 7239, section 6).
fn node(text: &str) -> Option<IpAddr> {
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
