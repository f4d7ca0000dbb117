//! Whose account an identity opens.

use serde_json::{Value, json};
use tonic::Code;

use keystead::grpc::pb::{DeleteUserRequest, DisableUserRequest, TokenStatus};

use super::Scene;
use crate::harness::records::canary;
use crate::harness::token::Jwt;
use crate::harness::{Backend, Person, Setup, on_each_backend};

const EXISTS: (Code, &str) = (Code::AlreadyExists, "ACCOUNT_EXISTS");
const UNVERIFIED: (Code, &str) = (Code::FailedPrecondition, "PROVIDER_EMAIL_NOT_VERIFIED");

// promise O7
async fn verified_on_both_sides_an_address_links(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let ada = Person::new("ada");
    let before = ada.register(&client).await;
    ada.verify(&keystead, &client).await;
    provider.person("sub-1", &ada.email.to_uppercase(), &json!(true));
    let signed_in = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    assert!(!signed_in.is_new_user);
    let bearer = client.bearing(&signed_in.tokens.access_token);
    assert_eq!(bearer.me().await.expect("the account").id, before.user.id);
    assert_eq!(client.status_of(&before.set.access_token).await, TokenStatus::Active, "nothing of the owner's ends");
    ada.log_in(&client).await.expect("nor does the password");
    assert_eq!(bearer.identities().await.len(), 1);
    keystead.mailbox().mail(&ada.email, "an identity that was linked to it").await;
}

// promise O7
async fn who_registered_an_address_in_advance_gets_nothing_of_its_owners(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let eve = Person::new("victim");
    let planted = eve.register(&client).await;
    client.ask_for_reset(&eve.email).await.expect("taken");
    let reset = keystead.mailbox().reset_token(&eve.email).await;
    provider.person("sub-1", &eve.email, &json!(true));
    let owner = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    let bearer = client.bearing(&owner.tokens.access_token);
    let me = bearer.me().await.expect("the account");
    assert_eq!((&me.id, me.email_verified, &*me.display_name), (&planted.user.id, true, "Somebody"));
    assert_eq!(client.status_of(&planted.set.access_token).await, TokenStatus::Revoked);
    client.use_refresh_token(&planted.set.refresh_token).await.expect_err("the session has ended");
    eve.log_in(&client).await.expect_err("the password is gone").is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    client.set_password(&reset, "fresh paint on the boathouse").await.expect_err("and what was mailed");
    let rows = keystead.rows().await;
    assert_eq!((rows.events("user_reclaimed").await, rows.events("authn_identity_linked").await), (1, 1));
}

// promise O7
async fn what_the_provider_does_not_say_is_verified_links_nothing(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let (verified, unverified, nobody) = (Person::new("ada"), Person::new("bob"), Person::new("carol"));
    verified.register(&client).await;
    verified.verify(&keystead, &client).await;
    unverified.register(&client).await;
    for said in [json!(false), json!("true"), json!(1), json!([true]), Value::Null] {
        for (person, expected) in [(&verified, EXISTS), (&unverified, EXISTS), (&nobody, UNVERIFIED)] {
            provider.person("sub-1", &person.email, &said);
            let failure = keystead.sign_in_at(&client, &provider).await.expect_err("no tokens");
            failure.is(expected.0, expected.1);
        }
    }
    verified.log_in(&client).await.expect("untouched");
    unverified.log_in(&client).await.expect("untouched");
    let rows = keystead.rows().await;
    assert_eq!(rows.number("SELECT count(*) FROM identities").await, 0);
    assert_eq!(rows.number("SELECT count(*) FROM users").await, 2);
    assert_eq!(rows.events("authn_login_fail").await, 15);
}

// promise L6
async fn where_addresses_are_verified_first_a_provider_that_does_not_vouch_tells_nobody_who_has_an_account(
    backend: Backend,
) {
    let scene = Scene::with(backend, |setup: Setup| setup.with("registration.verify_email", "true")).await;
    let Scene { keystead, provider, client } = scene;
    let (ada, nobody) = (Person::new("ada"), Person::new("bob"));
    client.register(ada.registration()).await.expect("taken");
    let mut told = Vec::new();
    for person in [&ada, &nobody] {
        provider.person("sub-1", &person.email, &json!(false));
        let failure = keystead.sign_in_at(&client, &provider).await.expect_err("no tokens");
        failure.is(UNVERIFIED.0, UNVERIFIED.1);
        told.push(failure.without_trace());
    }
    assert_eq!(told[0], told[1]);
}

async fn without_an_address_nobody_is_made(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    for person in [json!({ "sub": "1" }), json!({ "sub": "1", "email": "nonsense", "email_verified": true })] {
        provider.script().userinfo = person.clone();
        provider.script().person = person;
        let failure = keystead.sign_in_at(&client, &provider).await.expect_err("no tokens");
        failure.is(UNVERIFIED.0, UNVERIFIED.1);
    }
}

// promise O7
async fn an_administrator_is_not_taken_over_by_an_address(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let root = Person::new("root");
    root.register_as_administrator(&keystead, &client).await;
    provider.person("sub-1", &root.email, &json!(true));
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("an unverified administrator");
    failure.is(EXISTS.0, EXISTS.1);
    root.verify(&keystead, &client).await;
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("a verified administrator");
    failure.is(EXISTS.0, EXISTS.1);
    assert_eq!(keystead.rows().await.number("SELECT count(*) FROM identities").await, 0);
    root.log_in(&client).await.expect("untouched");
}

// promise L6
async fn a_disabled_account_is_refused_as_a_wrong_password_is(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let ada = Person::new("ada");
    let user = ada.register(&client).await.user;
    ada.verify(&keystead, &client).await;
    provider.person("sub-1", &ada.email, &json!(true));
    let visit = keystead.visit(&client, &provider).await;
    admin.disable_user(DisableUserRequest { user_id: user.id.clone() }).await.expect("disabled");
    let failure = client.end_visit(&visit).await.expect_err("not yet linked");
    failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    assert_eq!(keystead.rows().await.number("SELECT count(*) FROM identities").await, 0);
    let wrong = client.log_in(&ada.email, "a wrong password for sure").await.expect_err("disabled");
    assert_eq!(failure.without_trace(), wrong.without_trace());
}

async fn closed_registration_makes_no_account_but_opens_those_that_are(backend: Backend) {
    let scene = Scene::with(backend, |setup: Setup| setup.with("registration.open", "false")).await;
    scene.provider.person("sub-1", "ada@example.com", &json!(true));
    let failure = scene.keystead.sign_in_at(&scene.client, &scene.provider).await.expect_err("closed");
    failure.is(Code::FailedPrecondition, "REGISTRATION_CLOSED");
    assert_eq!(scene.keystead.rows().await.number("SELECT count(*) FROM users").await, 0);
}

// promise D1
async fn a_deleted_account_leaves_no_identity_and_no_flow(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let (subject, unlinked) = (canary("subject"), canary("unlinked"));
    provider.person(&subject, "ada@example.com", &json!(true));
    let signed_in = keystead.sign_in_at(&client, &provider).await.expect("tokens");
    let bearer = client.bearing(&signed_in.tokens.access_token);
    bearer.begin_link(&"A".repeat(43)).await.expect("a flow");
    let user_id = bearer.me().await.expect("the account").id;
    provider.person(&unlinked, "elsewhere@example.com", &json!(true));
    let linked = keystead.link_at(&bearer, &provider).await.expect("linked");
    bearer.unlink(&linked.id).await.expect("gone");
    let records = keystead.records().await;
    let before = records.dump().await;
    assert!(before.contains(&subject) && before.contains(&unlinked), "what was unlinked is remembered");
    assert_eq!(records.count("oauth_flows").await, 1);
    admin.delete_user(DeleteUserRequest { user_id }).await.expect("gone");
    let after = records.dump().await;
    assert!(!after.contains(&subject) && !after.contains(&unlinked));
    provider.person(&subject, "ada@example.com", &json!(true));
    assert_eq!(records.count("oauth_flows").await, 0);
    assert!(keystead.sign_in_at(&client, &provider).await.expect("tokens").is_new_user, "and is somebody new");
}

// promises M6, O7
async fn an_account_with_a_second_factor_is_asked_for_it_after_a_provider_too(backend: Backend) {
    let Scene { keystead, provider, client } = Scene::set(backend).await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    ada.verify(&keystead, &client).await;
    let enrolled = ada.enroll(&keystead, &client).await;
    provider.person("sub-1", &ada.email, &json!(true));
    let failure = keystead.sign_in_at(&client, &provider).await.expect_err("an address changes no first factor");
    failure.is(EXISTS.0, EXISTS.1);
    let set = client.use_refresh_token(&enrolled.before.refresh_token).await.expect("the session goes on");
    keystead.link_at(&client.bearing(&set.access_token), &provider).await.expect("linked by its owner");
    let visit = keystead.visit(&client, &provider).await;
    let challenge = client.end_visit_in_challenge(&visit).await.expect("a challenge");
    let tokens = client.meet_by_recovery(&challenge.challenge_token, &enrolled.codes[0]).await.expect("tokens");
    assert_eq!(Jwt::parse(&tokens.access_token).claims["amr"], json!(["fed", "mfa"]));
}

on_each_backend!(
    an_account_with_a_second_factor_is_asked_for_it_after_a_provider_too,
    verified_on_both_sides_an_address_links,
    who_registered_an_address_in_advance_gets_nothing_of_its_owners,
    what_the_provider_does_not_say_is_verified_links_nothing,
    where_addresses_are_verified_first_a_provider_that_does_not_vouch_tells_nobody_who_has_an_account,
    without_an_address_nobody_is_made,
    an_administrator_is_not_taken_over_by_an_address,
    a_disabled_account_is_refused_as_a_wrong_password_is,
    closed_registration_makes_no_account_but_opens_those_that_are,
    a_deleted_account_leaves_no_identity_and_no_flow,
);
