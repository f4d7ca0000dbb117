//! Ends sessions; a token that opens nothing is as good as logged out (RFC 7009, section 2.2).
//!
//! Every token that this service has issued for a session ends that session, an old one too. Other sessions end only by
//! the live token, or by its predecessor within the grace window: whoever holds a token from long ago, which may be
//! stolen, ends its own session with it and no more, as with any replay.

use std::sync::Arc;

use super::presented_token::{AuthenticToken, TokenReader};
use super::secret_guard::SecretGuard;
use super::token_issuer::TokenIssuer;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::domain::ports::{AuditContext, Sessions};
use crate::domain::session::{EndScope, SessionLimits, Standing};
use crate::service::error::ServiceResult;
use crate::service::keys::live_keys::LiveKeys;
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Ends sessions; a token that opens nothing is as good as logged out (RFC 7009, section 2.2).
pub struct Logout {
    sessions: Arc<dyn Sessions>,
    reader: TokenReader,
    issuer: Arc<TokenIssuer>,
    revoker: Arc<Revoker>,
    clock: Arc<dyn Clock>,
    limits: SessionLimits,
}

/// The refresh token of the session that asks, and which sessions end.
pub struct LogoutRequest {
    pub refresh_token: String,
    pub scope: LogoutScope,
}

/// Which sessions end, seen from the one that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoutScope {
    This,
    Others,
    All,
}

impl LogoutScope {
    fn of(self, session: SessionId) -> EndScope {
        match self {
            Self::This => EndScope::This(session),
            Self::Others => EndScope::Others(session),
            Self::All => EndScope::All,
        }
    }
}

impl Logout {
    pub fn new(
        sessions: Arc<dyn Sessions>,
        keys: Arc<LiveKeys>,
        guard: Arc<SecretGuard>,
        issuer: Arc<TokenIssuer>,
        revoker: Arc<Revoker>,
        clock: Arc<dyn Clock>,
        limits: SessionLimits,
    ) -> Self {
        let reader = TokenReader { sessions: Arc::clone(&sessions), keys, guard };
        Self { sessions, reader, issuer, revoker, clock, limits }
    }

    pub async fn run(&self, request: LogoutRequest, origin: &Origin) -> ServiceResult<()> {
        let Some(token) = self.reader.read(&request.refresh_token, origin).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        // One that has only expired still ends: its last access token may be alive.
        if token.owner.session.ended_at.is_some() {
            return Ok(());
        }
        let scope = if self.is_current(&token, now) { request.scope } else { LogoutScope::This };
        let user = token.owner.user.id;
        let scope = scope.of(token.owner.session.id);
        let expire_at = self.issuer.revocations_expire_at(now);
        let context = AuditContext { at: now, origin: *origin, actor: None };
        let revocations = self.sessions.end(user, scope, expire_at, &context).await?;
        self.revoker.tell(&revocations).await;
        security_event::log_all(&security_event::sessions_ended(user, &revocations), origin);
        Ok(())
    }

    /// Whether the token would refresh.
    fn is_current(&self, token: &AuthenticToken, now: Timestamp) -> bool {
        let standing = token.owner.session.standing(token.generation, self.limits.grace, now);
        matches!(standing, Standing::Current | Standing::JustUsed)
    }
}

#[cfg(test)]
mod tests;
