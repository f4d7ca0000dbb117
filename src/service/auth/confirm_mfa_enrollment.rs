//! Confirms the enrolment that a sign-in waits for, and signs in.

use std::sync::Arc;

use super::challenge_reader::ChallengeReader;
use super::secret_guard::SecretGuard;
use super::session_opener::{Opening, Prepared, SessionOpener};
use super::token_set::TokenSet;
use crate::domain::origin::Origin;
use crate::domain::second_factor::{
    ChallengePurpose, FactorChange, METHOD_MFA, METHOD_OTP, OpenChallenge, OpeningByChallenge, TotpCode,
};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::second_factor::changer::{FactorChanged, FactorChanger};
use crate::service::second_factor::enroller::{Enroller, RecoveryCodes};

/// Confirms the enrolment that a sign-in waits for.
pub struct ConfirmMfaEnrollment {
    pub reader: Arc<ChallengeReader>,
    pub guard: Arc<SecretGuard>,
    pub enroller: Arc<Enroller>,
    pub changer: Arc<FactorChanger>,
    pub opener: Arc<SessionOpener>,
}

/// The challenge, the enrolment, and a code of the new authenticator.
pub struct ConfirmMfaEnrollmentRequest {
    pub challenge_token: String,
    pub enrollment_token: String,
    pub code: TotpCode,
}

impl ConfirmMfaEnrollment {
    pub async fn run(
        &self,
        request: ConfirmMfaEnrollmentRequest,
        origin: &Origin,
    ) -> ServiceResult<(TokenSet, RecoveryCodes)> {
        let purpose = ChallengePurpose::Enrollment;
        let (challenge, open) = self.reader.read(purpose, &request.challenge_token, origin).await?;
        self.guard.admit_source(origin).await?;
        let OpenChallenge { user, mut methods, audience, device_name, factor: _ } = open;
        let (edit, codes) = self.enroller.confirm(&user, &request.enrollment_token, request.code)?;
        methods.extend([METHOD_OTP, METHOD_MFA].map(str::to_owned));
        let attempt = self.guard.attempt_keys(&user.email, origin);
        let opening = Opening { user: user.clone(), methods, audience, device_name, attempt, rehash: None };
        let Prepared { ring, new, context } = self.opener.prepare(opening, origin)?;
        let session = new.session.clone();
        let change = FactorChange {
            user: user.id,
            seen_epoch: Some(user.epoch),
            edit,
            spared: None,
            opening: Some(OpeningByChallenge { challenge, session: new }),
            revocation_expires_at: self.changer.revocations_expire_at(context.at),
        };
        match self.changer.run(change, &context).await? {
            FactorChanged::Done(user) => {
                self.guard.forgive(&user.email, origin).await;
                let tokens = self.opener.hand_out(&ring, &session, &user, &[], origin).await?;
                Ok((tokens, codes))
            }
            FactorChanged::UserChanged | FactorChanged::NotEnrolled | FactorChanged::ChallengeGone => {
                Err(ServiceError::InvalidToken)
            }
        }
    }
}

#[cfg(test)]
mod tests;
