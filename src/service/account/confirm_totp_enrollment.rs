//! Gives the caller's account the second factor that shows a right code, and recovery codes.

use std::sync::Arc;

use super::factor_edits::FactorEdits;
use crate::domain::caller::Caller;
use crate::domain::origin::Origin;
use crate::domain::second_factor::TotpCode;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::second_factor::enroller::{Enroller, RecoveryCodes};

/// Gives the caller's account a second factor.
pub struct ConfirmTotpEnrollment {
    pub edits: Arc<FactorEdits>,
    pub guard: Arc<SecretGuard>,
    pub enroller: Arc<Enroller>,
}

/// The enrolment, and a code of the new authenticator.
pub struct ConfirmTotpEnrollmentRequest {
    pub enrollment_token: String,
    pub code: TotpCode,
}

impl ConfirmTotpEnrollment {
    pub async fn run(
        &self,
        request: ConfirmTotpEnrollmentRequest,
        caller: &Caller,
        origin: &Origin,
    ) -> ServiceResult<RecoveryCodes> {
        self.guard.admit_source(origin).await?;
        let user = self.edits.user(caller).await?;
        if !user.email_verified {
            return Err(ServiceError::EmailNotVerified);
        }
        let (edit, codes) = self.enroller.confirm(&user, &request.enrollment_token, request.code)?;
        match self.edits.apply(&user, edit, caller, origin).await {
            // Somebody else's change has ended the enrolment with its epoch.
            Err(ServiceError::ConcurrentChange) => Err(ServiceError::InvalidToken),
            answer => answer.map(|()| codes),
        }
    }
}
