//! `VerifyToken`, as the service answers it.

use keystead_verifier::Change;
use tonic::{Request, Response, Status};

use super::{Expectations, FakeService, ISSUER, KeySet, RevocationIndex, TokenStatus, Verdict, Verifier, timestamp};
use crate::keys::key_set;
use crate::pb::auth_service_server::AuthService;
use crate::pb::{self, AccessTokenClaims, GetJwksResponse, VerifyTokenResponse};
use crate::statuses;

macro_rules! auth_service {
    ($($name:ident($request:ident) -> $response:ident),+ $(,)?) => {
        #[tonic::async_trait]
        impl AuthService for FakeService {
            async fn verify_token(
                &self,
                request: Request<pb::VerifyTokenRequest>,
            ) -> Result<Response<VerifyTokenResponse>, Status> {
                self.state.count(|counts| counts.verifications += 1);
                self.state.turn().await;
                self.state.answers()?;
                Ok(Response::new(self.verify(request.into_inner())))
            }

            $(async fn $name(&self, _: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                Err(Status::unimplemented("not in tests"))
            })+
        }
    };
}

auth_service!(
    register(RegisterRequest) -> RegisterResponse,
    login(LoginRequest) -> LoginResponse,
    complete_mfa(CompleteMfaRequest) -> CompleteMfaResponse,
    begin_mfa_enrollment(BeginMfaEnrollmentRequest) -> BeginMfaEnrollmentResponse,
    confirm_mfa_enrollment(ConfirmMfaEnrollmentRequest) -> ConfirmMfaEnrollmentResponse,
    refresh(RefreshRequest) -> RefreshResponse,
    logout(LogoutRequest) -> LogoutResponse,
    batch_verify_tokens(BatchVerifyTokensRequest) -> BatchVerifyTokensResponse,
    request_reset(RequestResetRequest) -> RequestResetResponse,
    confirm_reset(ConfirmResetRequest) -> ConfirmResetResponse,
    request_email_verification(RequestEmailVerificationRequest) -> RequestEmailVerificationResponse,
    confirm_email(ConfirmEmailRequest) -> ConfirmEmailResponse,
    confirm_email_change(ConfirmEmailChangeRequest) -> ConfirmEmailChangeResponse,
    start_o_auth(StartOAuthRequest) -> StartOAuthResponse,
    complete_o_auth(CompleteOAuthRequest) -> CompleteOAuthResponse,
);

impl FakeService {
    fn verify(&self, request: pb::VerifyTokenRequest) -> VerifyTokenResponse {
        let audience = Some(request.expected_audience).filter(|audience| !audience.is_empty());
        let expectations = Expectations { audience, roles: request.required_roles };
        let revocations = RevocationIndex::default();
        for revocation in self.state.revoked_after(0) {
            match revocations.revoke(&revocation) {
                Change::New | Change::Known => {}
            }
        }
        let published = GetJwksResponse { keys: self.state.published(), max_age: None };
        let keys: KeySet = key_set(&published).expect("the issuer's own keys");
        let verifier = Verifier::new(ISSUER.to_owned(), 3_600, 5);
        let verdict = verifier.verify(&request.access_token, &keys, &revocations, &expectations, self.clock.now());
        let (status, claims) = told(verdict);
        VerifyTokenResponse {
            status: status.into(),
            claims,
            cacheable_for: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
            revocation_state_time: Some(timestamp(self.clock.now())),
        }
    }
}

fn told(verdict: Verdict) -> (TokenStatus, Option<AccessTokenClaims>) {
    match verdict.into_result() {
        Ok(claims) => (TokenStatus::Active, Some(message(&claims))),
        Err(refusal) => (statuses::status(refusal), None),
    }
}

fn message(claims: &crate::Claims) -> AccessTokenClaims {
    let seconds = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    AccessTokenClaims {
        issuer: claims.iss.clone(),
        subject: claims.sub.to_string(),
        audiences: claims.aud.clone(),
        client_id: claims.client_id.clone(),
        expire_time: seconds(claims.exp),
        issue_time: seconds(claims.iat),
        not_before_time: seconds(claims.nbf),
        token_id: claims.jti.to_string(),
        session_id: claims.sid.to_string(),
        epoch: claims.epoch,
        authentication_time: seconds(claims.auth_time),
        authentication_methods: claims.amr.clone(),
        roles: claims.roles.clone(),
        scopes: claims.scope.clone(),
    }
}
