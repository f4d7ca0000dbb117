//! ID tokens: judged as OpenID Connect Core 1.0, section 3.1.3.7 has it, and wherever that leaves a choice strictly.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead_verifier::KeySet;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::domain::clock::Timestamp;

/// How far the provider's clock may be from ours.
const LEEWAY: Duration = Duration::from_secs(30);
const MAX_BYTES: usize = 16 * 1024;

/// What is wrong with an ID token; the words are for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenFault {
    #[error("an ID token that is malformed or lacks a claim")]
    Malformed,
    #[error("an ID token with a header that it may not have")]
    Header,
    #[error("an ID token under an algorithm that is not its key's")]
    Algorithm,
    #[error("an ID token under a key that the provider does not publish")]
    UnknownKey,
    #[error("an ID token with a wrong signature")]
    Signature,
    #[error("an ID token of another issuer")]
    Issuer,
    #[error("an ID token for another audience")]
    Audience,
    #[error("an ID token with another nonce")]
    Nonce,
    #[error("an ID token that has expired or is not valid yet")]
    Time,
}

/// What is expected of an ID token.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    pub now: Timestamp,
}

/// The claims that matter. Those about the person are read with care later: a provider may put anything there.
#[derive(Deserialize)]
pub struct Claims {
    iss: String,
    pub sub: String,
    aud: Value,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: String,
    azp: Option<String>,
    email: Option<Value>,
    email_verified: Option<Value>,
    name: Option<Value>,
    hd: Option<Value>,
}

/// What is told of the person, here or at the userinfo endpoint.
#[derive(Clone, Default, Deserialize)]
pub struct Person {
    pub email: Option<Value>,
    pub email_verified: Option<Value>,
    pub name: Option<Value>,
    /// The domain that Google hosts for an organization (Google Identity, "OpenID Connect", "An ID token's payload").
    pub hd: Option<Value>,
}

/// The header's parameters. Those that carry or name a key, or change how the token is read, refuse it.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
    jwk: Option<IgnoredAny>,
    jku: Option<IgnoredAny>,
    x5u: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
}

impl Header {
    fn is_allowed(&self) -> bool {
        let is_id_token = self.typ.as_deref().is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        let others = [&self.crit, &self.b64, &self.jwk, &self.jku, &self.x5u, &self.zip];
        is_id_token && others.iter().all(|other| other.is_none())
    }
}

/// The claims of a token that is what was expected.
pub fn verify(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<Claims, IdTokenFault> {
    if token.len() > MAX_BYTES {
        return Err(IdTokenFault::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(IdTokenFault::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(IdTokenFault::Malformed)?;
    let header: Header = part(header)?;
    if !header.is_allowed() {
        return Err(IdTokenFault::Header);
    }
    // The key decides the algorithm, never the token (RFC 8725, section 3.1).
    let key = header.kid.and_then(|kid| keys.get(&kid)).ok_or(IdTokenFault::UnknownKey)?;
    if header.alg != key.algorithm().as_str() {
        return Err(IdTokenFault::Algorithm);
    }
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| IdTokenFault::Malformed)?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(IdTokenFault::Signature);
    }
    let claims: Claims = part(payload)?;
    claims.check(expected)?;
    Ok(claims)
}

impl Claims {
    pub fn person(&self) -> Person {
        let Self { email, email_verified, name, hd, .. } = self;
        Person { email: email.clone(), email_verified: email_verified.clone(), name: name.clone(), hd: hd.clone() }
    }

    fn check(&self, expected: &Expected<'_>) -> Result<(), IdTokenFault> {
        if self.iss != expected.issuer {
            return Err(IdTokenFault::Issuer);
        }
        // We trust no other audience, and so accept none beside us.
        let is_ours = match &self.aud {
            Value::String(one) => one == expected.client_id,
            Value::Array(all) => !all.is_empty() && all.iter().all(|one| one == expected.client_id),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        };
        if !is_ours || self.azp.as_deref().is_some_and(|azp| azp != expected.client_id) {
            return Err(IdTokenFault::Audience);
        }
        if self.nonce != expected.nonce {
            return Err(IdTokenFault::Nonce);
        }
        let (late, early) = (expected.now.before(LEEWAY).as_seconds(), expected.now.after(LEEWAY).as_seconds());
        let is_begun = self.iat <= early && self.nbf.is_none_or(|begin| begin <= early);
        if self.exp > late && is_begun { Ok(()) } else { Err(IdTokenFault::Time) }
    }
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, IdTokenFault> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| IdTokenFault::Malformed)?;
    // A list would be taken for the values of the members.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(IdTokenFault::Malformed);
    }
    serde_json::from_slice(&bytes).map_err(|_| IdTokenFault::Malformed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // promise O3
    #[test]
    fn neither_a_header_nor_claims_are_a_list() {
        let encoded = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!(["ES256", "k", null, null, null, null, null, null, null]);
        assert_eq!(part::<Header>(&encoded(header)).err(), Some(IdTokenFault::Malformed));
        let claims = json!(["i", "s", "a", 2, 1, null, "n", null, null, null, null, null]);
        assert_eq!(part::<Claims>(&encoded(claims)).err(), Some(IdTokenFault::Malformed));
        assert!(part::<Header>(&URL_SAFE_NO_PAD.encode(" {\"alg\": \"ES256\"}")).is_ok());
    }
}
