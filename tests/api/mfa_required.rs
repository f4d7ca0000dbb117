//! A second factor that a role asks for, and one that an administrator takes away.

use keystead::grpc::pb::{DisableTotpRequest, ListRolesRequest, ResetUserMfaRequest, TokenStatus};
use tonic::Code;

use crate::harness::{Backend, Keystead, Person, Setup, WRONG_PASSWORD, on_each_backend};

async fn strict(backend: Backend, roles: &str) -> Keystead {
    Setup::on(backend).with("mfa.required_roles", roles).start().await
}

// promise M8
async fn an_administrator_without_a_second_factor_can_only_enrol_one(backend: Backend) {
    let keystead = strict(backend, "['admin']").await;
    let client = keystead.client().await;
    let root = Person::new("root");
    root.register(&client).await;
    keystead.rows().await.make_administrator(&root.email).await;
    let challenge = client.challenged(&root).await.challenge_token;
    let failure = client.meet_by_totp(&challenge, "000000").await.expect_err("there is no factor");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
    let (tokens, authenticator) = root.enroll_by_challenge(&keystead, &client).await;
    let admin = client.bearing(&tokens.access_token);
    admin.list_roles(ListRolesRequest {}).await.expect("let in");
    client.use_refresh_token(&tokens.refresh_token).await.expect("goes on");
    let next = client.challenged(&root).await.challenge_token;
    let tokens = client.meet_by_totp(&next, &authenticator.code(&keystead, 1)).await.expect("tokens");
    let admin = client.bearing(&tokens.access_token);
    let kept = admin.disable_totp(DisableTotpRequest {}).await.expect_err("a role asks for it");
    kept.is(Code::FailedPrecondition, "MFA_KEPT_BY_ROLE");
}

// promise M8
async fn a_session_from_before_the_requirement_does_not_pass_it(backend: Backend) {
    let mut keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (root, ada) = (Person::new("root"), Person::new("ada"));
    let user = ada.register(&client).await.set;
    root.register_as_administrator(&keystead, &client).await;
    let before = root.log_in(&client).await.expect("tokens");
    client.bearing(&before.access_token).list_roles(ListRolesRequest {}).await.expect("let in");

    keystead.restart_with("mfa.required_roles", "['admin']").await;
    let client = keystead.client().await;
    let own = client.bearing(&before.access_token);
    own.list_roles(ListRolesRequest {}).await.expect_err("no factor").is(Code::Unauthenticated, "MFA_REQUIRED");
    let refused = client.use_refresh_token(&before.refresh_token).await.expect_err("no factor");
    refused.is(Code::Unauthenticated, "MFA_REQUIRED");
    own.me().await.expect("the own account stays in reach");
    client.use_refresh_token(&user.refresh_token).await.expect("no role of theirs asks");
    let (tokens, _) = root.enroll_by_challenge(&keystead, &client).await;
    client.bearing(&tokens.access_token).list_roles(ListRolesRequest {}).await.expect("let in");
    assert_eq!(client.status_of(&before.access_token).await, TokenStatus::Revoked);
}

// promise M8
async fn where_every_account_needs_one_the_first_sign_in_enrols_it_once_the_address_is_verified(backend: Backend) {
    let keystead = strict(backend, "['user']").await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let response = client.register(ada.registration()).await.expect("an account");
    assert!(response.user.is_some() && response.token_set.is_none());
    for _ in 0..2 {
        let refused = ada.log_in(&client).await.expect_err("the address is not verified");
        refused.is(Code::FailedPrecondition, "EMAIL_NOT_VERIFIED");
    }
    let wrong = client.log_in(&ada.email, WRONG_PASSWORD).await.expect_err("a wrong password");
    wrong.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    ada.verify(&keystead, &client).await;
    let challenge = client.challenged(&ada).await.challenge_token;
    let enrollment = client.begin_by_challenge(&challenge).await.expect("an enrolment");
    let code = crate::harness::Authenticator::reading(&enrollment).code(&keystead, 0);
    let confirmed = client.confirm_by_challenge(&challenge, &enrollment.enrollment_token, &code).await.expect("tokens");
    assert_eq!(confirmed.recovery_codes.len(), 10);
    let tokens = confirmed.token_set.expect("tokens");
    client.bearing(&tokens.access_token).me().await.expect("signed in");
    let again = client.confirm_by_challenge(&challenge, &enrollment.enrollment_token, &code).await;
    again.expect_err("used").is(Code::Unauthenticated, "INVALID_TOKEN");
}

// promise M8
async fn a_challenge_for_a_factor_that_is_there_enrols_no_other(backend: Backend) {
    let keystead = strict(backend, "['user']").await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    client.register(ada.registration()).await.expect("an account");
    ada.verify(&keystead, &client).await;
    let enrolling = client.challenged(&ada).await.challenge_token;
    let stale = client.begin_by_challenge(&enrolling).await.expect("an enrolment");
    ada.enroll_by_challenge(&keystead, &client).await;
    let completing = client.challenged(&ada).await.challenge_token;
    let code = crate::harness::Authenticator::reading(&stale).code(&keystead, 0);
    for challenge in [&enrolling, &completing, &completing.replacen("ksmc_", "ksme_", 1)] {
        let begun = client.begin_by_challenge(challenge).await;
        begun.expect_err("no enrolment").is(Code::Unauthenticated, "INVALID_TOKEN");
        let confirmed = client.confirm_by_challenge(challenge, &stale.enrollment_token, &code).await;
        confirmed.expect_err("no enrolment").is(Code::Unauthenticated, "INVALID_TOKEN");
    }
}

// promises M10, E3
async fn an_administrator_takes_a_lost_factor_away(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [client, there] = keystead.pair().await;
    let (root, ada) = (Person::new("root"), Person::new("ada"));
    let user = ada.register(&client).await.user;
    let (admin, _) = root.register_as_administrator(&keystead, &client).await;
    let request = || ResetUserMfaRequest { user_id: user.id.clone() };
    admin.reset_user_mfa(request()).await.expect_err("none").is(Code::FailedPrecondition, "MFA_NOT_ENROLLED");
    let enrolled = ada.enroll(&keystead, &client).await;
    let own = there.use_refresh_token(&enrolled.before.refresh_token).await.expect("tokens");
    let challenge = there.challenged(&ada).await.challenge_token;
    admin.reset_user_mfa(request()).await.expect("taken away");
    assert_eq!(client.status_of(&own.access_token).await, TokenStatus::Revoked);
    there.use_refresh_token(&own.refresh_token).await.expect_err("ended").is(Code::Unauthenticated, "INVALID_TOKEN");
    let failure = there.meet_by_recovery(&challenge, &enrolled.codes[0]).await.expect_err("ended");
    failure.is(Code::Unauthenticated, "INVALID_TOKEN");
    ada.log_in(&there).await.expect("a password will do");
    keystead.mailbox().mail(&ada.email, "was removed").await;
    let nobody = ResetUserMfaRequest { user_id: "018bcfe5-6800-7000-8000-000000000000".to_owned() };
    admin.reset_user_mfa(nobody).await.expect_err("nobody").is(Code::NotFound, "USER_UNKNOWN");
    assert_eq!(keystead.rows().await.events("authn_second_factor_removed").await, 1);
}

on_each_backend!(
    an_administrator_without_a_second_factor_can_only_enrol_one,
    a_session_from_before_the_requirement_does_not_pass_it,
    where_every_account_needs_one_the_first_sign_in_enrols_it_once_the_address_is_verified,
    a_challenge_for_a_factor_that_is_there_enrols_no_other,
    an_administrator_takes_a_lost_factor_away,
);
