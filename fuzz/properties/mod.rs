//! What must hold whatever the bytes are: one property for each parser of what comes from outside.
//!
//! The fuzzer looks for bytes that break one, and the ordinary tests try the seeds on them. A property says more than that
//! nothing panics: what was read can be written and is read the same, or another reader agrees, or what a stranger puts in
//! front changes nothing.

mod accounts;
mod bearers;
mod files;
mod forwarded;
mod frames;
mod http_bodies;
mod passwords;
mod providers;
mod settings;
mod signing;
mod tokens;

/// Panics where the property does not hold of these bytes.
pub type Property = fn(&[u8]);

/// Every property by its name, which is also its folder in `fuzz/seeds`.
pub const TARGETS: &[(&str, Property)] = &[
    ("access_token", tokens::access_token),
    ("bearer", bearers::bearer),
    ("email", accounts::email),
    ("forwarded", forwarded::forwarded),
    ("gateway_route", bearers::gateway_route),
    ("id_token", providers::id_token),
    ("import_csv", files::csv),
    ("import_documents", files::documents),
    ("import_ndjson", files::ndjson),
    ("jwks", providers::jwks),
    ("late_streams", frames::late_streams),
    ("oauth_form", http_bodies::oauth_form),
    ("page_token", tokens::page_token),
    ("password_hash", passwords::password_hash),
    ("provider_url", providers::provider_url),
    ("refresh_token", tokens::refresh_token),
    ("settings_file", settings::file),
    ("settings_value", settings::value),
];

/// The property of this name.
pub fn named(name: &str) -> Option<Property> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, property)| *property)
}

/// What comes before the first of these bytes, and what comes after it.
fn halves(bytes: &[u8], separator: u8) -> (&[u8], &[u8]) {
    let at = bytes.iter().position(|&byte| byte == separator);
    at.map_or((bytes, &[]), |at| (&bytes[..at], &bytes[at + 1..]))
}

/// The text, where it is one.
fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap_or_default()
}
