//! Public keys as they are published (RFC 7517).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::key_set::{KeyFault, KeySet, VerificationKey};

/// A key out of a published set: the members that matter, as text.
#[derive(Clone, Deserialize)]
pub struct Jwk {
    pub kid: Option<String>,
    pub kty: String,
    #[serde(rename = "use")]
    pub use_: Option<String>,
    pub alg: Option<String>,
    pub crv: Option<String>,
    pub x: Option<String>,
    pub y: Option<String>,
    pub n: Option<String>,
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
        if jwk.d.is_some() || jwk.use_.as_deref().is_some_and(|purpose| purpose != "sig") {
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
        let published: Published = serde_json::from_slice(json).map_err(|_| KeyFault)?;
        let mut set = Self::default();
        for value in published.keys {
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
