//! Public keys as they are published (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::key_set::{KeyFault, KeySet, VerificationKey};

/// A key out of a published set: the members that matter, as text.
#[derive(Clone, Deserialize)]
pub struct Jwk {
    /// What tokens call it by (RFC 7517, section 4.5).
    pub kid: Option<String>,
    /// Its kind: `EC`, `OKP`, `RSA` (RFC 7517, section 4.1).
    pub kty: String,
    /// The member `use`, what it is for: `sig` where it is said at all (RFC 7517, section 4.2).
    #[serde(rename = "use")]
    pub use_: Option<String>,
    /// The one algorithm that it is used with (RFC 7517, section 4.4).
    pub alg: Option<String>,
    /// What may be done with it: `verify` among others (RFC 7517, section 4.3).
    pub key_ops: Option<Vec<String>>,
    /// Its curve: `P-256` (RFC 7518, section 6.2.1.1), `Ed25519` (RFC 8037, section 2).
    pub crv: Option<String>,
    /// A point's first coordinate, or all of an Ed25519 key, in base64url (RFC 7518, section 6.2.1.2; RFC
    /// 8037, section 2).
    pub x: Option<String>,
    /// A point's second coordinate, in base64url (RFC 7518, section 6.2.1.3).
    pub y: Option<String>,
    /// The modulus of RSA, in base64url (RFC 7518, section 6.3.1.1).
    pub n: Option<String>,
    /// The exponent of RSA, in base64url (RFC 7518, section 6.3.1.2).
    pub e: Option<String>,
    /// The private part of an asymmetric key: a key that shows it is nobody's any more.
    d: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<serde_json::Value>,
}

impl TryFrom<&Jwk> for VerificationKey {
    type Error = KeyFault;

    /// Takes P-256, Ed25519 and RSA keys that are meant for signatures by the algorithm of their kind.
    fn try_from(jwk: &Jwk) -> Result<Self, KeyFault> {
        let is_for_something_else = jwk.use_.as_deref().is_some_and(|purpose| purpose != "sig")
            || jwk.key_ops.as_ref().is_some_and(|operations| !operations.iter().any(|operation| operation == "verify"));
        if jwk.d.is_some() || is_for_something_else {
            return Err(KeyFault);
        }
        let key = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("EC", Some("P-256")) => Self::es256(&coordinate(jwk.x.as_deref())?, &coordinate(jwk.y.as_deref())?),
            ("OKP", Some("Ed25519")) => Self::ed_dsa(&coordinate(jwk.x.as_deref())?),
            ("RSA", None) => Self::rs256(&bytes(jwk.n.as_deref())?, &bytes(jwk.e.as_deref())?)?,
            _ => return Err(KeyFault),
        };
        match jwk.alg.as_deref() {
            Some(alg) if alg != key.algorithm().as_str() => Err(KeyFault),
            _ => Ok(key),
        }
    }
}

fn bytes(text: Option<&str>) -> Result<Vec<u8>, KeyFault> {
    URL_SAFE_NO_PAD.decode(text.ok_or(KeyFault)?).map_err(|_| KeyFault)
}

fn coordinate(text: Option<&str>) -> Result<[u8; 32], KeyFault> {
    bytes(text)?.try_into().map_err(|_| KeyFault)
}

impl KeySet {
    /// Reads a published set (RFC 7517, section 5). Keys of other kinds and uses, and those without an id, are passed
    /// over as the RFC has it; two usable keys under one id refuse the set, since nothing says which is meant.
    pub fn from_jwks(json: &[u8]) -> Result<Self, KeyFault> {
        // A list would be taken for the values of the members, here and below.
        if !json.trim_ascii_start().starts_with(b"{") {
            return Err(KeyFault);
        }
        let published: Published = serde_json::from_slice(json).map_err(|_| KeyFault)?;
        let mut set = Self::default();
        for value in published.keys.into_iter().filter(serde_json::Value::is_object) {
            let Ok(jwk) = serde_json::from_value::<Jwk>(value) else { continue };
            let (Ok(key), Some(kid)) = (VerificationKey::try_from(&jwk), jwk.kid) else { continue };
            if set.get(&kid).is_some() {
                return Err(KeyFault);
            }
            set.insert(kid, key);
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::key_set::Algorithm;

    /// The example of RFC 8037, appendix A.2.
    fn published() -> Value {
        json!({
            "kid": "k", "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        })
    }

    fn usable_keys(keys: &Value) -> Result<usize, KeyFault> {
        KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes()).map(|set| set.len())
    }

    #[test]
    fn a_published_key_is_found_by_its_id() {
        let set = KeySet::from_jwks(json!({ "keys": [published()] }).to_string().as_bytes()).unwrap();
        assert!(set.get("k").is_some() && set.get("l").is_none());
        assert!(!set.is_empty() && KeySet::default().is_empty());
        assert!(KeyFault.to_string().starts_with("not a public key"));
    }

    #[test]
    fn a_key_of_each_kind_is_read_and_is_for_its_own_algorithm() {
        // The first is the example of RFC 7517, appendix A.1.
        let (x, y) = ("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
        let modulus = URL_SAFE_NO_PAD.encode([[0x80].as_slice(), &[1; 255]].concat());
        for (key, algorithm) in [
            (json!({ "kid": "k", "kty": "EC", "crv": "P-256", "x": x, "y": y }), Algorithm::Es256),
            (json!({ "kid": "k", "kty": "RSA", "n": modulus, "e": "AQAB", "key_ops": ["verify"] }), Algorithm::Rs256),
            (published(), Algorithm::EdDsa),
        ] {
            let set = KeySet::from_jwks(json!({ "keys": [key] }).to_string().as_bytes()).unwrap();
            assert_eq!(set.get("k").map(VerificationKey::algorithm), Some(algorithm));
        }
    }

    #[test]
    fn keys_of_other_kinds_and_uses_are_passed_over() {
        for (name, value) in [
            ("kty", json!("oct")),
            ("kty", json!("EC")),
            ("crv", json!("Ed448")),
            ("crv", json!("P-256")),
            ("use", json!("enc")),
            ("alg", json!("HS256")),
            ("alg", json!("ES256")),
            ("key_ops", json!(["sign"])),
            ("d", json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")),
            ("x", json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ")),
            ("x", json!("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp")),
            ("kid", Value::Null),
        ] {
            let mut other = published();
            other[name] = value;
            assert_eq!(usable_keys(&json!([other])), Ok(0), "{other}");
            other["kid"] = json!("other");
            assert_eq!(
                usable_keys(&json!([published(), other])).unwrap_or(0),
                1 + usize::from(name == "kid"),
                "{other}"
            );
        }
    }

    #[test]
    fn lists_are_neither_keys_nor_sets() {
        let key = published();
        let absent = [Value::Null, Value::Null, Value::Null];
        let members = ["kid", "kty", "use", "alg"].map(|name| key[name].clone());
        let list: Vec<Value> =
            members.into_iter().chain([Value::Null, key["crv"].clone(), key["x"].clone()]).chain(absent).collect();
        assert_eq!(usable_keys(&json!([list, key])), Ok(1));
        assert!(KeySet::from_jwks(json!([[key]]).to_string().as_bytes()).is_err());
    }

    #[test]
    fn two_usable_keys_under_one_id_refuse_the_set() {
        assert_eq!(usable_keys(&json!([published(), published()])), Err(KeyFault));
    }

    #[test]
    fn short_and_odd_rsa_keys_are_no_keys() {
        let modulus = |length: usize| [[0x80].as_slice(), vec![1; length - 1].as_slice()].concat();
        assert!(VerificationKey::rs256(&modulus(256), &[1, 0, 1]).is_ok());
        assert!(VerificationKey::rs256(&modulus(255), &[1, 0, 1]).is_err());
        assert!(VerificationKey::rs256(&modulus(1025), &[1, 0, 1]).is_err());
        assert!(VerificationKey::rs256(&[&[0], modulus(256).as_slice()].concat(), &[1, 0, 1]).is_err());
        for exponent in [[].as_slice(), &[1], &[2], &[0, 3], &[1, 0, 0, 0, 1]] {
            assert!(VerificationKey::rs256(&modulus(256), exponent).is_err(), "{exponent:?}");
        }
    }
}
