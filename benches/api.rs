//! Calls of the API, as clients make them.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, bail};
use keystead_client::{Builder, Credentials, KeysteadClient};
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use crate::keystead::{Installation, Keystead, PASSWORD};
use crate::pb::admin_service_client::AdminServiceClient;
use crate::pb::auth_service_client::AuthServiceClient;
use crate::pb::{
    CreateServiceAccountRequest, LoginRequest, LogoutRequest, RefreshRequest, RegisterRequest, TokenSet, TokenStatus,
    VerifyTokenRequest, VerifyTokenResponse, login_response,
};

/// `tokens.issuer`, where nothing is set.
const ISSUER: &str = "http://localhost:8080";

/// A connection of its own.
#[derive(Clone)]
pub struct Caller(AuthServiceClient<Channel>);

impl Caller {
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        Ok(Self(AuthServiceClient::new(channel(address).await?)))
    }

    pub async fn many(address: SocketAddr, count: usize) -> Result<Vec<Self>> {
        let mut callers = Vec::with_capacity(count);
        for _ in 0..count {
            callers.push(Self::connect(address).await?);
        }
        Ok(callers)
    }

    pub async fn register(&mut self, email: &str) -> Result<TokenSet> {
        let (email, password) = (email.to_owned(), PASSWORD.to_owned());
        let request = RegisterRequest { email, password, ..RegisterRequest::default() };
        self.0.register(request).await?.into_inner().token_set.context("tokens")
    }

    pub async fn log_in(&mut self, email: &str) -> Result<TokenSet, tonic::Status> {
        let (email, password) = (email.to_owned(), PASSWORD.to_owned());
        let answer = self.0.login(LoginRequest { email, password, ..LoginRequest::default() }).await?.into_inner();
        match answer.result {
            Some(login_response::Result::TokenSet(tokens)) => Ok(tokens),
            Some(login_response::Result::MfaChallenge(_)) | None => Err(tonic::Status::internal("no tokens")),
        }
    }

    pub async fn refresh(&mut self, refresh_token: String) -> Result<TokenSet> {
        self.0.refresh(RefreshRequest { refresh_token }).await?.into_inner().token_set.context("tokens")
    }

    pub async fn log_out(&mut self, refresh_token: String) -> Result<()> {
        self.0.logout(LogoutRequest { refresh_token, scope: 0 }).await?;
        Ok(())
    }

    pub async fn verify(&mut self, access_token: &str) -> Result<VerifyTokenResponse> {
        Ok(self.0.verify_token(question(access_token)).await?.into_inner())
    }

    pub async fn accepts(&mut self, access_token: &str) -> Result<bool> {
        Ok(self.verify(access_token).await?.status() == TokenStatus::Active)
    }
}

pub fn question(access_token: &str) -> VerifyTokenRequest {
    VerifyTokenRequest { access_token: access_token.to_owned(), ..VerifyTokenRequest::default() }
}

pub async fn channel(address: SocketAddr) -> Result<Channel> {
    Ok(Endpoint::from_shared(format!("http://{address}"))?.connect().await?)
}

/// So many people with a session each.
pub async fn register_all(keystead: &Keystead, count: usize) -> Result<Vec<TokenSet>> {
    register_all_from(keystead, 0, count).await
}

/// The same with other numbers in their addresses.
pub async fn register_all_from(keystead: &Keystead, first: usize, count: usize) -> Result<Vec<TokenSet>> {
    let mut caller = Caller::connect(keystead.grpc).await?;
    let mut sets = Vec::with_capacity(count);
    for number in first..first + count {
        sets.push(caller.register(&email(number)).await?);
    }
    Ok(sets)
}

pub fn email(number: usize) -> String {
    format!("user{number}@example.com")
}

/// Access tokens that nobody has seen yet, made by refreshing the sessions in turn.
pub async fn fresh_tokens(keystead: &Keystead, sessions: &mut [TokenSet], count: usize) -> Result<Vec<String>> {
    let mut caller = Caller::connect(keystead.grpc).await?;
    let mut tokens = Vec::with_capacity(count);
    let sessions_count = sessions.len();
    for number in 0..count {
        let session = &mut sessions[number % sessions_count];
        *session = caller.refresh(std::mem::take(&mut session.refresh_token)).await?;
        tokens.push(session.access_token.clone());
    }
    Ok(tokens)
}

/// What a client of the crate needs to follow the feed.
pub async fn service_account(installation: &Installation, keystead: &Keystead) -> Result<Credentials> {
    installation.create_administrator("root@example.com").await?;
    let admin = Caller::connect(keystead.grpc).await?.log_in("root@example.com").await?;
    let mut request = Request::new(CreateServiceAccountRequest {
        display_name: "bench".to_owned(),
        audiences: vec!["keystead".to_owned()],
        roles: vec!["verifier".to_owned()],
    });
    request.metadata_mut().insert("authorization", format!("Bearer {}", admin.access_token).parse()?);
    let mut client = AdminServiceClient::new(channel(keystead.grpc).await?);
    let created = client.create_service_account(request).await?.into_inner();
    Ok(Credentials::service_account(created.service_account.context("the account")?.id, created.secret))
}

/// A client of the crate that knows all there is.
pub async fn following(keystead: &Keystead, credentials: Credentials) -> Result<KeysteadClient> {
    let endpoint = Endpoint::from_shared(format!("http://{}", keystead.grpc))?;
    let builder: Builder = KeysteadClient::builder(endpoint, ISSUER, "keystead", credentials);
    let client = builder.start();
    if tokio::time::timeout(std::time::Duration::from_secs(10), client.ready()).await.is_err() {
        bail!("the client is not ready");
    }
    Ok(client)
}
