//! Exchanges a refresh token for the new tokens of its session.
//!
//! A session that was opened before verified addresses were demanded goes on: the demand is on signing in. One that was
//! opened without a second factor does not, where a role of its user has come to ask for one. A successful
//! refresh is told to the log alone, a replay to the audit trail too, by the store, in the transaction that ends it.

use std::sync::Arc;

use super::presented_token::{AuthenticToken, TokenReader};
use super::secret_guard::SecretGuard;
use super::token_issuer::TokenIssuer;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::origin::Origin;
use crate::domain::ports::{AuditContext, Sessions};
use crate::domain::revocation::Revocation;
use crate::domain::session::{Rotation, RotationOutcome, SessionLimits, SessionOfUser, Standing};
use crate::domain::user::UserState;
use crate::service::auth::token_set::TokenSet;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;
use crate::service::second_factor::rule::FactorRule;
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// How often a refresh starts over with a user who changed under it.
const MAX_TRIES: u32 = 3;

/// Exchanges a refresh token for the new tokens of its session.
pub struct Refresh {
    sessions: Arc<dyn Sessions>,
    reader: TokenReader,
    keys: Arc<LiveKeys>,
    issuer: Arc<TokenIssuer>,
    revoker: Arc<Revoker>,
    clock: Arc<dyn Clock>,
    rules: RefreshRules,
}

/// What a session must be to go on.
pub struct RefreshRules {
    pub limits: SessionLimits,
    pub factor: FactorRule,
}

/// The refresh token, as it was presented.
pub struct RefreshRequest {
    pub refresh_token: String,
}

impl Refresh {
    pub fn new(
        sessions: Arc<dyn Sessions>,
        keys: Arc<LiveKeys>,
        guard: Arc<SecretGuard>,
        issuer: Arc<TokenIssuer>,
        revoker: Arc<Revoker>,
        clock: Arc<dyn Clock>,
        rules: RefreshRules,
    ) -> Self {
        let reader = TokenReader { sessions: Arc::clone(&sessions), keys: Arc::clone(&keys), guard };
        Self { sessions, reader, keys, issuer, revoker, clock, rules }
    }

    pub async fn run(&self, request: RefreshRequest, origin: &Origin) -> ServiceResult<TokenSet> {
        for _ in 0..MAX_TRIES {
            let token = self.reader.read(&request.refresh_token, origin).await?;
            let token = token.ok_or(ServiceError::InvalidToken)?;
            if token.owner.user.state != UserState::Active {
                return Err(ServiceError::InvalidToken);
            }
            if self.lacks_factor(&token) {
                return Err(ServiceError::MfaRequired);
            }
            // Before the token is used up: a ring too old to sign with must not cost the client its session.
            let ring = self.keys.signing_ring()?;
            let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
            match self.sessions.rotate(self.rotation(&token, &context), &context).await? {
                RotationOutcome::Rotated(session) | RotationOutcome::Repeated(session) => {
                    security_event::log_refreshed(&session, &token.owner.user, origin);
                    return self.issuer.issue(&ring, &session, &token.owner.user);
                }
                RotationOutcome::Replayed { revocation } => {
                    return self.refuse_replay(&token, revocation, origin).await;
                }
                RotationOutcome::Gone => return Err(ServiceError::InvalidToken),
                RotationOutcome::UserChanged => {}
            }
        }
        Err(ServiceError::ConcurrentChange)
    }

    fn rotation(&self, token: &AuthenticToken, context: &AuditContext) -> Rotation {
        Rotation {
            session_id: token.owner.session.id,
            user_id: token.owner.user.id,
            presented: token.generation,
            seen_epoch: token.owner.user.epoch,
            limits: self.rules.limits,
            revocation_expires_at: self.issuer.revocations_expire_at(context.at),
        }
    }

    /// Whether a role asks for a second factor that the session was opened without. Only a token that would have been
    /// good learns that: a replay ends its session as ever.
    fn lacks_factor(&self, token: &AuthenticToken) -> bool {
        let SessionOfUser { session, user } = &token.owner;
        let standing = session.standing(token.generation, self.rules.limits.grace, self.clock.now());
        matches!(standing, Standing::Current | Standing::JustUsed)
            && !self.rules.factor.lets_in(&user.roles, &session.methods)
    }

    async fn refuse_replay<T>(
        &self,
        token: &AuthenticToken,
        revocation: Revocation,
        origin: &Origin,
    ) -> ServiceResult<T> {
        self.revoker.tell(&[revocation]).await;
        let mut event = security_event::event(AuditKind::TokenReused, AuditOutcome::Failure);
        event.subject = Some(token.owner.user.id.into());
        event.session = Some(token.owner.session.id);
        security_event::log(&event, origin);
        Err(ServiceError::InvalidToken)
    }
}

#[cfg(test)]
mod tests;
