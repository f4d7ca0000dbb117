//! The HTTP edge.

use crate::config::reader::Reader;
use crate::http::Settings;

const PUBLIC_URL: &str = "http.public_url";

fn is_base(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', ' ']))
}

pub fn read(reader: &mut Reader) -> Settings {
    let default = Settings::default();
    let public_url: Option<String> = reader.optional(
        PUBLIC_URL,
        "The URL by which browsers reach this port, through a proxy that does TLS; `tokens.issuer` where it is not set.",
    );
    if public_url.as_deref().is_some_and(|url| !is_base(url)) {
        reader.fault(PUBLIC_URL, "expected an http or https URL without query");
    }
    Settings {
        public_url: public_url.unwrap_or_default(),
        listen: reader.value(
            "http.listen",
            default.listen,
            "Where the published keys and the health probes are served, in clear text; port 0 takes a free one.",
        ),
        max_connections: reader.checked(
            "http.max_connections",
            default.max_connections,
            "a whole number, 1 or more",
            |number| *number >= 1,
            "Connections served at once; further ones wait.",
        ),
    }
}
