//! Draws the secret of a second factor for the caller. Nothing is stored before it is confirmed.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::caller::Caller;
use crate::domain::ports::Users;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::second_factor::enroller::{Enroller, Enrollment};

/// Draws the secret of a second factor for the caller.
pub struct BeginTotpEnrollment {
    pub users: Arc<dyn Users>,
    pub enroller: Arc<Enroller>,
}

impl BeginTotpEnrollment {
    /// Allowed to whoever has a second factor too: the new one takes its place once it is confirmed.
    pub async fn run(&self, caller: &Caller) -> ServiceResult<Enrollment> {
        let user = self.users.find(owner(caller)?).await?.ok_or(ServiceError::BearerRequired)?;
        self.enroller.begin(&user)
    }
}
