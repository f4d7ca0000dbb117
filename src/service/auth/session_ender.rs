//! Ends sessions: the one way of every call that does.

use std::sync::Arc;

use super::token_issuer::TokenIssuer;
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::id::UserId;
use crate::domain::ports::Sessions;
use crate::domain::session::EndScope;
use crate::service::error::ServiceResult;
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Ends sessions.
pub struct SessionEnder {
    pub sessions: Arc<dyn Sessions>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
}

impl SessionEnder {
    /// Ends those of the user's open sessions that the scope names, and has their access tokens refused from then on;
    /// how many those were.
    pub async fn end(&self, user: UserId, scope: EndScope, by: &Initiator) -> ServiceResult<usize> {
        let context = by.context(self.clock.now());
        let expire_at = self.issuer.revocations_expire_at(context.at);
        let revocations = self.sessions.end(user, scope, expire_at, &context).await?;
        self.revoker.tell(&revocations).await;
        security_event::log_all(&security_event::sessions_ended(user, by.actor, &revocations), &by.origin);
        Ok(revocations.len())
    }
}
