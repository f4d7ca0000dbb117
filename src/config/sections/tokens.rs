//! Access tokens.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::service::token::settings::TokenSettings;

pub fn read(reader: &mut Reader) -> TokenSettings {
    let default = TokenSettings::default();
    let audiences = reader.value("tokens.audiences", default.audiences, "What a sign-in may name as its audience.");
    let default_audiences = reader.value(
        "tokens.default_audiences",
        default.default_audiences,
        "Audiences of a sign-in that names none; each one of `tokens.audiences`.",
    );
    if default_audiences.is_empty() || default_audiences.iter().any(|audience| !audiences.contains(audience)) {
        reader.fault("tokens.default_audiences", "expected one or more of tokens.audiences");
    }
    TokenSettings {
        issuer: reader.checked(
            "tokens.issuer",
            default.issuer,
            "an http or https URL without query",
            |url| is_issuer(url),
            "`iss` of every token: the URL that clients know this service by.",
        ),
        client_id: reader.value("tokens.client_id", default.client_id, "`client_id` of sign-ins by people."),
        audiences,
        default_audiences,
        access_lifetime: reader.checked(
            "tokens.access_lifetime",
            default.access_lifetime,
            "a span from 10s to 1h",
            |span| (Duration::from_secs(10)..=default.max_lifetime).contains(span),
            "How long an access token lives.",
        ),
        leeway: default.leeway,
        max_lifetime: default.max_lifetime,
        remembered_bytes: reader.checked(
            "tokens.remembered_mib",
            default.remembered_bytes >> 20,
            "0 to 65536",
            |mib| *mib <= 65_536,
            "Memory for verified tokens, in MiB, whose signature is not checked again; 0 for none. A token takes about \
             1 KiB.",
        ) << 20,
    }
}

/// RFC 8414, section 2, but for plain http, which a first try on one machine needs.
fn is_issuer(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', ' ']))
}
