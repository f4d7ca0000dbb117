//! Under which keys attempts are counted: HMACs, so that neither a table nor a cache names anybody.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::lookup::LookupKey;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::origin::{Origin, Source};
use crate::domain::throttle::{AttemptKeys, Bucket, Limit};

/// What a limit is of: how its keys begin.
pub const SOURCE: &str = "source";
pub const ACCOUNT_SOURCE: &str = "account_source";
pub const ACCOUNT: &str = "account";
pub const MAIL_SOURCE: &str = "mail_source";
pub const MAIL_ADDRESS_SOURCE: &str = "mail_address_source";
pub const MAIL_CALLER: &str = "mail_caller";
pub const CAPPED: &str = "capped";

/// What the limit is of that counts under this key.
pub fn kind(key: &str) -> &str {
    key.split_once(':').map_or(key, |(kind, _)| kind)
}

/// The bucket of everything that one source tries.
pub fn source(key: &LookupKey, origin: &Origin, limit: Limit) -> Bucket {
    bucket(key, SOURCE, &[&network(origin)], limit)
}

/// The bucket of the passwords that one source tries on one account.
pub fn account_and_source(key: &LookupKey, email: &Email, origin: &Origin, limit: Limit) -> Bucket {
    bucket(key, ACCOUNT_SOURCE, &[email.key().as_bytes(), &network(origin)], limit)
}

/// The bucket of the passwords that sources new to an account try on it.
pub fn account(key: &LookupKey, email: &Email, limit: Limit) -> Bucket {
    bucket(key, ACCOUNT, &[email.key().as_bytes()], limit)
}

/// The bucket of the mails that one source asks for.
pub fn mail_source(key: &LookupKey, origin: &Origin, limit: Limit) -> Bucket {
    bucket(key, MAIL_SOURCE, &[&network(origin)], limit)
}

/// The bucket of the mails that one source asks for on behalf of one address.
pub fn mail_address_and_source(key: &LookupKey, email: &Email, origin: &Origin, limit: Limit) -> Bucket {
    bucket(key, MAIL_ADDRESS_SOURCE, &[email.key().as_bytes(), &network(origin)], limit)
}

/// The bucket of the mails that one user asks for.
pub fn mail_caller(key: &LookupKey, caller: UserId, limit: Limit) -> Bucket {
    bucket(key, MAIL_CALLER, &[caller.as_uuid().as_bytes()], limit)
}

/// The keys of the record of failures and of known sources.
pub fn attempt(key: &LookupKey, email: &Email, origin: &Origin) -> AttemptKeys {
    let address = email.key().as_bytes();
    AttemptKeys {
        account: key.digest(&[b"attempt_account", address]),
        source: key.digest(&[b"attempt_source", address, &network(origin)]),
    }
}

/// Under which an account at the cap of failures is told of.
pub fn capped(keys: &AttemptKeys) -> String {
    format!("{CAPPED}:{}", URL_SAFE_NO_PAD.encode(keys.account))
}

fn bucket(key: &LookupKey, kind: &str, parts: &[&[u8]], limit: Limit) -> Bucket {
    let mut all = Vec::with_capacity(parts.len() + 1);
    all.push(kind.as_bytes());
    all.extend_from_slice(parts);
    Bucket { key: format!("{kind}:{}", URL_SAFE_NO_PAD.encode(key.digest(&all))), limit }
}

/// Requests without a source share one, so that a lost peer address is never a way round the limits.
fn network(origin: &Origin) -> Vec<u8> {
    match origin.source.map(Source::network) {
        Some(IpAddr::V4(address)) => address.octets().to_vec(),
        Some(IpAddr::V6(address)) => address.octets().to_vec(),
        None => Vec::new(),
    }
}
