//! A client over the wire; every status that it sees is checked.

use std::net::SocketAddr;

use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use keystead::grpc::pb::token_service_client::TokenServiceClient;
use keystead::grpc::pb::{self, LogoutScope, TokenStatus};
use tonic::Response;
use tonic::transport::{Channel, Endpoint};

use super::failure::Failure;

/// What a call gives.
pub type Answer<T> = Result<T, Failure>;

/// A connection to one replica. Clones share it.
#[derive(Clone)]
pub struct Client {
    pub channel: Channel,
}

macro_rules! calls {
    ($($service:ident: $($name:ident($request:ident) -> $response:ident),+;)+) => {
        impl Client {
            $($(pub async fn $name(&self, request: pb::$request) -> Answer<pb::$response> {
                $service::new(self.channel.clone())
                    .$name(request)
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
        refresh(RefreshRequest) -> RefreshResponse,
        logout(LogoutRequest) -> LogoutResponse,
        verify_token(VerifyTokenRequest) -> VerifyTokenResponse,
        batch_verify_tokens(BatchVerifyTokensRequest) -> BatchVerifyTokensResponse,
        request_reset(RequestResetRequest) -> RequestResetResponse,
        confirm_reset(ConfirmResetRequest) -> ConfirmResetResponse,
        request_email_verification(RequestEmailVerificationRequest) -> RequestEmailVerificationResponse,
        confirm_email(ConfirmEmailRequest) -> ConfirmEmailResponse;
    TokenServiceClient:
        get_jwks(GetJwksRequest) -> GetJwksResponse;
}

/// The calls in the words of the tests.
impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
        Self { channel: endpoint.connect().await.expect("the replica accepts connections") }
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer<pb::TokenSet> {
        let request =
            pb::LoginRequest { email: email.to_owned(), password: password.to_owned(), ..pb::LoginRequest::default() };
        let response = self.login(request).await?;
        match response.result.expect("exactly one result") {
            pb::login_response::Result::TokenSet(tokens) => Ok(tokens),
        }
    }

    /// Logs in by a proxy that names where the call comes from, in its own words.
    pub async fn log_in_from(&self, source: &str, email: &str, password: &str) -> Answer<()> {
        let login =
            pb::LoginRequest { email: email.to_owned(), password: password.to_owned(), ..pb::LoginRequest::default() };
        let mut request = tonic::Request::new(login);
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
