//! The generated code of `keystead.v1`, and its descriptors.

#![expect(clippy::pedantic, clippy::allow_attributes, reason = "generated")]

use std::fmt;

tonic::include_proto!("keystead.v1");

/// What is used of `envoy.service.auth.v3`.
pub mod envoy {
    tonic::include_proto!("envoy.service.auth.v3");
}

/// The encoded descriptors of `keystead.v1` and of all that it imports, comments included.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/keystead_descriptor.bin"));

macro_rules! redacted {
    ($($message:ident),+ $(,)?) => {
        $(impl fmt::Debug for $message {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($message), "([redacted])"))
            }
        })+
    };
}

redacted!(
    RegisterRequest,
    LoginRequest,
    TokenSet,
    RefreshRequest,
    LogoutRequest,
    VerifyTokenRequest,
    RequestResetRequest,
    ConfirmResetRequest,
    RequestEmailVerificationRequest,
    ConfirmEmailRequest,
    ConfirmEmailChangeRequest,
    ChangePasswordRequest,
    ChangeEmailRequest,
    CreateUserRequest,
    UserImport,
    ExportedUser,
    UserFilter,
    CreateServiceAccountResponse,
    RotateServiceAccountSecretResponse,
    IssueServiceTokenRequest,
    IssueServiceTokenResponse,
    RevokeTokenRequest,
    CompleteMfaRequest,
    BeginMfaEnrollmentRequest,
    ConfirmMfaEnrollmentRequest,
    ConfirmMfaEnrollmentResponse,
    ConfirmTotpEnrollmentRequest,
    ConfirmTotpEnrollmentResponse,
    RegenerateRecoveryCodesResponse,
    MfaChallenge,
    TotpEnrollment,
    User,
    OAuthFlow,
    StartOAuthRequest,
    CompleteOAuthRequest,
    LinkIdentityRequest,
    CompleteLinkIdentityRequest,
    Identity,
);

#[cfg(test)]
mod tests {
    use super::*;

    // promise S1
    #[test]
    fn no_secret_and_no_address_shows_in_debug() {
        let secret = "canary".to_owned();
        let token_set = TokenSet { access_token: secret.clone(), refresh_token: secret.clone(), ..TokenSet::default() };
        let login = LoginRequest { email: secret.clone(), password: secret.clone(), ..LoginRequest::default() };
        let code = complete_mfa_request::Code::TotpCode(secret.clone());
        let complete = CompleteMfaRequest { challenge_token: secret.clone(), code: Some(code) };
        let challenge = MfaChallenge { challenge_token: secret.clone(), ..MfaChallenge::default() };
        let challenge = LoginResponse { result: Some(login_response::Result::MfaChallenge(challenge)) };
        let enrollment = TotpEnrollment { secret: secret.clone(), ..TotpEnrollment::default() };
        let enrollment = BeginTotpEnrollmentResponse { enrollment: Some(enrollment) };
        let codes = RegenerateRecoveryCodesResponse { recovery_codes: vec![secret.clone()] };
        let verify = VerifyTokenRequest { access_token: secret, ..VerifyTokenRequest::default() };
        let response = LoginResponse { result: Some(login_response::Result::TokenSet(token_set)) };
        let batch = BatchVerifyTokensRequest { requests: vec![verify] };
        let shown = format!("{login:?} {response:?} {batch:?} {complete:?} {challenge:?} {enrollment:?} {codes:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(shown.contains("LoginRequest([redacted])"), "{shown}");
    }
}
