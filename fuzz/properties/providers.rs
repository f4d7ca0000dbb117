//! What identity providers send and publish.

use std::net::Ipv6Addr;

use http::Uri;
use keystead::domain::clock::Timestamp;
use keystead::outbound::oidc::Settings;
use keystead::outbound::oidc::id_token::{self, Expected};
use keystead_verifier::{KeySet, VerificationKey};
use serde_json::{Map, Value};
use url::Url;

use super::signing::{KID, keys, signed};
use super::{halves, text};

const NOW: i64 = 1_700_000_000;

/// A header and, after a NUL, claims, both signed; and the same bytes as a token.
///
/// A token that is taken is an object twice over in which another parser reads the same, of this issuer, for this client
/// alone, with this nonce, at this time.
pub fn id_token(bytes: &[u8]) {
    let (header, claims) = halves(bytes, 0);
    let now = Timestamp::from_millis(NOW * 1_000);
    let expected = Expected { issuer: "https://idp.example", client_id: "client", nonce: "nonce", now };
    assert!(id_token::verify(text(bytes), &keys(), &expected).is_err(), "a token that nobody signed");
    let Ok(read) = id_token::verify(&signed(header, claims), &keys(), &expected) else { return };
    let header: Map<String, Value> = serde_json::from_slice(header).expect("an object");
    let claims: Map<String, Value> = serde_json::from_slice(claims).expect("an object");
    assert_eq!((&header["alg"], &header["kid"]), (&"EdDSA".into(), &KID.into()));
    assert!(
        ["crit", "b64", "jwk", "jku", "x5u", "zip"].iter().all(|name| header.get(*name).is_none_or(Value::is_null))
    );
    assert_eq!(claims["sub"], read.sub);
    assert_eq!((&claims["iss"], &claims["nonce"]), (&expected.issuer.into(), &expected.nonce.into()));
    let is_client = |audience: &Value| audience == expected.client_id;
    assert!(
        is_client(&claims["aud"])
            || claims["aud"].as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_client))
    );
    assert!(
        claims["exp"].as_i64().is_some_and(|end| end > NOW - 60)
            && claims["iat"].as_i64().is_some_and(|begin| begin < NOW + 60)
    );
}

/// A set has no more keys than another parser finds objects in it, each under its name and made of what the object says.
pub fn jwks(bytes: &[u8]) {
    let Ok(set) = KeySet::from_jwks(bytes) else { return };
    let published: Map<String, Value> = serde_json::from_slice(bytes).expect("an object");
    let keys: Vec<&Map<String, Value>> =
        published["keys"].as_array().expect("a list").iter().filter_map(Value::as_object).collect();
    let usable = keys.iter().filter(|key| {
        let found = key.get("kid").and_then(Value::as_str).and_then(|kid| set.get(kid));
        found
            .map(VerificationKey::algorithm)
            .is_some_and(|algorithm| key.get("alg").is_none_or(|alg| alg.is_null() || *alg == algorithm.as_str()))
    });
    assert!(set.len() <= usable.count(), "a key of nobody's");
}

/// An address of IPv6 has many spellings.
fn canonical(host: &str) -> String {
    let address =
        host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).and_then(|bare| bare.parse::<Ipv6Addr>().ok());
    address.map_or_else(|| host.to_ascii_lowercase(), |address| address.to_string())
}

/// A URL that may be called is HTTPS, or this machine; and a browser, which reads URLs in another way, goes to the same
/// host and port.
pub fn provider_url(bytes: &[u8]) {
    let address = text(bytes);
    let allows = |allow_loopback_http| Settings { allow_loopback_http, ..Settings::default() }.allows(address);
    assert!(!allows(false) || allows(true), "allowing more forbids");
    if !allows(true) {
        return;
    }
    let uri: Uri = address.parse().expect("a URI");
    // What browsers refuse they go nowhere with: a name that is no IDN, for example.
    let Ok(browsers) = Url::parse(address) else { return };
    assert_eq!(uri.scheme_str(), Some(browsers.scheme()));
    assert_eq!(allows(false), browsers.scheme() == "https");
    assert_eq!(uri.host().map(canonical), browsers.host_str().map(canonical), "two readers, two hosts");
    let usual = if browsers.scheme() == "https" { 443 } else { 80 };
    assert_eq!(Some(uri.port_u16().unwrap_or(usual)), browsers.port_or_known_default(), "two readers, two ports");
    assert!(browsers.username().is_empty() && browsers.password().is_none() && browsers.fragment().is_none());
}
