//! The claims of an access token, as they are written and as they are read: every one typed, none named twice.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::strict_json::{Name, Others, required, take_once};

/// The claims of an access token (RFC 9068, section 2.2). Times are seconds since the Unix epoch (NumericDate of RFC
/// 7519, section 2). All but `scope` are always there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Claims {
    /// Who made the token: `tokens.issuer` of the service (RFC 7519, section 4.1.1).
    pub iss: String,
    /// Whom it speaks of: the id of a user or of a service account (RFC 7519, section 4.1.2).
    pub sub: Uuid,
    /// Whom it is meant for, one at least (RFC 7519, section 4.1.3).
    pub aud: Vec<String>,
    /// Who asked for it (RFC 8693, section 4.3): a service account that acts for itself names itself here.
    pub client_id: String,
    /// From when on it is no good (RFC 7519, section 4.1.4).
    pub exp: i64,
    /// When it was made (RFC 7519, section 4.1.6).
    pub iat: i64,
    /// Before when it is no good yet (RFC 7519, section 4.1.5).
    pub nbf: i64,
    /// Its own id; no two tokens have the same (RFC 7519, section 4.1.7).
    pub jti: Uuid,
    /// Its session, which a logout ends with every token of it (OpenID Connect Front-Channel Logout 1.0, section 3).
    pub sid: Uuid,
    /// Its subject's epoch, which is raised when all that they hold is revoked: a token of an earlier one is no good. A
    /// claim of Keystead's own.
    pub epoch: i64,
    /// When its subject proved who they are; a refresh does not renew it (RFC 9068, section 2.2.1).
    pub auth_time: i64,
    /// How they proved it, in the words of RFC 8176: `pwd` (RFC 9068, section 2.2.1).
    pub amr: Vec<String>,
    /// The names of its subject's roles as of `iat` (RFC 9068, section 2.2.3.1).
    pub roles: Vec<String>,
    /// What it is limited to (RFC 8693, section 4.2), split at spaces; empty where nothing is said.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "join_at_spaces")]
    pub scope: Vec<String>,
}

impl Claims {
    /// Whether the token speaks of a client that acts for itself, not of a person (RFC 9068, section 2.2).
    #[must_use]
    pub fn names_a_client(&self) -> bool {
        self.client_id.parse() == Ok(self.sub)
    }

    /// `None` where a claim is missing or ill-typed, a member is named twice, or there is no audience.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

/// `scope` is one string (RFC 8693, section 4.2).
fn join_at_spaces<S: Serializer>(scope: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&scope.join(" "))
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ClaimsVisitor)
    }
}

#[derive(Default)]
struct Places {
    iss: Option<String>,
    sub: Option<Identifier>,
    aud: Option<Audience>,
    client_id: Option<String>,
    exp: Option<i64>,
    iat: Option<i64>,
    nbf: Option<i64>,
    jti: Option<Identifier>,
    sid: Option<Identifier>,
    epoch: Option<i64>,
    auth_time: Option<i64>,
    amr: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    scope: Option<String>,
}

struct ClaimsVisitor;

impl<'de> Visitor<'de> for ClaimsVisitor {
    type Value = Claims;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the claims of an access token")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let mut places = Places::default();
        let mut others = Others::default();
        while let Some(name) = map.next_key::<Name<'de>>()? {
            match name.0.as_ref() {
                "iss" => take_once(&mut places.iss, &mut map)?,
                "sub" => take_once(&mut places.sub, &mut map)?,
                "aud" => take_once(&mut places.aud, &mut map)?,
                "client_id" => take_once(&mut places.client_id, &mut map)?,
                "exp" => take_once(&mut places.exp, &mut map)?,
                "iat" => take_once(&mut places.iat, &mut map)?,
                "nbf" => take_once(&mut places.nbf, &mut map)?,
                "jti" => take_once(&mut places.jti, &mut map)?,
                "sid" => take_once(&mut places.sid, &mut map)?,
                "epoch" => take_once(&mut places.epoch, &mut map)?,
                "auth_time" => take_once(&mut places.auth_time, &mut map)?,
                "amr" => take_once(&mut places.amr, &mut map)?,
                "roles" => take_once(&mut places.roles, &mut map)?,
                "scope" => take_once(&mut places.scope, &mut map)?,
                _ => others.pass(name, &mut map)?,
            }
        }
        places.into_claims()
    }
}

impl Places {
    /// All but `scope` are required.
    fn into_claims<E: Error>(self) -> Result<Claims, E> {
        Ok(Claims {
            iss: required(self.iss, "iss")?,
            sub: required(self.sub, "sub")?.0,
            aud: required(self.aud, "aud")?.0,
            client_id: required(self.client_id, "client_id")?,
            exp: required(self.exp, "exp")?,
            iat: required(self.iat, "iat")?,
            nbf: required(self.nbf, "nbf")?,
            jti: required(self.jti, "jti")?.0,
            sid: required(self.sid, "sid")?.0,
            epoch: required(self.epoch, "epoch")?,
            auth_time: required(self.auth_time, "auth_time")?,
            amr: required(self.amr, "amr")?,
            roles: required(self.roles, "roles")?,
            scope: self.scope.map(|text| text.split_ascii_whitespace().map(String::from).collect()).unwrap_or_default(),
        })
    }
}

/// A UUID in its one canonical spelling (RFC 9562, section 4): hyphens, lower case, no braces.
struct Identifier(Uuid);

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Name(text) = Name::deserialize(deserializer)?;
        let uuid = Uuid::try_parse(&text).map_err(D::Error::custom)?;
        let mut canonical = Uuid::encode_buffer();
        if uuid.hyphenated().encode_lower(&mut canonical) != text.as_ref() {
            return Err(D::Error::custom("not in canonical form"));
        }
        Ok(Self(uuid))
    }
}

/// One audience or a list of them (RFC 7519, section 4.1.3), with no empty one and at least one.
struct Audience(Vec<String>);

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let audiences = deserializer.deserialize_any(AudienceVisitor)?;
        if audiences.is_empty() || audiences.iter().any(String::is_empty) {
            return Err(D::Error::custom("an audience is missing"));
        }
        Ok(Self(audiences))
    }
}

struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = Vec<String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or a list of strings")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Vec<String>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(items))
    }
}
