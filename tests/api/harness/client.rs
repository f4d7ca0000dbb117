//! A client over the wire; every status that it sees is checked.

use std::net::SocketAddr;

use keystead::grpc::pb::account_service_client::AccountServiceClient;
use keystead::grpc::pb::admin_service_client::AdminServiceClient;
use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use keystead::grpc::pb::token_service_client::TokenServiceClient;
use keystead::grpc::pb::{self, LogoutScope, TokenStatus};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response};

use super::failure::Failure;

/// What a call gives.
pub type Answer<T> = Result<T, Failure>;

/// A connection to one replica. Clones share it.
#[derive(Clone)]
pub struct Client {
    pub channel: Channel,
    /// The access token that its calls show, if any.
    bearer: Option<AsciiMetadataValue>,
}

macro_rules! calls {
    ($($service:ident: $($name:ident($request:ident) -> $response:ident),+;)+) => {
        impl Client {
            $($(pub async fn $name(&self, request: pb::$request) -> Answer<pb::$response> {
                $service::new(self.channel.clone())
                    .$name(self.shown(request))
                    .await
                    .map(Response::into_inner)
                    .map_err(Failure::checked)
            })+)+
        }
    };
}

calls! {
    AuthServiceClient:
        register(RegisterRequest) -> RegisterResponse,
        login(LoginRequest) -> LoginResponse,
        complete_mfa(CompleteMfaRequest) -> CompleteMfaResponse,
        begin_mfa_enrollment(BeginMfaEnrollmentRequest) -> BeginMfaEnrollmentResponse,
        confirm_mfa_enrollment(ConfirmMfaEnrollmentRequest) -> ConfirmMfaEnrollmentResponse,
        refresh(RefreshRequest) -> RefreshResponse,
        logout(LogoutRequest) -> LogoutResponse,
        verify_token(VerifyTokenRequest) -> VerifyTokenResponse,
        batch_verify_tokens(BatchVerifyTokensRequest) -> BatchVerifyTokensResponse,
        request_reset(RequestResetRequest) -> RequestResetResponse,
        confirm_reset(ConfirmResetRequest) -> ConfirmResetResponse,
        request_email_verification(RequestEmailVerificationRequest) -> RequestEmailVerificationResponse,
        confirm_email(ConfirmEmailRequest) -> ConfirmEmailResponse,
        confirm_email_change(ConfirmEmailChangeRequest) -> ConfirmEmailChangeResponse,
        start_o_auth(StartOAuthRequest) -> StartOAuthResponse,
        complete_o_auth(CompleteOAuthRequest) -> CompleteOAuthResponse;
    TokenServiceClient:
        get_jwks(GetJwksRequest) -> GetJwksResponse,
        issue_service_token(IssueServiceTokenRequest) -> IssueServiceTokenResponse,
        revoke_token(RevokeTokenRequest) -> RevokeTokenResponse;
    AccountServiceClient:
        get_me(GetMeRequest) -> GetMeResponse,
        update_me(UpdateMeRequest) -> UpdateMeResponse,
        change_password(ChangePasswordRequest) -> ChangePasswordResponse,
        change_email(ChangeEmailRequest) -> ChangeEmailResponse,
        begin_totp_enrollment(BeginTotpEnrollmentRequest) -> BeginTotpEnrollmentResponse,
        confirm_totp_enrollment(ConfirmTotpEnrollmentRequest) -> ConfirmTotpEnrollmentResponse,
        disable_totp(DisableTotpRequest) -> DisableTotpResponse,
        regenerate_recovery_codes(RegenerateRecoveryCodesRequest) -> RegenerateRecoveryCodesResponse,
        list_sessions(ListSessionsRequest) -> ListSessionsResponse,
        revoke_session(RevokeSessionRequest) -> RevokeSessionResponse,
        link_identity(LinkIdentityRequest) -> LinkIdentityResponse,
        complete_link_identity(CompleteLinkIdentityRequest) -> CompleteLinkIdentityResponse,
        list_identities(ListIdentitiesRequest) -> ListIdentitiesResponse,
        unlink_identity(UnlinkIdentityRequest) -> UnlinkIdentityResponse,
        delete_me(DeleteMeRequest) -> DeleteMeResponse;
    AdminServiceClient:
        create_user(CreateUserRequest) -> CreateUserResponse,
        get_user(GetUserRequest) -> GetUserResponse,
        list_users(ListUsersRequest) -> ListUsersResponse,
        update_user(UpdateUserRequest) -> UpdateUserResponse,
        delete_user(DeleteUserRequest) -> DeleteUserResponse,
        disable_user(DisableUserRequest) -> DisableUserResponse,
        enable_user(EnableUserRequest) -> EnableUserResponse,
        require_password_reset(RequirePasswordResetRequest) -> RequirePasswordResetResponse,
        reset_user_mfa(ResetUserMfaRequest) -> ResetUserMfaResponse,
        list_user_sessions(ListUserSessionsRequest) -> ListUserSessionsResponse,
        revoke_user_sessions(RevokeUserSessionsRequest) -> RevokeUserSessionsResponse,
        list_user_identities(ListUserIdentitiesRequest) -> ListUserIdentitiesResponse,
        unlink_user_identity(UnlinkUserIdentityRequest) -> UnlinkUserIdentityResponse,
        create_role(CreateRoleRequest) -> CreateRoleResponse,
        list_roles(ListRolesRequest) -> ListRolesResponse,
        delete_role(DeleteRoleRequest) -> DeleteRoleResponse,
        grant_role(GrantRoleRequest) -> GrantRoleResponse,
        revoke_role(RevokeRoleRequest) -> RevokeRoleResponse,
        create_service_account(CreateServiceAccountRequest) -> CreateServiceAccountResponse,
        list_service_accounts(ListServiceAccountsRequest) -> ListServiceAccountsResponse,
        rotate_service_account_secret(RotateServiceAccountSecretRequest) -> RotateServiceAccountSecretResponse,
        delete_service_account(DeleteServiceAccountRequest) -> DeleteServiceAccountResponse,
        list_signing_keys(ListSigningKeysRequest) -> ListSigningKeysResponse,
        rotate_signing_key(RotateSigningKeyRequest) -> RotateSigningKeyResponse,
        revoke_signing_key(RevokeSigningKeyRequest) -> RevokeSigningKeyResponse,
        list_audit_events(ListAuditEventsRequest) -> ListAuditEventsResponse;
}

/// The calls in the words of the tests.
impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
        Self::over(endpoint.connect().await.expect("the replica accepts connections"))
    }

    /// A client that shows no bearer.
    pub fn over(channel: Channel) -> Self {
        Self { channel, bearer: None }
    }

    /// The same connection, its calls showing an access token.
    pub fn bearing(&self, access_token: &str) -> Self {
        let bearer = format!("Bearer {access_token}").parse().expect("a header's value");
        Self { channel: self.channel.clone(), bearer: Some(bearer) }
    }

    /// The same bearer on another connection.
    pub fn on(&self, other: &Self) -> Self {
        Self { channel: other.channel.clone(), bearer: self.bearer.clone() }
    }

    /// A request as this client sends it.
    pub fn shown<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(bearer) = &self.bearer {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        request
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer<pb::TokenSet> {
        let request =
            pb::LoginRequest { email: email.to_owned(), password: password.to_owned(), ..pb::LoginRequest::default() };
        let response = self.login(request).await?;
        match response.result.expect("exactly one result") {
            pb::login_response::Result::TokenSet(tokens) => Ok(tokens),
            pb::login_response::Result::MfaChallenge(challenge) => {
                panic!("a second factor is asked for: {challenge:?}")
            }
        }
    }

    /// Logs in by a proxy that names where the call comes from, in its own words.
    pub async fn log_in_from(&self, source: &str, email: &str, password: &str) -> Answer<()> {
        let login =
            pb::LoginRequest { email: email.to_owned(), password: password.to_owned(), ..pb::LoginRequest::default() };
        let mut request = Request::new(login);
        request.metadata_mut().insert("x-forwarded-for", source.parse().expect("a header's value"));
        let response = AuthServiceClient::new(self.channel.clone()).login(request).await;
        response.map(|_| ()).map_err(Failure::checked)
    }

    pub async fn use_refresh_token(&self, refresh_token: &str) -> Answer<pb::TokenSet> {
        let response = self.refresh(pb::RefreshRequest { refresh_token: refresh_token.to_owned() }).await?;
        Ok(response.token_set.expect("tokens"))
    }

    pub async fn log_out(&self, refresh_token: &str, scope: LogoutScope) -> Answer<()> {
        let request = pb::LogoutRequest { refresh_token: refresh_token.to_owned(), scope: scope.into() };
        self.logout(request).await.map(|_| ())
    }

    /// The whole verdict on a token of which nothing special is expected.
    pub async fn verdict(&self, access_token: &str) -> Answer<pb::VerifyTokenResponse> {
        let access_token = access_token.to_owned();
        self.verify_token(pb::VerifyTokenRequest { access_token, ..pb::VerifyTokenRequest::default() }).await
    }

    /// The verdict's status alone.
    pub async fn status_of(&self, access_token: &str) -> TokenStatus {
        self.verdict(access_token).await.expect("a verdict").status()
    }

    pub async fn ask_for_reset(&self, email: &str) -> Answer<()> {
        self.request_reset(pb::RequestResetRequest { email: email.to_owned() }).await.map(|_| ())
    }

    pub async fn set_password(&self, reset_token: &str, new_password: &str) -> Answer<()> {
        let (reset_token, new_password) = (reset_token.to_owned(), new_password.to_owned());
        self.confirm_reset(pb::ConfirmResetRequest { reset_token, new_password }).await.map(|_| ())
    }

    pub async fn ask_for_verification(&self, email: &str) -> Answer<()> {
        let request = pb::RequestEmailVerificationRequest { email: email.to_owned() };
        self.request_email_verification(request).await.map(|_| ())
    }

    pub async fn verify_email(&self, token: &str) -> Answer<pb::User> {
        let response = self.confirm_email(pb::ConfirmEmailRequest { verification_token: token.to_owned() }).await?;
        Ok(response.user.expect("the account"))
    }
}
