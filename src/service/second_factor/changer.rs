//! The one way in which a second factor is changed: written, made to count, and told.

use std::sync::Arc;

use crate::domain::clock::Timestamp;
use crate::domain::ports::AuditContext;
use crate::domain::ports::second_factors::SecondFactors;
use crate::domain::rights::sessions_ended;
use crate::domain::second_factor::{FactorChange, FactorOutcome};
use crate::domain::user::User;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::error::ServiceResult;
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Changes second factors.
pub struct FactorChanger {
    pub factors: Arc<dyn SecondFactors>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
}

/// What became of the change.
#[must_use]
#[derive(Clone, Debug)]
pub enum FactorChanged {
    /// The account as it now stands.
    Done(User),
    /// The account is gone, or no longer what was read.
    UserChanged,
    NotEnrolled,
    ChallengeGone,
}

impl FactorChanger {
    /// Until when what is revoked at `now` matters.
    pub fn revocations_expire_at(&self, now: Timestamp) -> Timestamp {
        self.issuer.revocations_expire_at(now)
    }

    pub async fn run(&self, change: FactorChange, context: &AuditContext) -> ServiceResult<FactorChanged> {
        let event = change.event(context);
        match self.factors.change(change, context).await? {
            FactorOutcome::Changed { user, revocations, ended } => {
                self.revoker.tell(&revocations).await;
                security_event::log(&event, &context.origin);
                security_event::log_all(&sessions_ended(user.id, &ended, context), &context.origin);
                let fallen_to_the_cap = security_event::sessions_ended(user.id, context.actor, &revocations);
                security_event::log_all(&fallen_to_the_cap, &context.origin);
                Ok(FactorChanged::Done(user))
            }
            FactorOutcome::UserChanged => Ok(FactorChanged::UserChanged),
            FactorOutcome::NotEnrolled => Ok(FactorChanged::NotEnrolled),
            FactorOutcome::ChallengeGone => Ok(FactorChanged::ChallengeGone),
        }
    }
}
