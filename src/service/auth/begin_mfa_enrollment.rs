//! Begins the enrolment that a sign-in waits for: a role of the account asks for a second factor, and it has none.

use std::sync::Arc;

use super::challenge_reader::ChallengeReader;
use super::secret_guard::SecretGuard;
use crate::domain::origin::Origin;
use crate::domain::second_factor::ChallengePurpose;
use crate::service::error::ServiceResult;
use crate::service::second_factor::enroller::{Enroller, Enrollment};

/// Begins the enrolment that a sign-in waits for.
pub struct BeginMfaEnrollment {
    pub reader: Arc<ChallengeReader>,
    pub guard: Arc<SecretGuard>,
    pub enroller: Arc<Enroller>,
}

/// The challenge.
pub struct BeginMfaEnrollmentRequest {
    pub challenge_token: String,
}

impl BeginMfaEnrollment {
    pub async fn run(&self, request: BeginMfaEnrollmentRequest, origin: &Origin) -> ServiceResult<Enrollment> {
        let purpose = ChallengePurpose::Enrollment;
        let (_, challenge) = self.reader.read(purpose, &request.challenge_token, origin).await?;
        self.guard.admit_source(origin).await?;
        self.enroller.begin(&challenge.user)
    }
}
