//! The variables that Kubernetes injects into every container for each Service of its namespace.
//!
//! A Service `keystead`, or `keystead-grpc`, gives names with our prefix. They are told from settings by name and value
//! together, so that a slip like `KEYSTEAD_GRPC_PORT=50051` is still found.
//! Source: Kubernetes documentation, "Accessing the Service", environment variables.

use std::net::IpAddr;

use super::raw::PREFIX;

/// Whether Kubernetes made this variable.
pub fn is_injected(name: &str, value: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    let words: Vec<&str> = rest.split('_').collect();
    (0..words.len()).any(|start| is_service_suffix(&words[start..], value))
}

fn is_service_suffix(words: &[&str], value: &str) -> bool {
    match words {
        ["SERVICE", "HOST"] => is_address(value),
        ["SERVICE", "PORT", ..] => is_port(value),
        ["PORT"] => is_link(value),
        ["PORT", port, protocol, rest @ ..] if is_port(port) && is_protocol(protocol) => match rest {
            [] => is_link(value),
            ["PROTO"] => is_protocol(value),
            ["PORT"] => is_port(value),
            ["ADDR"] => is_address(value),
            _ => false,
        },
        _ => false,
    }
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

fn is_protocol(text: &str) -> bool {
    ["tcp", "udp", "sctp"].iter().any(|protocol| text.eq_ignore_ascii_case(protocol))
}

fn is_link(text: &str) -> bool {
    text.split_once("://").is_some_and(|(protocol, _)| is_protocol(protocol))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_a_service_of_our_name_is_recognised() {
        for (name, value) in [
            ("KEYSTEAD_SERVICE_HOST", "10.0.0.11"),
            ("KEYSTEAD_SERVICE_HOST", "fd00::11"),
            ("KEYSTEAD_SERVICE_PORT", "50051"),
            ("KEYSTEAD_SERVICE_PORT_GRPC", "50051"),
            ("KEYSTEAD_SERVICE_PORT_HTTP_METRICS", "8080"),
            ("KEYSTEAD_PORT", "tcp://10.0.0.11:50051"),
            ("KEYSTEAD_PORT_50051_TCP", "tcp://10.0.0.11:50051"),
            ("KEYSTEAD_PORT_50051_TCP_PROTO", "tcp"),
            ("KEYSTEAD_PORT_50051_TCP_PORT", "50051"),
            ("KEYSTEAD_PORT_50051_TCP_ADDR", "10.0.0.11"),
            ("KEYSTEAD_GRPC_SERVICE_HOST", "10.0.0.12"),
            ("KEYSTEAD_GRPC_SERVICE_PORT", "50051"),
            ("KEYSTEAD_GRPC_SERVICE_PORT_GRPC", "50051"),
            ("KEYSTEAD_GRPC_PORT", "tcp://10.0.0.12:50051"),
            ("KEYSTEAD_GRPC_PORT_50051_TCP_ADDR", "10.0.0.12"),
            ("KEYSTEAD_POSTGRES_RW_PORT_5432_TCP", "tcp://10.0.0.13:5432"),
            ("KEYSTEAD_DNS_PORT_53_UDP_PROTO", "udp"),
        ] {
            assert!(is_injected(name, value), "{name}");
        }
    }

    #[test]
    fn a_slip_that_looks_like_one_is_still_a_slip() {
        for (name, value) in [
            ("KEYSTEAD_PORT", "50051"),
            ("KEYSTEAD_GRPC_PORT", "50051"),
            ("KEYSTEAD_GRPC_LISTEN", "tcp://10.0.0.11:50051"),
            ("KEYSTEAD_SERVICE_HOST", "auth.example.com"),
            ("KEYSTEAD_PORT_50051_TCP_NAME", "grpc"),
            ("PATH", "/bin"),
        ] {
            assert!(!is_injected(name, value), "{name}");
        }
    }
}
