//! Where a request comes from, as proxies tell it.

use keystead::domain::proxies::{ForwardedHeader, ProxyTrust};

use super::halves;

const CLIENT: &str = "203.0.113.9";

/// What a client has its proxy send as host and, after a newline, what it sends as the header itself.
///
/// Promise L4: to a header of whatever bytes the trusted proxy appends the client's own address, and that is the source;
/// it makes no difference whether the proxy sends its part on a line of its own. From a stranger the header is nothing.
pub fn forwarded(bytes: &[u8]) {
    let (host, sent) = halves(bytes, b'\n');
    let mut quoted = Vec::new();
    for &byte in host {
        if matches!(byte, b'"' | b'\\') {
            quoted.push(b'\\');
        }
        quoted.push(byte);
    }
    let element = |form: &str| [format!("{form}={CLIENT};host=\"").as_bytes(), &quoted, b"\""].concat();
    let hosted = [b"host=\"", quoted.as_slice(), format!("\";for={CLIENT}").as_bytes()].concat();
    for (header, part) in [
        (ForwardedHeader::XForwardedFor, CLIENT.as_bytes().to_vec()),
        (ForwardedHeader::Forwarded, element("for")),
        (ForwardedHeader::Forwarded, element("FOR")),
        (ForwardedHeader::Forwarded, hosted),
    ] {
        let trust = ProxyTrust { proxies: vec!["10.0.0.0/8".parse().expect("a network")], header };
        let source = |peer: &str, values: &[&[u8]]| {
            trust.source(peer.parse().expect("an address"), |_| values.iter().copied()).to_string()
        };
        let joined = [sent, b", ", &part].concat();
        assert_eq!(source("10.0.0.1", &[&joined]), CLIENT, "appended to the line");
        assert_eq!(source("10.0.0.1", &[sent, &part]), CLIENT, "on a line of its own");
        assert_eq!(source("192.0.2.1", &[sent]), "192.0.2.1", "a stranger is believed");
    }
}
