//! Verifies Keystead's access tokens: claims, checks and the index of revocations.
//!
//! A pure crate: no I/O, no clock of its own, no background work. The server judges with it what it has issued, and
//! other services judge with the very same code in their own process.

use std::collections::HashMap;

use uuid::Uuid;

/// The claims of an access token (RFC 9068, section 2.2). Times are seconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub iss: String,
    pub sub: Uuid,
    pub aud: Vec<String>,
    pub client_id: String,
    pub exp: i64,
    pub iat: i64,
    pub nbf: i64,
    pub jti: Uuid,
    pub sid: Uuid,
    pub epoch: i64,
    pub auth_time: i64,
    pub amr: Vec<String>,
    pub roles: Vec<String>,
    /// Split at spaces; empty where there is none.
    pub scope: Vec<String>,
}

/// What is expected of a token beside its being good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// Must be in `aud`; `None` accepts every audience.
    pub audience: Option<String>,
    /// Must all be in `roles`.
    pub roles: Vec<String>,
}

/// What an access token is worth.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Active(Box<Claims>),
    Expired,
    NotYetValid,
    Revoked,
    BadSignature,
    UnknownKey,
    WrongAudience,
    WrongIssuer,
    WrongType,
    Malformed,
    InsufficientRole,
}

/// The keys that tokens are verified with, each with the one algorithm it is used for.
#[derive(Clone, Default)]
pub struct KeySet {
    pub keys: HashMap<String, ()>,
}

/// Judges tokens of one issuer.
#[derive(Clone, Debug)]
pub struct Verifier {}

impl Verifier {
    /// `max_lifetime` and `leeway` are in seconds; a token that lives longer is refused though signed.
    pub fn new(_issuer: String, _max_lifetime: i64, _leeway: i64) -> Self {
        todo!()
    }

    /// Judges a token at `now`, in milliseconds since the Unix epoch.
    pub fn verify(
        &self,
        _token: &str,
        _keys: &KeySet,
        _revocations: &RevocationIndex,
        _expectations: &Expectations,
        _now: i64,
    ) -> Verdict {
        todo!()
    }
}

/// The live revocations, in RAM; shared by readers and one writer. Times are milliseconds since the Unix epoch.
#[derive(Default)]
pub struct RevocationIndex {}

impl RevocationIndex {
    pub fn revoke_session(&self, _session: Uuid, _expires_at: i64) {
        todo!()
    }

    /// Refuses the user's tokens whose epoch is below `min_epoch`.
    pub fn revoke_user(&self, _user: Uuid, _min_epoch: i64, _expires_at: i64) {
        todo!()
    }

    pub fn revoke_key(&self, _kid: &str, _expires_at: i64) {
        todo!()
    }

    #[must_use]
    pub fn is_revoked(&self, _claims: &Claims, _kid: &str) -> bool {
        todo!()
    }

    /// Forgets what no longer matters at `now`.
    pub fn prune(&self, _now: i64) {
        todo!()
    }
}
