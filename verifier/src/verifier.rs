//! The checks, in their order.

use std::sync::Arc;

use crate::claims::Claims;
use crate::compact::{self, MAX_TOKEN_BYTES};
use crate::header::Header;
use crate::key_set::{KeyFingerprint, KeySet};
use crate::revocation_index::RevocationIndex;
use crate::verdict::{Expectations, Verdict};
use crate::verified_tokens::{Remembered, VerifiedTokens, digest_of};

/// The most that clocks may differ, in seconds.
const MAX_LEEWAY: i64 = 5;

/// How Keystead's other tokens begin. None of them can be the beginning of a JWT.
const OTHER_KINDS: [&str; 11] =
    ["ksr_", "kspr_", "ksev_", "ksec_", "kss_", "ksmc_", "ksme_", "kste_", "ksos_", "ksoc_", "ksob_"];

/// Judges tokens of one issuer.
#[derive(Clone, Debug)]
pub struct Verifier {
    issuer: String,
    max_lifetime: i64,
    leeway: i64,
    verified: Option<Arc<VerifiedTokens>>,
}

/// A token that this issuer made and one of its keys signed. It is not yet said that it is alive, not revoked, or
/// meant for whom it was presented to: [`Verifier::judge`] says so, anew each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticToken {
    claims: Arc<Claims>,
    kid: String,
    signed_by: KeyFingerprint,
}

impl AuthenticToken {
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }
}

impl Verifier {
    /// `max_lifetime` and `leeway` are in seconds; a token that lives longer is refused though signed, and a leeway
    /// outside of 0 to 5 is taken to the nearer end.
    pub fn new(issuer: String, max_lifetime: i64, leeway: i64) -> Self {
        Self { issuer, max_lifetime, leeway: leeway.clamp(0, MAX_LEEWAY), verified: None }
    }

    /// Remembers the tokens that were good, in about so many bytes at most, and spares them the check of their
    /// signature: verdicts stay the same, and come sooner. Clones share what they remember.
    #[must_use]
    pub fn remembering(self, bytes: usize) -> Self {
        let verified = (bytes > 0).then(|| Arc::new(VerifiedTokens::new(bytes)));
        Self { verified, ..self }
    }

    /// What is remembered of tokens that were good; nothing where that is off.
    #[must_use]
    pub fn remembered(&self) -> Remembered {
        self.verified.as_deref().map(VerifiedTokens::read).unwrap_or_default()
    }

    /// Judges a token at `now`, in milliseconds since the Unix epoch.
    pub fn verify(
        &self,
        token: &str,
        keys: &KeySet,
        revocations: &RevocationIndex,
        expectations: &Expectations,
        now: i64,
    ) -> Verdict {
        // Too long a token is refused before anything is reckoned over it.
        let verified = self.verified.as_deref().filter(|_| token.len() <= MAX_TOKEN_BYTES);
        let Some(verified) = verified else {
            return match self.authenticate(token, keys) {
                Ok(token) => self.judge(&token, revocations, expectations, now),
                Err(verdict) => verdict,
            };
        };
        let digest = digest_of(token);
        // A key that has gone, or is another one of the same name, has signed nothing.
        if let Some(token) = verified.get(&digest).filter(|token| keys.has(&token.kid, &token.signed_by)) {
            return self.judge(&token, revocations, expectations, now);
        }
        let token = match self.authenticate(token, keys) {
            Ok(token) => Arc::new(token),
            Err(verdict) => return verdict,
        };
        let verdict = self.judge(&token, revocations, expectations, now);
        if matches!(verdict, Verdict::Active(_)) {
            verified.insert(digest, token);
        }
        verdict
    }

    /// The part of the judgement that time and revocations do not change; an error is never [`Verdict::Active`].
    pub fn authenticate(&self, token: &str, keys: &KeySet) -> Result<AuthenticToken, Verdict> {
        if OTHER_KINDS.iter().any(|prefix| token.starts_with(prefix)) {
            return Err(Verdict::WrongType);
        }
        let compact = compact::parse(token).ok_or(Verdict::Malformed)?;
        let header = Header::parse(&compact.header).ok_or(Verdict::Malformed)?;
        if !header.is_access_token() {
            return Err(Verdict::WrongType);
        }
        let claims = Claims::parse(&compact.payload).ok_or(Verdict::Malformed)?;
        if !self.lifetime_is_sound(&claims) {
            return Err(Verdict::Malformed);
        }
        let key = keys.get(&header.kid).ok_or(Verdict::UnknownKey)?;
        if header.alg != key.algorithm().as_str() || !key.verifies(compact.signed, &compact.signature) {
            return Err(Verdict::BadSignature);
        }
        if claims.iss != self.issuer {
            return Err(Verdict::WrongIssuer);
        }
        Ok(AuthenticToken { claims: Arc::new(claims), kid: header.kid, signed_by: *key.fingerprint() })
    }

    /// The rest of the judgement, at `now`, in milliseconds since the Unix epoch.
    pub fn judge(
        &self,
        token: &AuthenticToken,
        revocations: &RevocationIndex,
        expectations: &Expectations,
        now: i64,
    ) -> Verdict {
        let AuthenticToken { claims, kid, .. } = token;
        let seconds = now.div_euclid(1_000);
        if seconds >= claims.exp.saturating_add(self.leeway) {
            return Verdict::Expired;
        }
        if seconds.saturating_add(self.leeway) < claims.nbf.max(claims.iat) {
            return Verdict::NotYetValid;
        }
        if revocations.is_revoked(claims, kid) {
            return Verdict::Revoked;
        }
        if expectations.audience.as_ref().is_some_and(|audience| !claims.aud.contains(audience)) {
            return Verdict::WrongAudience;
        }
        if !expectations.roles.iter().all(|role| claims.roles.contains(role)) {
            return Verdict::InsufficientRole;
        }
        Verdict::Active(Arc::clone(claims))
    }

    #[cfg(test)]
    pub(crate) fn verified_tokens(&self) -> Option<&VerifiedTokens> {
        self.verified.as_deref()
    }

    fn lifetime_is_sound(&self, claims: &Claims) -> bool {
        claims.exp.checked_sub(claims.iat).is_some_and(|lifetime| (1..=self.max_lifetime).contains(&lifetime))
    }
}

#[cfg(test)]
mod tests;
