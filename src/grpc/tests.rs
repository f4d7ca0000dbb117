//! Calls over a socket, through the whole edge, to real use cases on the store in RAM.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ListServiceResponse, ServerReflectionRequest};
use tonic_types::StatusExt as _;

use super::auth_service::AuthApi;
use super::pb::auth_service_client::AuthServiceClient;
use super::pb::auth_service_server::AuthServiceServer;
use super::pb::{self, TokenStatus};
use super::{Needs, Server, Settings};
use crate::domain::trace::{Sampling, Traces};
use crate::service::auth::confirm_email::ConfirmEmail;
use crate::service::auth::confirm_email_change::ConfirmEmailChange;
use crate::service::auth::confirm_reset::ConfirmReset;
use crate::service::auth::login::Login;
use crate::service::auth::request_email_verification::RequestEmailVerification;
use crate::service::health::Health;
use crate::service::testing::World;

fn auth(world: &World) -> AuthApi {
    let (store, hasher) = (Arc::new(world.store.clone()), world.hasher());
    let (guard, clock) = (world.guard.clone(), world.clock.clone());
    let login = Login {
        users: store.clone(),
        audit: store.clone(),
        hasher: hasher.clone(),
        guard: guard.clone(),
        sign_in: world.finisher(),
        clock: clock.clone(),
        verified_only: false,
    };
    let confirm_reset = ConfirmReset {
        audit: store.clone(),
        tokens: store.clone(),
        hasher: hasher.clone(),
        guard: guard.clone(),
        issuer: world.issuer.clone(),
        revoker: world.revoker.clone(),
        clock: clock.clone(),
        policy: world.settings.passwords,
    };
    let verification = RequestEmailVerification { outbox: store.clone(), guard: guard.clone(), clock: clock.clone() };
    let provider = Arc::default();
    AuthApi {
        start_oauth: Arc::new(world.start_oauth(&provider)),
        complete_oauth: world.complete_oauth(&provider),
        register: Arc::new(world.register(&hasher)),
        login: Arc::new(login),
        complete_mfa: world.complete_mfa(),
        begin_mfa_enrollment: world.begin_mfa_enrollment(),
        confirm_mfa_enrollment: world.confirm_mfa_enrollment(),
        refresh: Arc::new(world.refresh()),
        logout: Arc::new(world.logout()),
        verify_token: Arc::new(world.verify()),
        request_reset: Arc::new(world.request_reset()),
        confirm_reset: Arc::new(confirm_reset),
        request_email_verification: Arc::new(verification),
        confirm_email_change: ConfirmEmailChange { changes: store.clone(), guard: guard.clone(), clock: clock.clone() },
        confirm_email: Arc::new(ConfirmEmail { tokens: store, guard, clock }),
    }
}

async fn start(world: &World) -> Channel {
    world.reader().run_once().await.unwrap();
    let health = Health { started: true, verifies: true, signs: true, clock: true, ..Health::default() };
    let needs = Needs {
        routes: Routes::new(AuthServiceServer::new(auth(world))),
        access: Arc::new(world.access()),
        health: watch::channel(health).1,
        clock: world.clock.clone(),
        entropy: world.entropy.clone(),
        traces: Arc::new(Traces::new(world.entropy.clone(), Sampling::Off)),
    };
    let settings = Settings { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Settings::default() };
    let bound = Server::bind(settings, needs).await.unwrap();
    let address = bound.local_addr().unwrap();
    tokio::spawn(bound.serve(CancellationToken::new()));
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

#[tokio::test]
async fn an_account_is_made_its_token_verified_and_its_session_refreshed_and_ended() {
    let mut client = AuthServiceClient::new(start(&World::new().await).await);
    let register = pb::RegisterRequest {
        email: "ada@example.com".to_owned(),
        password: "correct horse battery staple".to_owned(),
        ..Default::default()
    };
    let registered = client.register(register).await.expect("an account").into_inner();
    let tokens = registered.token_set.expect("tokens");
    let verify = pb::VerifyTokenRequest { access_token: tokens.access_token, ..Default::default() };
    let verdict = client.verify_token(verify.clone()).await.expect("a verdict").into_inner();
    assert_eq!(verdict.status(), TokenStatus::Active);
    assert_eq!(verdict.claims.expect("claims").0.sub.to_string(), registered.user.expect("a user").id);

    let refresh = pb::RefreshRequest { refresh_token: tokens.refresh_token };
    let next = client.refresh(refresh).await.expect("new tokens").into_inner().token_set.expect("tokens");
    let logout = pb::LogoutRequest { refresh_token: next.refresh_token.clone(), scope: 0 };
    client.logout(logout).await.expect("logged out");
    let gone = client.refresh(pb::RefreshRequest { refresh_token: next.refresh_token }).await.unwrap_err();
    assert_eq!(gone.code(), Code::Unauthenticated);
    let verdict = client.verify_token(verify).await.expect("a verdict").into_inner();
    assert_eq!(verdict.status(), TokenStatus::Revoked);
}

#[tokio::test]
async fn an_error_arrives_with_its_details() {
    let mut client = AuthServiceClient::new(start(&World::new().await).await);
    let status = client.login(pb::LoginRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    assert_eq!(details.error_info().expect("ErrorInfo").reason, "INVALID_FIELDS");
    assert_eq!(details.bad_request().expect("BadRequest").field_violations.len(), 2);
    assert_eq!(details.request_info().expect("RequestInfo").request_id.len(), 32);
}

#[tokio::test]
async fn health_is_told_by_service() {
    let mut client = HealthClient::new(start(&World::new().await).await);
    for (service, expected) in [("", 1), ("keystead.v1.TokenService", 1), ("keystead.v1.AuthService", 2)] {
        let request = HealthCheckRequest { service: service.to_owned() };
        assert_eq!(client.check(request).await.expect("a status").into_inner().status, expected, "{service}");
    }
    let request = HealthCheckRequest { service: "other".to_owned() };
    let status = client.check(request).await.unwrap_err();
    assert_eq!(status.get_error_details().error_info().expect("ErrorInfo").reason, "UNKNOWN_SERVICE");
}

#[tokio::test]
async fn reflection_lists_what_is_served() {
    let mut client = ServerReflectionClient::new(start(&World::new().await).await);
    let list = MessageRequest::ListServices(String::new());
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(list) };
    let mut answers = client.server_reflection_info(tokio_stream::once(request)).await.expect("a stream").into_inner();
    let answer = answers.message().await.expect("an answer").expect("one").message_response;
    let Some(MessageResponse::ListServicesResponse(ListServiceResponse { service })) = answer else {
        panic!("no list: {answer:?}");
    };
    let names: Vec<_> = service.iter().map(|service| service.name.as_str()).collect();
    for name in ["keystead.v1.AuthService", "keystead.v1.TokenService", "grpc.health.v1.Health"] {
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}
