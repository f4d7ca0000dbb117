//! `/oauth2/introspect`: what is said of a good token, how little of any other, and who may ask.

use std::time::Duration;

use serde_json::{Value, json};

use super::{impostor, setup};
use crate::harness::oauth::As;
use crate::harness::token::{Forger, Jwt};
use crate::harness::{Backend, Machine, Person, Setup, on_each_backend};

// promise H2
async fn a_good_token_is_told_with_what_it_says(backend: Backend) {
    let (keystead, client, admin) = setup(backend).await;
    let oauth = keystead.oauth();
    let machine = Machine::create(&admin, &["verifier"]).await;
    let of_person = Person::new("ada").register(&client).await.set.access_token;
    let of_machine = machine.access_token(&client).await;
    for token in [&of_person, &of_machine] {
        let claims = Jwt::parse(token).claims;
        let mut expected = json!({ "active": true, "token_type": "Bearer" });
        for member in ["client_id", "exp", "iat", "nbf", "sub", "aud", "iss", "jti", "sid", "roles"] {
            expected[member] = claims[member].clone();
        }
        for caller in [As::Basic(&machine), As::Post(&machine), As::Bearer(&of_machine)] {
            let told = oauth.introspect(caller, token).await;
            assert_eq!((told.status, &told.json), (200, &expected));
        }
    }
}

// promises H2, T6
async fn of_every_other_token_nothing_is_told_but_that_it_is_not_active(backend: Backend) {
    let (keystead, client, admin) = setup(backend).await;
    let oauth = keystead.oauth();
    let machine = Machine::create(&admin, &["verifier"]).await;
    let (ada, gone) = (Person::new("ada").register(&client).await, Person::new("gone").register(&client).await.set);
    oauth.revoke(As::Nobody, &gone.access_token).await;
    let forged = Jwt::parse(&ada.set.access_token).signed_by(&Forger::default());
    let tokens = [
        "x",
        &gone.access_token,
        &gone.refresh_token,
        &ada.set.refresh_token,
        &machine.secret,
        &forged,
        &format!("{} ", ada.set.access_token),
    ];
    let mut headers = std::collections::BTreeSet::new();
    for token in tokens {
        let told = oauth.introspect(As::Basic(&machine), token).await;
        assert_eq!((told.status, &told.json), (200, &json!({ "active": false })), "{token}");
        headers.insert(told.lasting_headers());
    }
    let hinted = [("token", ada.set.refresh_token.as_str()), ("token_type_hint", "refresh_token")];
    let told = oauth.post("/oauth2/introspect", As::Basic(&machine), &hinted, &[]).await;
    headers.insert(told.lasting_headers());
    assert_eq!((told.json, headers.len()), (json!({ "active": false }), 1));
    assert_eq!(oauth.refresh(&ada.set.refresh_token).await.status, 200, "to ask has used nothing up");
}

// promises H2, A1
async fn only_verifiers_may_ask(backend: Backend) {
    let (keystead, client, admin) = setup(backend).await;
    let oauth = keystead.oauth();
    let (verifier, other) = (Machine::create(&admin, &["verifier"]).await, Machine::create(&admin, &[]).await);
    let set = Person::new("ada").register(&client).await.set;
    let token = set.access_token.as_str();
    for caller in [As::Nobody, As::Basic(&impostor(&verifier)), As::Post(&impostor(&verifier))] {
        oauth.introspect(caller, token).await.is(401, "invalid_client");
    }
    let named = [("token", token), ("client_id", "keystead")];
    oauth.post("/oauth2/introspect", As::Nobody, &named, &[]).await.is(401, "invalid_client");
    oauth.introspect(As::Bearer("x"), token).await.is(401, "invalid_token");
    let of_other = other.access_token(&client).await;
    for caller in [As::Basic(&other), As::Post(&other), As::Bearer(&of_other), As::Bearer(token)] {
        oauth.introspect(caller, token).await.is(403, "unauthorized_client");
    }
    let denied = "SELECT detail FROM audit_events WHERE kind = 'authz_fail' ORDER BY detail";
    assert_eq!(keystead.records().await.texts(denied).await, ["Introspect", "Introspect"], "once each and minute");
    let own = verifier.access_token(&client).await;
    let both = [("token", token), ("client_secret", verifier.secret.as_str())];
    oauth.post("/oauth2/introspect", As::Bearer(&own), &both, &[]).await.is(400, "invalid_request");
    oauth.post("/oauth2/introspect", As::Basic(&verifier), &[], &[]).await.is(400, "invalid_request");
}

// promise H2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_know_what_is_revoked_gives_no_verdict() {
    let keystead = Setup::on(Backend::Sqlite)
        .with("revocation.poll_interval", "'1s'")
        .with("revocation.max_staleness", "'2s'")
        .start()
        .await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let machine = Machine::create(&admin, &["verifier"]).await;
    let token = Person::new("ada").register(&client).await.set.access_token;
    let oauth = keystead.oauth();
    assert_eq!(oauth.introspect(As::Basic(&machine), &token).await.json["active"], Value::Bool(true));
    // The table is read again within a second of real time: until then nothing is known of the leap.
    let told = crate::harness::eventually("a moment without knowledge", || async {
        keystead.clock.advance(Duration::from_secs(3));
        let told = oauth.introspect(As::Basic(&machine), &token).await;
        (told.status != 200).then_some(told)
    });
    told.await.is(503, "temporarily_unavailable");
}

on_each_backend!(
    a_good_token_is_told_with_what_it_says,
    of_every_other_token_nothing_is_told_but_that_it_is_not_active,
    only_verifiers_may_ask,
);
