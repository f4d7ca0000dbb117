//! What the caller changes of their own second factor: their session goes on, every other one ends.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::caller::Caller;
use crate::domain::clock::Clock;
use crate::domain::origin::Origin;
use crate::domain::ports::Users;
use crate::domain::second_factor::{FactorChange, FactorEdit};
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::second_factor::changer::{FactorChanged, FactorChanger};

/// Changes the caller's own second factor.
pub struct FactorEdits {
    pub users: Arc<dyn Users>,
    pub changer: Arc<FactorChanger>,
    pub clock: Arc<dyn Clock>,
}

impl FactorEdits {
    /// The caller's account as it is now.
    pub async fn user(&self, caller: &Caller) -> ServiceResult<User> {
        self.users.find(owner(caller)?).await?.ok_or(ServiceError::BearerRequired)
    }

    /// Writes the edit, if the user is still as they were read and the caller's session has not ended.
    pub async fn apply(&self, user: &User, edit: FactorEdit, caller: &Caller, origin: &Origin) -> ServiceResult<()> {
        let context = caller.context(origin, self.clock.now());
        let change = FactorChange {
            user: user.id,
            seen_epoch: Some(user.epoch),
            edit,
            spared: Some(caller.session),
            opening: None,
            revocation_expires_at: self.changer.revocations_expire_at(context.at),
        };
        match self.changer.run(change, &context).await? {
            FactorChanged::Done(_) => Ok(()),
            FactorChanged::NotEnrolled => Err(ServiceError::MfaNotEnrolled),
            FactorChanged::UserChanged | FactorChanged::ChallengeGone => Err(ServiceError::ConcurrentChange),
        }
    }
}
