//! Ends sessions; a token that opens nothing is as good as logged out (RFC 7009, section 2.2).
//!
//! Every token that this service has issued for a session ends that session, an old one too. Other sessions end only by
//! the live token, or by its predecessor within the grace window: whoever holds a token from long ago, which may be
//! stolen, ends its own session with it and no more, as with any replay.

use std::sync::Arc;

use super::presented_token::{AuthenticToken, TokenReader};
use super::secret_guard::SecretGuard;
use super::session_ender::SessionEnder;
use crate::domain::caller::Initiator;
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::domain::ports::Sessions;
use crate::domain::session::{EndScope, SessionLimits, Standing};
use crate::service::error::ServiceResult;
use crate::service::keys::live_keys::LiveKeys;

/// Ends sessions; a token that opens nothing is as good as logged out (RFC 7009, section 2.2).
pub struct Logout {
    reader: TokenReader,
    ender: Arc<SessionEnder>,
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
        ender: Arc<SessionEnder>,
        clock: Arc<dyn Clock>,
        limits: SessionLimits,
    ) -> Self {
        Self { reader: TokenReader { sessions, keys, guard }, ender, clock, limits }
    }

    pub async fn run(&self, request: LogoutRequest, origin: &Origin) -> ServiceResult<()> {
        let Some(token) = self.reader.read(&request.refresh_token, origin).await? else {
            return Ok(());
        };
        // One that has only expired still ends: its last access token may be alive.
        if token.owner.session.ended_at.is_some() {
            return Ok(());
        }
        let scope = if self.is_current(&token, self.clock.now()) { request.scope } else { LogoutScope::This };
        let scope = scope.of(token.owner.session.id);
        let by = Initiator { actor: None, origin: *origin };
        self.ender.end(token.owner.user.id, scope, &by).await.map(drop)
    }

    /// Whether the token would refresh.
    fn is_current(&self, token: &AuthenticToken, now: Timestamp) -> bool {
        let standing = token.owner.session.standing(token.generation, self.limits.grace, now);
        matches!(standing, Standing::Current | Standing::JustUsed)
    }
}

#[cfg(test)]
mod tests;
