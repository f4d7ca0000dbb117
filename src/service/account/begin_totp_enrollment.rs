//! Draws the secret of a second factor for the caller. Nothing is stored before it is confirmed.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::caller::Caller;
use crate::domain::origin::Origin;
use crate::domain::ports::Users;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::second_factor::enroller::{Enroller, Enrollment};

/// Draws the secret of a second factor for the caller.
pub struct BeginTotpEnrollment {
    pub users: Arc<dyn Users>,
    pub guard: Arc<SecretGuard>,
    pub enroller: Arc<Enroller>,
}

impl BeginTotpEnrollment {
    /// Allowed to whoever has a second factor too: the new one takes its place once it is confirmed. Not before the
    /// address is verified: whoever proves later that it is theirs, by a reset, would be asked for a stranger's code.
    pub async fn run(&self, caller: &Caller, origin: &Origin) -> ServiceResult<Enrollment> {
        self.guard.admit_source(origin).await?;
        let user = self.users.find(owner(caller)?).await?.ok_or(ServiceError::BearerRequired)?;
        if !user.email_verified {
            return Err(ServiceError::EmailNotVerified);
        }
        self.enroller.begin(&user)
    }
}
