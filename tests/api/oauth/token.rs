//! `/oauth2/token`: both grants, how clients authenticate, and every error.

use keystead::grpc::pb::TokenStatus;
use serde_json::json;
use tonic::Code;

use super::{impostor, setup, start};
use crate::harness::oauth::As;
use crate::harness::token::Jwt;
use crate::harness::{Backend, Keystead, Machine, Person, Setup, on_each_backend};

const CLIENT_CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");
const REFRESH: (&str, &str) = ("grant_type", "refresh_token");

// promises H1, R2, R3
async fn a_refresh_token_becomes_its_successor_and_a_replay_ends_the_session(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let (client, oauth) = (keystead.client().await, keystead.oauth());
    let first = Person::new("ada").register(&client).await.set;
    let second = oauth.refresh(&first.refresh_token).await;
    assert_eq!(second.text("token_type"), "Bearer");
    let lifetime = second.json["expires_in"].as_u64().expect("seconds");
    assert!((590..=600).contains(&lifetime), "{second:?}");
    assert_eq!(client.status_of(second.text("access_token")).await, TokenStatus::Active);
    // By the other protocol the session goes on where it was.
    let third = client.use_refresh_token(second.text("refresh_token")).await.expect("a successor");
    let named = [REFRESH, ("refresh_token", &third.refresh_token), ("client_id", "keystead")];
    let fourth = oauth.token(As::Nobody, &named).await;
    assert_eq!(Jwt::parse(fourth.text("access_token")).claims["client_id"], "keystead");
    oauth.refresh(&first.refresh_token).await.is(400, "invalid_grant");
    assert_eq!(client.status_of(fourth.text("access_token")).await, TokenStatus::Revoked);
    oauth.refresh(fourth.text("refresh_token")).await.is(400, "invalid_grant");
}

// promise H1
async fn a_refresh_token_in_the_name_of_another_client_is_refused_and_costs_nothing(backend: Backend) {
    let (keystead, client, admin) = setup(backend).await;
    let oauth = keystead.oauth();
    let machine = Machine::create(&admin, &[]).await;
    let set = Person::new("ada").register(&client).await.set;
    let form = [REFRESH, ("refresh_token", set.refresh_token.as_str())];
    for client in [As::Basic(&machine), As::Post(&machine)] {
        oauth.token(client, &form).await.is(400, "invalid_grant");
    }
    for id in ["moon", &machine.id] {
        let named = [&form[..], &[("client_id", id)]].concat();
        oauth.token(As::Nobody, &named).await.is(401, "invalid_client");
    }
    oauth.token(As::Basic(&impostor(&machine)), &form).await.is(401, "invalid_client");
    oauth.token(As::Nobody, &[&form[..], &[("scope", "all")]].concat()).await.is(400, "invalid_scope");
    oauth.token(As::Nobody, &[&form[..], &[("audience", "shop")]].concat()).await.is(400, "invalid_target");
    // A parameter without a value is as good as not sent.
    let successor = oauth.token(As::Nobody, &[&form[..], &[("scope", ""), ("client_id", "")]].concat()).await;
    assert_eq!(client.status_of(successor.text("access_token")).await, TokenStatus::Active);
}

// promises H1, T6
async fn whatever_is_no_refresh_token_of_this_service_is_an_invalid_grant(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let (client, oauth) = (keystead.client().await, keystead.oauth());
    let set = Person::new("ada").register(&client).await.set;
    let forged = format!("{}A", set.refresh_token);
    for token in [&set.access_token, &forged, &set.refresh_token[1..], "ksr_", "null"] {
        oauth.refresh(token).await.is(400, "invalid_grant");
    }
    oauth.refresh("").await.is(400, "invalid_request");
    assert_eq!(oauth.refresh(&set.refresh_token).await.status, 200);
}

// promise H1
async fn a_secret_becomes_a_token_of_the_service_account(backend: Backend) {
    let (keystead, client, admin) = setup(backend).await;
    let oauth = keystead.oauth();
    let machine = Machine::create_for(&admin, &["verifier"], &["keystead", "shop"]).await;
    for (form, audiences) in [
        (&[CLIENT_CREDENTIALS][..], json!(["keystead", "shop"])),
        (&[CLIENT_CREDENTIALS, ("audience", "shop")], json!(["shop"])),
        (&[CLIENT_CREDENTIALS, ("resource", "shop")], json!(["shop"])),
        (&[CLIENT_CREDENTIALS, ("resource", "shop"), ("audience", "shop"), ("unknown", "x")], json!(["shop"])),
    ] {
        for way in [As::Basic(&machine), As::Post(&machine)] {
            let answer = oauth.token(way, form).await;
            let claims = Jwt::parse(answer.text("access_token")).claims;
            assert_eq!((&claims["sub"], &claims["aud"]), (&json!(machine.id), &audiences), "{form:?}");
            assert_eq!(claims["client_id"], claims["sub"]);
            assert_eq!(client.status_of(answer.text("access_token")).await, TokenStatus::Active);
            assert!(answer.json.get("refresh_token").is_none() && answer.json.get("scope").is_none(), "{answer:?}");
            assert_eq!(answer.text("token_type"), "Bearer");
        }
    }
}

// promises H1, L6
async fn every_fault_of_a_client_has_its_error(backend: Backend) {
    let (keystead, client, admin) = setup(backend).await;
    let oauth = keystead.oauth();
    let machine = Machine::create(&admin, &[]).await;
    let person = Person::new("ada").register(&client).await;
    let named = |id: &str, secret: &str| Machine { id: id.to_owned(), secret: secret.to_owned() };
    let mut told = std::collections::BTreeSet::new();
    for wrong in [
        impostor(&machine),
        named(&person.user.id, &machine.secret),
        named("0190163d-8694-739b-aea5-966c26f8ad91", &machine.secret),
        named("no id", &machine.secret),
        named("keystead", "x"),
        named(&machine.id, &format!("{} ", machine.secret)),
        named(&machine.id, &person.set.refresh_token),
    ] {
        for way in [As::Basic(&wrong), As::Post(&wrong)] {
            let refused = oauth.token(way, &[CLIENT_CREDENTIALS]).await;
            refused.is(401, "invalid_client");
            assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"keystead\", charset=\"UTF-8\""));
            told.insert(format!("{:?} {}", refused.lasting_headers(), refused.json));
        }
    }
    assert_eq!(told.len(), 1, "one answer: {told:?}");
    for nobody in [&[][..], &[("client_id", "keystead")], &[("client_id", &machine.id)]] {
        let form = [&[CLIENT_CREDENTIALS][..], nobody].concat();
        oauth.token(As::Nobody, &form).await.is(401, "invalid_client");
    }
    oauth.token(As::Bearer(&person.set.access_token), &[CLIENT_CREDENTIALS]).await.is(401, "invalid_client");
    for (form, status, code) in [
        (&[][..], 400, "invalid_request"),
        (&[("grant_type", "password")], 400, "unsupported_grant_type"),
        (&[CLIENT_CREDENTIALS, ("scope", "all")], 400, "invalid_scope"),
        (&[CLIENT_CREDENTIALS, ("audience", "moon")], 400, "invalid_target"),
        (&[CLIENT_CREDENTIALS, ("audience", "keystead"), ("resource", "shop")], 400, "invalid_target"),
        (&[CLIENT_CREDENTIALS, ("client_secret", "x")], 400, "invalid_request"),
        (&[CLIENT_CREDENTIALS, ("client_id", "another")], 400, "invalid_request"),
        (&[CLIENT_CREDENTIALS, ("client_assertion", "x")], 401, "invalid_client"),
    ] {
        oauth.token(As::Basic(&machine), form).await.is(status, code);
    }
}

// promises H1, L1
async fn guesses_over_http_and_grpc_spend_one_budget(backend: Backend) {
    let keystead =
        Setup::on(backend).with("limits.per_source_burst", "6").with("limits.per_source_period", "'1d'").start().await;
    let (client, oauth) = (keystead.client().await, keystead.oauth());
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let machine = Machine::create(&admin, &["verifier"]).await;
    let forged = format!("ksr_{}", "A".repeat(75));
    let mut judged = 0;
    for _ in 0..3 {
        let guess = oauth.token(As::Basic(&impostor(&machine)), &[CLIENT_CREDENTIALS]).await;
        judged += usize::from(guess.status == 401);
        judged += usize::from(client.use_refresh_token(&forged).await.expect_err("forged").reason == "INVALID_TOKEN");
        judged += usize::from(oauth.refresh(&forged).await.status == 400);
        judged += usize::from(oauth.introspect(As::Post(&impostor(&machine)), "x").await.status == 401);
    }
    // Registering and signing in have spent two.
    assert_eq!(judged, 4);
    oauth.refresh(&forged).await.is(429, "temporarily_unavailable");
    oauth.revoke(As::Nobody, &forged).await.is(429, "temporarily_unavailable");
    client.use_refresh_token(&forged).await.expect_err("forged").is(Code::ResourceExhausted, "RATE_LIMITED");
    assert_eq!(oauth.token(As::Basic(&machine), &[CLIENT_CREDENTIALS]).await.status, 200, "a right secret goes on");
}

// promises H1, L4, G1
async fn a_wrong_secret_is_recorded_with_where_it_came_from_as_a_trusted_proxy_says(backend: Backend) {
    let keystead = Setup::on(backend).with("http.trusted_proxies", "['127.0.0.1']").start().await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let machine = Machine::create(&admin, &[]).await;
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traceparent = format!("00-{trace_id}-00f067aa0ba902b7-01");
    let headers = [("traceparent", traceparent.as_str()), ("x-forwarded-for", "203.0.113.9, 198.51.100.7")];
    let (oauth, guess) = (keystead.oauth(), impostor(&machine));
    let refused = oauth.post("/oauth2/token", As::Basic(&guess), &[CLIENT_CREDENTIALS], &headers).await;
    refused.is(401, "invalid_client");
    let condition = format!("trace_id = '{trace_id}' AND kind = 'authn_login_fail' AND detail = 'IssueServiceToken'");
    let sources = format!("SELECT source FROM audit_events WHERE {condition}");
    assert_eq!(keystead.records().await.texts(&sources).await, ["198.51.100.7"]);
}

// promise L4
async fn a_header_from_nobody_trusted_changes_nothing(backend: Backend) {
    let (keystead, _, admin) = setup(backend).await;
    let machine = Machine::create(&admin, &[]).await;
    let headers = [("x-forwarded-for", "198.51.100.7"), ("forwarded", "for=198.51.100.7")];
    let (oauth, guess) = (keystead.oauth(), impostor(&machine));
    let refused = oauth.post("/oauth2/token", As::Basic(&guess), &[CLIENT_CREDENTIALS], &headers).await;
    refused.is(401, "invalid_client");
    let sources = "SELECT source FROM audit_events WHERE kind = 'authn_login_fail'";
    assert_eq!(keystead.records().await.texts(sources).await, ["127.0.0.1"]);
}

// promise H1
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_the_service_says_that_it_cannot_answer() {
    let (mut keystead, client, admin) = start(Setup::on(Backend::OwnPostgresRedis).waits_as_promised()).await;
    let oauth = keystead.oauth();
    let machine = Machine::create(&admin, &["verifier"]).await;
    let set = Person::new("ada").register(&client).await.set;
    let mut postgres = keystead.servers.postgres.take().expect("a cluster of its own");
    tokio::task::block_in_place(|| postgres.stop());
    oauth.refresh(&set.refresh_token).await.is(503, "temporarily_unavailable");
    oauth.token(As::Basic(&machine), &[CLIENT_CREDENTIALS]).await.is(503, "temporarily_unavailable");
    oauth.introspect(As::Basic(&machine), &set.access_token).await.is(503, "temporarily_unavailable");
    oauth.revoke(As::Nobody, &set.refresh_token).await.is(503, "temporarily_unavailable");
    tokio::task::block_in_place(|| postgres.start_again());
}

on_each_backend!(
    a_refresh_token_becomes_its_successor_and_a_replay_ends_the_session,
    a_refresh_token_in_the_name_of_another_client_is_refused_and_costs_nothing,
    whatever_is_no_refresh_token_of_this_service_is_an_invalid_grant,
    a_secret_becomes_a_token_of_the_service_account,
    every_fault_of_a_client_has_its_error,
    guesses_over_http_and_grpc_spend_one_budget,
    a_wrong_secret_is_recorded_with_where_it_came_from_as_a_trusted_proxy_says,
    a_header_from_nobody_trusted_changes_nothing,
);
