//! Takes the second factor from an account whose owner has lost it.

use std::sync::Arc;

use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::id::UserId;
use crate::domain::second_factor::{FactorChange, FactorEdit};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::second_factor::changer::{FactorChanged, FactorChanger};

/// Takes the second factor from an account, with its recovery codes. Every session ends.
pub struct ResetUserMfa {
    pub changer: Arc<FactorChanger>,
    pub clock: Arc<dyn Clock>,
}

impl ResetUserMfa {
    /// Allowed on oneself, as a required reset is: the caller's own session ends too.
    pub async fn run(&self, user: UserId, by: &Initiator) -> ServiceResult<()> {
        let context = by.context(self.clock.now());
        let change = FactorChange {
            user,
            seen_epoch: None,
            edit: FactorEdit::Remove,
            spared: None,
            opening: None,
            revocation_expires_at: self.changer.revocations_expire_at(context.at),
        };
        match self.changer.run(change, &context).await? {
            FactorChanged::Done(_) => Ok(()),
            FactorChanged::NotEnrolled => Err(ServiceError::MfaNotEnrolled),
            FactorChanged::UserChanged | FactorChanged::ChallengeGone => Err(ServiceError::UserUnknown),
        }
    }
}
