//! The header of an access token: `typ`, `alg` and `kid`, and nothing that would change what they mean.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::strict_json::{Name, Others, required, take_once};

/// The one media type of access tokens. RFC 9068, section 4, also lets `application/at+jwt` pass, and media types are
/// compared without regard to case; Keystead's tokens have one spelling alone, so that is the one taken.
const ACCESS_TOKEN: &str = "at+jwt";

/// Parameters that carry or name a key, or change how the token is read (RFC 7515, section 4.1; RFC 7516, section
/// 4.1; RFC 7797). Keystead writes none of them; whatever else is unknown is passed over (RFC 7515, section 4).
const FORBIDDEN: [&str; 10] = ["crit", "b64", "jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "zip", "enc"];

pub(crate) struct Header {
    typ: Option<String>,
    pub(crate) alg: String,
    pub(crate) kid: String,
}

impl Header {
    /// `None` where the header is malformed.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(crate) fn is_access_token(&self) -> bool {
        self.typ.as_deref() == Some(ACCESS_TOKEN)
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the header of an access token")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let (mut typ, mut alg, mut kid) = (None, None, None);
        let mut others = Others::default();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            match name.0.as_ref() {
                "typ" => take_once(&mut typ, &mut map)?,
                "alg" => take_once(&mut alg, &mut map)?,
                "kid" => take_once(&mut kid, &mut map)?,
                forbidden if FORBIDDEN.contains(&forbidden) => return Err(A::Error::custom("forbidden parameter")),
                _ => others.pass(name, &mut map)?,
            }
        }
        Ok(Header { typ, alg: required(alg, "alg")?, kid: required(kid, "kid")? })
    }
}
