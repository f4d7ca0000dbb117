//! The HTTP edge.

use crate::config::form::Form;
use crate::config::reader::Reader;
use crate::grpc::Settings as GrpcSettings;
use crate::http::Settings;

/// A base that paths are appended to.
pub struct BaseUrl(pub String);

impl Form for BaseUrl {
    const EXPECTED: &'static str = "an http or https URL without query";

    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        (!rest.is_empty() && !rest.contains(['?', '#', ' '])).then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// What is not said of proxies here is as for gRPC.
pub fn read(reader: &mut Reader, grpc: &GrpcSettings) -> Settings {
    let default = Settings::default();
    Settings {
        listen: reader.value(
            "http.listen",
            default.listen,
            "Where OAuth's endpoints, the way to providers, the published keys, decisions for gateways and the health \
             probes and the metrics are served, in clear text; port 0 takes a free one.",
        ),
        metrics_listen: reader.optional(
            "http.metrics_listen",
            "Where `/metrics` is served, and there alone, for a port that the public does not reach. Without it, on \
             `http.listen`.",
        ),
        max_connections: reader.checked(
            "http.max_connections",
            default.max_connections,
            "a whole number, 1 or more",
            |number| *number >= 1,
            "Connections served at once; further ones wait.",
        ),
        allow_cleartext: reader.value(
            "http.allow_cleartext",
            default.allow_cleartext,
            "Whether `/oauth2/…` and `/oauth/…`, which carry secrets, are served on an address that is not loopback; for a \
             proxy or a mesh that does TLS. Where not, those paths are not there.",
        ),
        public_url: reader
            .optional::<BaseUrl>(
                "http.public_url",
                "The URL by which browsers and other clients reach this port, through a proxy that does TLS. Without it \
                 `tokens.issuer`.",
            )
            .map(|url| url.0),
        trusted_proxies: reader.checked(
            "http.trusted_proxies",
            grpc.trusted_proxies.clone(),
            "a list of networks in CIDR notation, like 10.0.0.0/8 (in a variable separated by commas)",
            |_| true,
            "Proxies that are believed when they say where a request comes from. Without it those of gRPC.",
        ),
        forwarded_header: reader.value(
            "http.forwarded_header",
            grpc.forwarded_header,
            "The header in which they say it. Without it that of gRPC.",
        ),
    }
}
