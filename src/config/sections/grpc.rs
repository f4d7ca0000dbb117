//! The gRPC edge.

use std::path::PathBuf;

use crate::config::form::Form;
use crate::config::reader::Reader;
use crate::domain::network::Network;
use crate::domain::proxies::ForwardedHeader;
use crate::grpc::Settings;

impl Form for Network {
    const EXPECTED: &'static str = "networks in CIDR notation, like 10.0.0.0/8";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Form for ForwardedHeader {
    const EXPECTED: &'static str = "x-forwarded-for or forwarded";

    fn parse(text: &str) -> Option<Self> {
        [Self::XForwardedFor, Self::Forwarded].into_iter().find(|header| header.show() == text)
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }
}

pub fn read(reader: &mut Reader) -> Settings {
    let default = Settings::default();
    let listen = reader.value("grpc.listen", default.listen, "Where gRPC is served; port 0 takes a free one.");
    let (tls_certificate, tls_private_key, tls_client_ca) = tls(reader);
    let settings = Settings {
        listen,
        tls_certificate,
        tls_private_key,
        tls_client_ca,
        allow_cleartext: reader.value(
            "grpc.allow_cleartext",
            default.allow_cleartext,
            "Whether clear text is served on an address that is not loopback; for a proxy or a mesh that does TLS.",
        ),
        reflection: reader.value("grpc.reflection", default.reflection, "Whether reflection is served, to everybody."),
        open_revocation_feed: reader.value(
            "grpc.open_revocation_feed",
            default.open_revocation_feed,
            "Whether everybody may call `WatchRevocations`, without a bearer: for a port that only services of yours reach. \
             The feed holds ids of sessions and users.",
        ),
        web_origins: reader.value(
            "grpc.web_origins",
            default.web_origins,
            "Origins of the web pages that may call by gRPC-Web, like https://app.example.com; none turns gRPC-Web off.",
        ),
        trusted_proxies: reader.checked(
            "grpc.trusted_proxies",
            default.trusted_proxies,
            "a list of networks in CIDR notation, like 10.0.0.0/8 (in a variable separated by commas)",
            |_| true,
            "Proxies that are believed when they say where a call comes from.",
        ),
        forwarded_header: reader.value(
            "grpc.forwarded_header",
            default.forwarded_header,
            "The header in which they say it.",
        ),
        max_connections: reader.value(
            "grpc.max_connections",
            default.max_connections,
            "Connections served at once; further ones wait.",
        ),
        max_streams: reader.value("grpc.max_streams", default.max_streams, "Calls at once on a connection."),
        max_deadline: reader.value(
            "grpc.max_deadline",
            default.max_deadline,
            "No call takes longer, whatever its caller asks for.",
        ),
        connection_age: reader.value(
            "grpc.connection_age",
            default.connection_age,
            "An older connection is asked to go, so that clients spread over new replicas.",
        ),
    };
    for (key, problem) in settings.validate() {
        reader.fault(path_of(key), problem);
    }
    settings
}

fn tls(reader: &mut Reader) -> (Option<PathBuf>, Option<PathBuf>, Option<PathBuf>) {
    (
        reader.optional(
            "grpc.tls_certificate_file",
            "PEM file with the certificate and what leads to its root; turns TLS on. Read again when it changes.",
        ),
        reader.private_file("grpc.tls_key_file", "PEM file with the certificate's private key."),
        reader.optional(
            "grpc.tls_client_ca_file",
            "PEM file with the authorities that clients' certificates must come from; turns mTLS on.",
        ),
    )
}

/// The room names its fields; a setting that is a file says so in its name.
fn path_of(field: &str) -> &'static str {
    match field {
        "tls_certificate" => "grpc.tls_certificate_file",
        "tls_private_key" => "grpc.tls_key_file",
        "tls_client_ca" => "grpc.tls_client_ca_file",
        "listen" => "grpc.listen",
        "max_connections" => "grpc.max_connections",
        "max_streams" => "grpc.max_streams",
        "max_deadline" => "grpc.max_deadline",
        "web_origins" => "grpc.web_origins",
        "connection_age" => "grpc.connection_age",
        _ => "grpc",
    }
}
