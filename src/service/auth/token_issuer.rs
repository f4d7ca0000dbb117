//! Signs access tokens, and hands them out together with the refresh token of their session.

use std::sync::Arc;
use std::time::Duration;

use keystead_verifier::Claims;
use uuid::Uuid;

use super::token_set::{ServiceToken, TokenSet};
use crate::crypto::key_ring::KeyRing;
use crate::domain::clock::{Clock, Entropy, Timestamp};
use crate::domain::id::SessionId;
use crate::domain::role::RoleName;
use crate::domain::service_account::ServiceAccount;
use crate::domain::session::Session;
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::token::settings::TokenSettings;

/// When to try again where a ring lacks the key that a session's row names.
const MISSING_KEY_RETRY_AFTER: Duration = Duration::from_secs(1);

/// Makes token sets.
pub struct TokenIssuer {
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub settings: TokenSettings,
}

impl TokenIssuer {
    /// The tokens of the session's live generation.
    pub fn issue(&self, ring: &KeyRing, session: &Session, user: &User) -> ServiceResult<TokenSet> {
        // A ring that lacks the key is older than the row: no verdict on the token.
        let refresh_key = ring
            .refresh_key(&session.refresh_key_id)
            .ok_or(ServiceError::DependencyUnavailable { retry_after: MISSING_KEY_RETRY_AFTER })?;
        let now = self.clock.now();
        let claims = self.claims(session, user, now);
        Ok(TokenSet {
            access_token: sign(ring, &claims)?,
            refresh_token: refresh_key.issue(session),
            access_token_expires_at: Timestamp::from_seconds(claims.exp),
            refresh_token_expires_at: session.refresh_expires_at(),
            session_id: session.id,
        })
    }

    /// An access token of a service account, with a session of its own, so that it can be revoked alone.
    pub fn issue_for_service(
        &self,
        ring: &KeyRing,
        account: &ServiceAccount,
        audience: Vec<String>,
    ) -> ServiceResult<ServiceToken> {
        let now = self.clock.now();
        let (issued_at, expires_at) = (now.as_seconds(), now.after(self.settings.access_lifetime).as_seconds());
        let session = SessionId::generate_at(now, self.entropy.as_ref());
        let claims = Claims {
            iss: self.settings.issuer.clone(),
            sub: account.id.as_uuid(),
            aud: audience,
            // The client acts for itself (RFC 9068, section 2.2).
            client_id: account.id.to_string(),
            exp: expires_at,
            iat: issued_at,
            nbf: issued_at,
            jti: self.token_id(),
            sid: session.as_uuid(),
            epoch: account.epoch.0,
            auth_time: issued_at,
            // The methods of RFC 8176 are those of people.
            amr: Vec::new(),
            roles: account.roles.iter().map(RoleName::to_string).collect(),
            scope: Vec::new(),
        };
        let access_token = sign(ring, &claims)?;
        Ok(ServiceToken { access_token, expires_at: Timestamp::from_seconds(expires_at), session })
    }

    /// The audiences of a sign-in that names `wanted`; empty means the default list.
    pub fn audience(&self, wanted: &str) -> ServiceResult<Vec<String>> {
        if wanted.is_empty() {
            return Ok(self.settings.default_audiences.clone());
        }
        if self.settings.audiences.iter().any(|known| known == wanted) {
            return Ok(vec![wanted.to_owned()]);
        }
        Err(ServiceError::invalid_field("audience", "must be one of the configured audiences"))
    }

    /// Until when a revocation matters that is written now, before tokens in flight have been signed.
    pub fn revocations_expire_at(&self, now: Timestamp) -> Timestamp {
        now.after(self.settings.reach())
    }

    /// Until when the revocation of this one token matters.
    pub fn revocation_expires_at(&self, claims: &Claims) -> Timestamp {
        Timestamp::from_seconds(claims.exp).after(2 * self.settings.leeway)
    }

    fn claims(&self, session: &Session, user: &User, now: Timestamp) -> Claims {
        let issued_at = now.as_seconds();
        // An access token never outlives its session.
        let expires_at = now.after(self.settings.access_lifetime).min(session.expires_at).as_seconds();
        Claims {
            iss: self.settings.issuer.clone(),
            sub: user.id.as_uuid(),
            aud: session.audience.clone(),
            client_id: self.settings.client_id.clone(),
            exp: expires_at,
            iat: issued_at,
            nbf: issued_at,
            jti: self.token_id(),
            sid: session.id.as_uuid(),
            epoch: user.epoch.0,
            auth_time: session.authenticated_at.as_seconds(),
            amr: session.methods.clone(),
            roles: user.roles.clone(),
            scope: Vec::new(),
        }
    }

    fn token_id(&self) -> Uuid {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        uuid::Builder::from_random_bytes(random).into_uuid()
    }
}

fn sign(ring: &KeyRing, claims: &Claims) -> ServiceResult<String> {
    ring.sign(claims).map_err(|error| {
        tracing::error!(%error, "an access token could not be signed");
        ServiceError::Internal
    })
}
