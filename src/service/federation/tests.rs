//! A flow from its beginning to its end, in RAM.

use std::sync::Arc;

use super::come_back::ComeBackRequest;
use super::complete::{CompleteOAuthRequest, Completed};
use super::redeemer::RedeemRequest;
use super::start::{Beginner, StartOAuthRequest};
use super::testing::{FakeProvider, REDIRECT};
use crate::crypto::pkce;
use crate::domain::audit::AuditKind;
use crate::domain::identity::{ExternalIdentity, Identity, Issuer, ProvidedEmail, ProviderName, Subject};
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::testing::{World, email, origin};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn vouching(verified: bool) -> Arc<FakeProvider> {
    let provider = ProviderName::parse("idp").unwrap();
    let issuer = Issuer::parse("https://idp.example").unwrap();
    let identity = Identity { issuer, subject: Subject::parse("sub-1").unwrap() };
    let told = Some(ProvidedEmail { email: email("ada@example.org"), verified });
    let external = ExternalIdentity { provider, identity, email: told, display_name: Name::default() };
    let provider = FakeProvider::default();
    *provider.vouches_for.lock().unwrap() = Some(external);
    Arc::new(provider)
}

/// Begins and comes back: state and one-time code.
async fn visit(world: &World, provider: &Arc<FakeProvider>) -> (String, String) {
    let request = StartOAuthRequest {
        provider: "idp".to_owned(),
        redirect_uri: REDIRECT.to_owned(),
        challenge: pkce::challenge_of(VERIFIER).unwrap(),
    };
    let started = world.start_oauth(provider).run(request, Beginner::Caller, &origin(1)).await.unwrap();
    let back = ComeBackRequest {
        provider: "idp".to_owned(),
        state: started.state.to_string(),
        code: Some("theirs".to_owned().into()),
        issuer: None,
        browser: None,
    };
    let redirect = world.come_back().run(back, &origin(1)).await.unwrap();
    let code = redirect.strip_prefix(&format!("{REDIRECT}?code=")).unwrap().split('&').next().unwrap();
    (started.state.to_string(), code.to_owned())
}

async fn complete(world: &World, provider: &Arc<FakeProvider>, visit: &(String, String)) -> ServiceResult<Completed> {
    complete_from(world, provider, visit, 1).await
}

async fn complete_from(
    world: &World,
    provider: &Arc<FakeProvider>,
    (state, code): &(String, String),
    host: u8,
) -> ServiceResult<Completed> {
    let redeem =
        RedeemRequest { state: state.clone(), code: code.clone().into(), verifier: VERIFIER.to_owned().into() };
    let request = CompleteOAuthRequest { redeem, audience: String::new(), device_name: Name::default() };
    world.complete_oauth(provider).run(request, &origin(host)).await
}

#[tokio::test]
async fn the_provider_is_asked_with_what_the_browser_was_sent_with() {
    // promise O2
    let (world, provider) = (World::new().await, vouching(true));
    let visit = visit(&world, &provider).await;
    assert!(provider.grants.lock().unwrap().is_empty(), "not before the verifier has come");
    assert!(complete(&world, &provider, &visit).await.unwrap().is_new_user);
    let (code, verifier, nonce) = provider.grants.lock().unwrap().remove(0);
    assert_eq!(code, "theirs");
    assert!(pkce::challenge_of(&verifier).is_some() && verifier != nonce && verifier != VERIFIER);
}

#[tokio::test]
async fn an_audience_that_is_none_leaves_the_flow_usable() {
    let (world, provider) = (World::new().await, vouching(true));
    let (state, code) = visit(&world, &provider).await;
    let redeem =
        RedeemRequest { state: state.clone(), code: code.clone().into(), verifier: VERIFIER.to_owned().into() };
    let request = CompleteOAuthRequest { redeem, audience: "nobody".to_owned(), device_name: Name::default() };
    let refused = world.complete_oauth(&provider).run(request, &origin(1)).await.unwrap_err();
    assert!(matches!(refused, ServiceError::InvalidFields(_)));
    assert!(complete(&world, &provider, &(state, code)).await.is_ok());
}

#[tokio::test]
async fn a_refusal_is_told_once_and_ends_the_flow() {
    // promise G2
    let (world, provider) = (World::new().await, vouching(false));
    let visit = visit(&world, &provider).await;
    assert_eq!(complete(&world, &provider, &visit).await.unwrap_err(), ServiceError::ProviderEmailNotVerified);
    assert_eq!(complete(&world, &provider, &visit).await.unwrap_err(), ServiceError::OAuthStateInvalid);
    assert_eq!(world.told(AuditKind::LoginFailed), 2);
    assert_eq!(provider.grants.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_sign_in_from_a_new_source_is_mailed_as_after_a_password() {
    // promise E3
    let (world, provider) = (World::new().await, vouching(true));
    for (host, mails) in [(1, 0), (2, 1), (2, 1)] {
        let visit = visit(&world, &provider).await;
        complete_from(&world, &provider, &visit, host).await.unwrap();
        let told = world.store.mails().iter().filter(|mail| mail.kind == MailKind::NewSignIn).count();
        assert_eq!(told, mails, "{host}");
    }
}
