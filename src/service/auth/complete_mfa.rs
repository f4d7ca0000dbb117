//! Completes a sign-in with its second factor: a code of the authenticator, or a recovery code.

use std::sync::Arc;

use super::challenge_reader::ChallengeReader;
use super::secret_guard::SecretGuard;
use super::session_opener::{Opening, Prepared, SessionOpener};
use super::token_set::TokenSet;
use crate::crypto::recovery_code;
use crate::crypto::totp::TotpSecret;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::origin::Origin;
use crate::domain::ports::second_factors::SecondFactors;
use crate::domain::second_factor::{
    COMPLETION, ChallengeHash, ChallengePurpose, Completion, CompletionOutcome, METHOD_MFA, METHOD_OTP, OpenChallenge,
    Proof, TotpCode, TotpFactor,
};
use crate::domain::throttle::AttemptKeys;
use crate::domain::user::User;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;
use crate::service::security_event;

/// Completes sign-ins.
pub struct CompleteMfa {
    pub factors: Arc<dyn SecondFactors>,
    pub reader: Arc<ChallengeReader>,
    pub guard: Arc<SecretGuard>,
    pub opener: Arc<SessionOpener>,
    pub keys: Arc<LiveKeys>,
    pub clock: Arc<dyn Clock>,
    /// Wrong codes in a row after which an authenticator's codes open nothing, until a recovery code does.
    pub max_failures: u32,
}

/// The challenge and what meets it.
pub struct CompleteMfaRequest {
    pub challenge_token: String,
    pub code: SecondFactorCode,
}

/// What shows the second factor.
pub enum SecondFactorCode {
    Totp(TotpCode),
    /// As it was typed.
    Recovery(String),
}

impl CompleteMfa {
    /// A code spends what a password spends: the two together have one budget.
    pub async fn run(&self, request: CompleteMfaRequest, origin: &Origin) -> ServiceResult<TokenSet> {
        let purpose = ChallengePurpose::Completion;
        let (hash, challenge) = self.reader.read(purpose, &request.challenge_token, origin).await?;
        let attempt = self.guard.admit_password(&challenge.user.email, origin).await?;
        let proof = match &request.code {
            SecondFactorCode::Totp(code) => {
                self.judge(&challenge.user, challenge.factor.as_ref(), *code, origin).await?
            }
            SecondFactorCode::Recovery(text) => recovery_code::parse(text).map_or(Proof::Wrong, Proof::RecoveryCode),
        };
        self.complete(hash, challenge, proof, attempt, origin).await
    }

    /// Which step of the authenticator the code is of; the store decides whether that is unused.
    async fn judge(
        &self,
        user: &User,
        factor: Option<&TotpFactor>,
        code: TotpCode,
        origin: &Origin,
    ) -> ServiceResult<Proof> {
        let Some(factor) = factor else { return Ok(Proof::Wrong) };
        if factor.failures >= self.max_failures {
            return Err(self.guard.refuse_capped(&user.email, origin).await);
        }
        let ring = self.keys.ring();
        let secret = TotpSecret::open(user.id, &factor.sealed, ring.factor()).map_err(|error| {
            tracing::error!(%error, user = %user.id, "a second factor could not be opened");
            ServiceError::Internal
        })?;
        let step = secret.step_of(code, self.clock.now(), factor.last_step);
        Ok(step.map_or(Proof::Wrong, |step| Proof::Totp { sealed: factor.sealed.clone(), step }))
    }

    async fn complete(
        &self,
        hash: ChallengeHash,
        challenge: OpenChallenge,
        proof: Proof,
        attempt: AttemptKeys,
        origin: &Origin,
    ) -> ServiceResult<TokenSet> {
        let OpenChallenge { user, mut methods, audience, device_name, factor: _ } = challenge;
        if matches!(proof, Proof::Totp { .. }) {
            methods.push(METHOD_OTP.to_owned());
        }
        methods.push(METHOD_MFA.to_owned());
        let is_recovery = matches!(proof, Proof::RecoveryCode(_));
        let opening = Opening { user: user.clone(), methods, audience, device_name, attempt, rehash: None };
        let Prepared { ring, new, context } = self.opener.prepare(opening, origin)?;
        let session = new.session.clone();
        let completion = Completion { challenge: hash, proof, session: new, max_failures: self.max_failures };
        match self.factors.complete(completion, &context).await? {
            CompletionOutcome::Completed { revocations } => {
                self.guard.forgive(&user.email, origin).await;
                if is_recovery {
                    let (kind, outcome) = (AuditKind::RecoveryCodeUsed, AuditOutcome::Success);
                    security_event::log(&security_event::event_of(kind, outcome, user.id, Some(session.id)), origin);
                }
                self.opener.hand_out(&ring, &session, &user, &revocations, origin).await
            }
            CompletionOutcome::WrongCode { is_last } => {
                if is_last {
                    let failed = security_event::event(AuditKind::ChallengeExhausted, AuditOutcome::Failure);
                    security_event::log(&AuditEvent { subject: Some(user.id.into()), ..failed }, origin);
                }
                refuse(&user, ServiceError::InvalidCode, origin)
            }
            CompletionOutcome::Gone => refuse(&user, ServiceError::InvalidToken, origin),
        }
    }
}

fn refuse<T>(user: &User, error: ServiceError, origin: &Origin) -> ServiceResult<T> {
    let failed = security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure);
    let (subject, detail) = (Some(user.id.into()), Some(COMPLETION.to_owned()));
    security_event::log(&AuditEvent { subject, detail, ..failed }, origin);
    Err(error)
}

#[cfg(test)]
mod tests;
