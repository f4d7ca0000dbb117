//! A flow ends once, in time, for who began it, and where it was to end.

use std::time::Duration;

use serde_json::json;
use tonic::Code;

use super::Scene;
use crate::harness::federation::{IDP, Visit, challenge_of, new_verifier, redirected};
use crate::harness::provider::{REDIRECT, parameters};
use crate::harness::{Backend, Person, Setup, on_each_backend};

const INVALID: (Code, &str) = (Code::Unauthenticated, "OAUTH_STATE_INVALID");

// promise O5
async fn a_redirect_is_taken_byte_for_byte(backend: Backend) {
    let Scene { client, .. } = Scene::set(backend).await;
    for redirect in [
        "",
        "https://app.example.com",
        "https://app.example.com/signed-in/",
        "https://app.example.com/signed-in?a=b",
        "https://app.example.com/signed-in#",
        "https://app.example.com/Signed-in",
        "https://APP.example.com/signed-in",
        "HTTPS://app.example.com/signed-in",
        "https://app.example.com:443/signed-in",
        "https://app.example.com/signed-in/../signed-in",
        "https://app.example.com/signed%2Din",
        "https://app.example.com.evil.example/signed-in",
        "https://user@app.example.com/signed-in",
        " https://app.example.com/signed-in",
    ] {
        let failure = client.begin_at(IDP, redirect, &"A".repeat(43)).await.expect_err("a refusal");
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(failure.fields, ["redirect_uri"], "{redirect}");
    }
}

// promise O1
async fn of_many_who_end_a_flow_at_once_one_is_signed_in(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let visit = keystead.visit(&client, &provider).await;
    let attempts = (0..64).map(|_| client.end_visit(&visit));
    let outcomes = futures_util::future::join_all(attempts).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 63));
    for outcome in lost {
        outcome.expect_err("a loser").is(INVALID.0, INVALID.1);
    }
    let rows = keystead.rows().await;
    assert_eq!((rows.live_sessions().await, rows.events("session_created").await), (1, 1));
    assert_eq!(provider.times_asked("/token"), 1);
}

// promise O1
async fn a_code_is_useless_without_its_state_and_its_verifier(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let (one, other) = (keystead.visit(&client, &provider).await, keystead.visit(&client, &provider).await);
    for wrong in [
        Visit { verifier: new_verifier(), ..one.clone() },
        Visit { verifier: other.verifier.clone(), ..one.clone() },
        Visit { verifier: challenge_of(&one.verifier), ..one.clone() },
        Visit { verifier: String::new(), ..one.clone() },
        Visit { state: other.state.clone(), ..one.clone() },
        Visit { code: other.code.clone(), ..one.clone() },
        Visit { code: one.state.clone(), state: one.code.clone(), ..one.clone() },
        Visit { code: String::new(), ..one.clone() },
    ] {
        client.end_visit(&wrong).await.expect_err("a refusal").is(INVALID.0, INVALID.1);
    }
    assert_eq!(provider.times_asked("/token"), 0, "nobody's guess causes traffic");
    client.end_visit(&one).await.expect("tokens");
    client.end_visit(&other).await.expect("tokens");
    client.end_visit(&one).await.expect_err("used up").is(INVALID.0, INVALID.1);
}

// promise O1
async fn a_flow_takes_ten_minutes_and_its_code_one(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let late = keystead.visit(&client, &provider).await;
    let verifier = new_verifier();
    let flow = client.begin_at(IDP, REDIRECT, &challenge_of(&verifier)).await.expect("a flow");
    let callback = provider.consent(&flow.authorization_url);
    keystead.clock.advance(Duration::from_mins(1));
    client.end_visit(&late).await.expect_err("a minute later").is(INVALID.0, INVALID.1);
    keystead.clock.advance(Duration::from_mins(9));
    let answer = keystead.come_back(&callback, &[]).await;
    assert_eq!(answer.status, 400, "{answer:?}");
}

// promise O1
async fn a_browser_comes_back_once(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let flow = client.begin_at(IDP, REDIRECT, &challenge_of("x")).await.expect("a flow");
    let callback = provider.consent(&flow.authorization_url);
    assert_eq!(keystead.come_back(&callback, &[]).await.status, 303);
    let replayed = keystead.come_back(&callback, &[]).await;
    assert_eq!((replayed.status, replayed.header("location")), (400, None));
    assert_eq!(keystead.rows().await.events("authn_login_fail").await, 1);
}

async fn what_goes_wrong_at_the_provider_is_told_to_the_redirect_in_words_of_ours(backend: Backend) {
    let Scene { keystead, client, .. } = Scene::set(backend).await;
    let flow = client.begin_at(IDP, REDIRECT, &challenge_of("x")).await.expect("a flow");
    let callback =
        format!("/oauth/idp/callback?error=server_error&error_description=their+words&code=c&state={}", flow.state);
    let answer = keystead.come_back(&callback, &[]).await;
    assert_eq!(answer.status, 303);
    let (base, query) = answer.header("location").expect("a location").split_once('?').expect("a query");
    let given = parameters(query);
    assert_eq!((base, &*given["error"], &given["state"], given.len()), (REDIRECT, "access_denied", &flow.state, 2));
    assert_eq!(keystead.come_back(&callback, &[]).await.status, 400, "and the flow has ended");
}

async fn a_callback_that_is_nobodys_is_refused_without_a_redirect(backend: Backend) {
    let Scene { keystead, .. } = Scene::set(backend).await;
    for (path, status) in [
        ("/oauth/idp/callback", 400),
        ("/oauth/idp/callback?code=c&state=s", 400),
        (&format!("/oauth/idp/callback?code=c&state=ksos_{}", "A".repeat(43)), 400),
        ("/oauth/idp/callback?code=c&state=s&state=t", 400),
        ("/oauth/Nobody/callback?code=c&state=s", 404),
        ("/oauth/idp/start", 400),
        ("/oauth/idp/other", 404),
    ] {
        let answer = keystead.replica(0).get(path, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (status, None), "{path}");
        if status == 400 {
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        }
    }
}

// promise O1
async fn a_flow_that_a_browser_began_comes_back_in_that_browser_alone(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "ada@example.com", &json!(true));
    let verifier = new_verifier();
    let path = format!(
        "/oauth/idp/start?redirect_uri={REDIRECT}&code_challenge={}&code_challenge_method=S256",
        challenge_of(&verifier)
    );
    let started = keystead.replica(0).get(&path, &[]).await;
    assert_eq!(started.status, 303, "{started:?}");
    let cookie = started.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let callback = provider.consent(started.header("location").expect("a location"));
    let name = cookie.split('=').next().expect("a name");
    let other = keystead.replica(0).get(&path, &[]).await;
    let other = other.header("set-cookie").expect("a cookie").split(';').next().expect("a pair").to_owned();
    let stolen = format!("{name}={}", other.split_once('=').expect("a pair").1);
    for shown in [None, Some(&other), Some(&stolen), Some(&format!("{name}=")), Some(&format!("{cookie}; {cookie}"))] {
        let headers: Vec<_> = shown.iter().map(|cookie| ("cookie", cookie.as_str())).collect();
        let answer = keystead.come_back(&callback, &headers).await;
        assert_eq!((answer.status, answer.header("location")), (400, None), "{shown:?}");
    }
    let answer = keystead.come_back(&callback, &[("cookie", &cookie)]).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(answer.header("set-cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")));
    client.end_visit(&redirected(&answer, verifier)).await.expect("tokens");
}

// promise O4
async fn an_answer_is_taken_on_the_path_of_its_own_provider_alone(backend: Backend) {
    let other = crate::harness::provider::Provider::start().await;
    let scene = Scene::with(backend, |setup: Setup| setup.at_provider("other", "oidc", &other)).await;
    let flow = scene.client.begin_at(IDP, REDIRECT, &challenge_of("x")).await.expect("a flow");
    let callback = scene.provider.consent(&flow.authorization_url);
    assert!(callback.contains("/oauth/idp/callback"), "{callback}");
    let mixed_up = callback.replace("/oauth/idp/", "/oauth/other/");
    assert_eq!(scene.keystead.come_back(&mixed_up, &[]).await.status, 400);
    assert_eq!(scene.keystead.come_back(&callback, &[]).await.status, 303);
}

// promise O1
async fn a_link_ends_in_the_session_that_began_it_alone(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    provider.person("sub-1", "elsewhere@example.com", &json!(true));
    let (ada, eve) = (Person::new("ada"), Person::new("eve"));
    let (of_ada, of_eve) = (ada.register(&client).await.set, eve.register(&client).await.set);
    for person in [&ada, &eve] {
        let token = keystead.mailbox().verification_token(&person.email).await;
        client.verify_email(&token).await.expect("verified");
    }
    let again = ada.log_in(&client).await.expect("tokens");
    let bearer = client.bearing(&of_ada.access_token);
    let verifier = new_verifier();
    let flow = bearer.begin_link(&challenge_of(&verifier)).await.expect("a flow");
    let visit = keystead.finish_visit(&provider, &flow, verifier).await;
    client.end_visit(&visit).await.expect_err("no sign-in").is(INVALID.0, INVALID.1);
    for stranger in [&of_eve, &again] {
        let failure = client.bearing(&stranger.access_token).end_link(&visit).await.expect_err("another session");
        failure.is(INVALID.0, INVALID.1);
    }
    let identity = bearer.end_link(&visit).await.expect("linked");
    assert_eq!((&*identity.provider, &*identity.subject), (IDP, "sub-1"));
    let signed_in = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    let me = client.bearing(&signed_in.tokens.access_token).me().await.expect("the account");
    assert_eq!((me.email, signed_in.is_new_user), (ada.email, false));
    // And a sign-in's flow ends in no link.
    let visit = keystead.visit(&client, &provider).await;
    bearer.end_link(&visit).await.expect_err("no link").is(INVALID.0, INVALID.1);
}

// promise L1
async fn attempts_are_throttled_by_their_source(backend: Backend) {
    let scene = Scene::with(backend, |setup: Setup| {
        setup.with("limits.per_source_burst", "3").with("limits.per_source_period", "\"1h\"")
    })
    .await;
    let client = &scene.client;
    for _ in 0..3 {
        client.begin_at(IDP, REDIRECT, &"A".repeat(43)).await.expect("a flow");
    }
    let failure = client.begin_at(IDP, REDIRECT, &"A".repeat(43)).await.expect_err("a fourth");
    failure.is(Code::ResourceExhausted, "RATE_LIMITED");
    let path = format!(
        "/oauth/idp/start?redirect_uri={REDIRECT}&code_challenge={}&code_challenge_method=S256",
        "A".repeat(43)
    );
    for path in [&*path, "/oauth/idp/callback?code=c&state=s"] {
        let answer = scene.keystead.replica(0).get(path, &[]).await;
        assert_eq!(answer.status, 429, "one budget for both ports: {path}");
        assert!(answer.header("retry-after").is_some());
    }
}

on_each_backend!(
    a_redirect_is_taken_byte_for_byte,
    of_many_who_end_a_flow_at_once_one_is_signed_in,
    a_code_is_useless_without_its_state_and_its_verifier,
    a_flow_takes_ten_minutes_and_its_code_one,
    a_browser_comes_back_once,
    what_goes_wrong_at_the_provider_is_told_to_the_redirect_in_words_of_ours,
    a_callback_that_is_nobodys_is_refused_without_a_redirect,
    a_flow_that_a_browser_began_comes_back_in_that_browser_alone,
    an_answer_is_taken_on_the_path_of_its_own_provider_alone,
    a_link_ends_in_the_session_that_began_it_alone,
    attempts_are_throttled_by_their_source,
);
