//! `keystead.v1.AuthService`: convert in, run, convert out.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::convert::{claims, credentials, identities, second_factor, tokens, user, verification};
use super::front::split;
use super::pb;
use super::pb::auth_service_server::AuthService;
use crate::service::auth::begin_mfa_enrollment::BeginMfaEnrollment;
use crate::service::auth::complete_mfa::CompleteMfa;
use crate::service::auth::confirm_email::ConfirmEmail;
use crate::service::auth::confirm_email_change::ConfirmEmailChange;
use crate::service::auth::confirm_mfa_enrollment::ConfirmMfaEnrollment;
use crate::service::auth::confirm_reset::ConfirmReset;
use crate::service::auth::login::Login;
use crate::service::auth::logout::Logout;
use crate::service::auth::refresh::Refresh;
use crate::service::auth::register::Register;
use crate::service::auth::request_email_verification::RequestEmailVerification;
use crate::service::auth::request_reset::RequestReset;
use crate::service::federation::complete::CompleteOAuth;
use crate::service::federation::start::{Beginner, StartOAuth};
use crate::service::token::verify::VerifyToken;

/// The use cases behind `AuthService`.
pub struct AuthApi {
    pub register: Arc<Register>,
    pub login: Arc<Login>,
    pub complete_mfa: CompleteMfa,
    pub begin_mfa_enrollment: BeginMfaEnrollment,
    pub confirm_mfa_enrollment: ConfirmMfaEnrollment,
    pub refresh: Arc<Refresh>,
    pub logout: Arc<Logout>,
    pub verify_token: Arc<VerifyToken>,
    pub request_reset: Arc<RequestReset>,
    pub confirm_reset: Arc<ConfirmReset>,
    pub request_email_verification: Arc<RequestEmailVerification>,
    pub confirm_email: Arc<ConfirmEmail>,
    pub confirm_email_change: ConfirmEmailChange,
    pub start_oauth: Arc<StartOAuth>,
    pub complete_oauth: CompleteOAuth,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AuthService for AuthApi {
    async fn register(&self, request: Request<pb::RegisterRequest>) -> Answer<pb::RegisterResponse> {
        let (origin, message) = split(request)?;
        let request = credentials::register(&message, self.register.policy)?;
        let registered = self.register.run(request, &origin).await?;
        Ok(Response::new(tokens::register_response(registered)))
    }

    async fn login(&self, request: Request<pb::LoginRequest>) -> Answer<pb::LoginResponse> {
        let (origin, message) = split(request)?;
        let signed_in = self.login.run(credentials::login(message)?, &origin).await?;
        Ok(Response::new(tokens::login_response(signed_in)))
    }

    async fn complete_mfa(&self, request: Request<pb::CompleteMfaRequest>) -> Answer<pb::CompleteMfaResponse> {
        let (origin, message) = split(request)?;
        let token_set = self.complete_mfa.run(second_factor::complete(message)?, &origin).await?;
        Ok(Response::new(pb::CompleteMfaResponse { token_set: Some(tokens::token_set(token_set)) }))
    }

    async fn begin_mfa_enrollment(
        &self,
        request: Request<pb::BeginMfaEnrollmentRequest>,
    ) -> Answer<pb::BeginMfaEnrollmentResponse> {
        let (origin, message) = split(request)?;
        let begun = self.begin_mfa_enrollment.run(second_factor::begin_by_challenge(message), &origin).await?;
        let enrollment = Some(second_factor::enrollment(&begun));
        Ok(Response::new(pb::BeginMfaEnrollmentResponse { enrollment }))
    }

    async fn confirm_mfa_enrollment(
        &self,
        request: Request<pb::ConfirmMfaEnrollmentRequest>,
    ) -> Answer<pb::ConfirmMfaEnrollmentResponse> {
        let (origin, message) = split(request)?;
        let request = second_factor::confirm_by_challenge(message)?;
        let (token_set, codes) = self.confirm_mfa_enrollment.run(request, &origin).await?;
        let (token_set, recovery_codes) = (Some(tokens::token_set(token_set)), second_factor::recovery_codes(&codes));
        Ok(Response::new(pb::ConfirmMfaEnrollmentResponse { token_set, recovery_codes }))
    }

    async fn refresh(&self, request: Request<pb::RefreshRequest>) -> Answer<pb::RefreshResponse> {
        let (origin, message) = split(request)?;
        let token_set = self.refresh.run(tokens::refresh(message), &origin).await?;
        Ok(Response::new(pb::RefreshResponse { token_set: Some(tokens::token_set(token_set)) }))
    }

    async fn logout(&self, request: Request<pb::LogoutRequest>) -> Answer<pb::LogoutResponse> {
        let (origin, message) = split(request)?;
        self.logout.run(tokens::logout(message)?, &origin).await?;
        Ok(Response::new(pb::LogoutResponse {}))
    }

    async fn verify_token(&self, request: Request<pb::VerifyTokenRequest>) -> Answer<pb::VerifyTokenResponse> {
        let verified = self.verify_token.run(&verification::verify(request.into_inner())?)?;
        Ok(Response::new(claims::verified(verified)))
    }

    async fn batch_verify_tokens(
        &self,
        request: Request<pb::BatchVerifyTokensRequest>,
    ) -> Answer<pb::BatchVerifyTokensResponse> {
        let verified = self.verify_token.run_batch(verification::verify_batch(request.into_inner())?).await?;
        let verdicts = verified.into_iter().map(claims::verified).collect();
        Ok(Response::new(pb::BatchVerifyTokensResponse { verdicts }))
    }

    async fn request_reset(&self, request: Request<pb::RequestResetRequest>) -> Answer<pb::RequestResetResponse> {
        let (origin, message) = split(request)?;
        self.request_reset.run(credentials::request_reset(&message)?, &origin).await?;
        Ok(Response::new(pb::RequestResetResponse {}))
    }

    async fn confirm_reset(&self, request: Request<pb::ConfirmResetRequest>) -> Answer<pb::ConfirmResetResponse> {
        let (origin, message) = split(request)?;
        self.confirm_reset.run(credentials::confirm_reset(message)?, &origin).await?;
        Ok(Response::new(pb::ConfirmResetResponse {}))
    }

    async fn request_email_verification(
        &self,
        request: Request<pb::RequestEmailVerificationRequest>,
    ) -> Answer<pb::RequestEmailVerificationResponse> {
        let (origin, message) = split(request)?;
        let request = credentials::request_email_verification(&message)?;
        self.request_email_verification.run(request, &origin).await?;
        Ok(Response::new(pb::RequestEmailVerificationResponse {}))
    }

    async fn confirm_email(&self, request: Request<pb::ConfirmEmailRequest>) -> Answer<pb::ConfirmEmailResponse> {
        let (origin, message) = split(request)?;
        let confirmed = self.confirm_email.run(credentials::confirm_email(message), &origin).await?;
        Ok(Response::new(pb::ConfirmEmailResponse { user: Some(user::user(confirmed)) }))
    }

    async fn confirm_email_change(
        &self,
        request: Request<pb::ConfirmEmailChangeRequest>,
    ) -> Answer<pb::ConfirmEmailChangeResponse> {
        let (origin, message) = split(request)?;
        let changed = self.confirm_email_change.run(credentials::confirm_email_change(message), &origin).await?;
        Ok(Response::new(pb::ConfirmEmailChangeResponse { user: Some(user::user(changed)) }))
    }

    async fn start_o_auth(&self, request: Request<pb::StartOAuthRequest>) -> Answer<pb::StartOAuthResponse> {
        let (origin, message) = split(request)?;
        let started = self.start_oauth.run(identities::start(message)?, Beginner::Caller, &origin).await?;
        Ok(Response::new(pb::StartOAuthResponse { flow: Some(identities::flow(&started)) }))
    }

    async fn complete_o_auth(&self, request: Request<pb::CompleteOAuthRequest>) -> Answer<pb::CompleteOAuthResponse> {
        let (origin, message) = split(request)?;
        let completed = self.complete_oauth.run(identities::complete(message)?, &origin).await?;
        Ok(Response::new(identities::completed(completed)))
    }
}
