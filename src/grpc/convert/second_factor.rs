//! Second factors: challenges, codes, enrolments.

use super::time;
use super::violations::Violations;
use crate::domain::second_factor::{ChallengePurpose, TotpCode};
use crate::grpc::pb::{self, MfaMethod, complete_mfa_request};
use crate::service::account::confirm_totp_enrollment::ConfirmTotpEnrollmentRequest;
use crate::service::auth::begin_mfa_enrollment::BeginMfaEnrollmentRequest;
use crate::service::auth::complete_mfa::{CompleteMfaRequest, SecondFactorCode};
use crate::service::auth::confirm_mfa_enrollment::ConfirmMfaEnrollmentRequest;
use crate::service::auth::sign_in::Challenge;
use crate::service::error::ServiceResult;
use crate::service::second_factor::describer::FactorStanding;
use crate::service::second_factor::enroller::{Enrollment, RecoveryCodes};

/// What is no code of an authenticator is told as a fault of the message, and costs nothing.
pub fn complete(message: pb::CompleteMfaRequest) -> ServiceResult<CompleteMfaRequest> {
    let mut violations = Violations::default();
    let code = match message.code {
        Some(complete_mfa_request::Code::TotpCode(text)) => {
            violations.check("totp_code", TotpCode::parse(&text)).map(SecondFactorCode::Totp)
        }
        Some(complete_mfa_request::Code::RecoveryCode(text)) => Some(SecondFactorCode::Recovery(text)),
        None => {
            violations.add("code", "must be a code of the authenticator or a recovery code");
            None
        }
    };
    let challenge_token = message.challenge_token;
    violations.finish(code.map(|code| CompleteMfaRequest { challenge_token, code }))
}

pub fn begin_by_challenge(message: pb::BeginMfaEnrollmentRequest) -> BeginMfaEnrollmentRequest {
    BeginMfaEnrollmentRequest { challenge_token: message.challenge_token }
}

pub fn confirm_by_challenge(message: pb::ConfirmMfaEnrollmentRequest) -> ServiceResult<ConfirmMfaEnrollmentRequest> {
    let pb::ConfirmMfaEnrollmentRequest { challenge_token, enrollment_token, totp_code } = message;
    let code = totp_code_of(&totp_code)?;
    Ok(ConfirmMfaEnrollmentRequest { challenge_token, enrollment_token, code })
}

pub fn confirm(message: pb::ConfirmTotpEnrollmentRequest) -> ServiceResult<ConfirmTotpEnrollmentRequest> {
    let code = totp_code_of(&message.totp_code)?;
    Ok(ConfirmTotpEnrollmentRequest { enrollment_token: message.enrollment_token, code })
}

fn totp_code_of(text: &str) -> ServiceResult<TotpCode> {
    let mut violations = Violations::default();
    let code = violations.check("totp_code", TotpCode::parse(text));
    violations.finish(code)
}

pub fn challenge(challenge: &Challenge) -> pb::MfaChallenge {
    let methods: &[MfaMethod] = match challenge.purpose {
        ChallengePurpose::Completion => &[MfaMethod::Totp, MfaMethod::RecoveryCode],
        ChallengePurpose::Enrollment => &[MfaMethod::TotpEnrollment],
    };
    pb::MfaChallenge {
        challenge_token: challenge.token.to_string(),
        methods: methods.iter().map(|method| i32::from(*method)).collect(),
        expire_time: Some(time::timestamp(challenge.expires_at)),
    }
}

pub fn standing(standing: FactorStanding) -> pb::SecondFactor {
    let FactorStanding { enrolled, is_required } = standing;
    pb::SecondFactor {
        totp_enrolled: enrolled.is_some(),
        totp_enroll_time: enrolled.map(|factor| time::timestamp(factor.enrolled_at)),
        recovery_codes_left: enrolled.map_or(0, |factor| i32::try_from(factor.codes_left).unwrap_or(i32::MAX)),
        required: is_required,
    }
}

pub fn enrollment(enrollment: &Enrollment) -> pb::TotpEnrollment {
    pb::TotpEnrollment {
        enrollment_token: enrollment.token.to_string(),
        secret: enrollment.secret.to_string(),
        otpauth_uri: enrollment.otpauth_uri.to_string(),
        qr_code_png: enrollment.qr_code_png.to_vec(),
        expire_time: Some(time::timestamp(enrollment.expires_at)),
    }
}

pub fn recovery_codes(codes: &RecoveryCodes) -> Vec<String> {
    codes.iter().map(|code| code.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::error::ServiceError;

    #[test]
    fn what_is_no_code_is_a_fault_of_its_field() {
        use complete_mfa_request::Code;
        for (code, field) in [
            (Some(Code::TotpCode("12345".to_owned())), "totp_code"),
            (Some(Code::TotpCode("12345x".to_owned())), "totp_code"),
            (None, "code"),
        ] {
            let message = pb::CompleteMfaRequest { challenge_token: "ksmc_x".to_owned(), code };
            let Err(ServiceError::InvalidFields(violations)) = complete(message) else { panic!("{field} was taken") };
            assert_eq!(violations.len(), 1);
            assert_eq!(violations[0].field, field);
        }
    }
}
