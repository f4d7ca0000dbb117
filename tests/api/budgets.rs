//! Which calls spend a budget, and which do not.

use std::time::Duration;

use keystead::grpc::pb::{RegenerateRecoveryCodesRequest, RevokeTokenRequest, TokenStatus};
use tonic::Code;

use crate::harness::{Backend, Person, Setup, on_each_backend, until};

// promise L1
async fn new_recovery_codes_spend_what_mails_to_the_address_may_cost(backend: Backend) {
    let setup = Setup::on(backend).with("limits.mail_per_address_and_source_burst", "2");
    let keystead = setup.with("limits.mail_per_address_and_source_period", "'1d'").start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    let mut tokens = ada.enroll(&keystead, &client).await.before;
    for _ in 0..2 {
        tokens = client.use_refresh_token(&tokens.refresh_token).await.expect("tokens");
        let own = client.bearing(&tokens.access_token);
        own.regenerate_recovery_codes(RegenerateRecoveryCodesRequest {}).await.expect("new codes");
    }
    tokens = client.use_refresh_token(&tokens.refresh_token).await.expect("tokens");
    let own = client.bearing(&tokens.access_token);
    let refused = own.regenerate_recovery_codes(RegenerateRecoveryCodesRequest {}).await.expect_err("a third mail");
    refused.is(Code::ResourceExhausted, "RATE_LIMITED");
    assert!(refused.retry_after.is_some());
    assert_eq!(keystead.rows().await.events("authn_recovery_codes_replaced").await, 2);
    assert_eq!(client.status_of(&tokens.access_token).await, TokenStatus::Active, "nothing has changed");
}

// promise L1
async fn beginning_an_enrolment_spends_the_budget_of_its_source(backend: Backend) {
    let setup = Setup::on(backend).with("limits.per_source_burst", "5");
    let keystead = setup.with("limits.per_source_period", "'1d'").start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let own = client.bearing(&ada.register(&client).await.set.access_token);
    ada.verify(&keystead, &client).await;
    // Registering and verifying have spent two.
    for _ in 0..3 {
        own.begin_totp().await.expect("an enrolment");
    }
    let refused = own.begin_totp().await.expect_err("a fourth");
    refused.is(Code::ResourceExhausted, "RATE_LIMITED");
}

// promise L1
async fn a_token_that_was_good_once_is_revoked_for_nothing(backend: Backend) {
    let setup = Setup::on(backend).with("limits.per_source_burst", "4");
    let keystead = setup.with("limits.per_source_period", "'1d'").start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let revoked = ada.register(&client).await.set.access_token;
    let expired = ada.log_in(&client).await.expect("tokens").access_token;
    let revoke = async |token: &str| client.revoke_token(RevokeTokenRequest { token: token.to_owned() }).await;
    for _ in 0..6 {
        revoke(&revoked).await.expect("as good as revoked");
    }
    keystead.clock.advance(Duration::from_mins(11));
    until("a verdict after the leap", || async {
        client.verdict(&expired).await.is_ok_and(|verdict| verdict.status() == TokenStatus::Expired)
    })
    .await;
    for _ in 0..6 {
        revoke(&expired).await.expect("as good as revoked");
    }
    // Registering and signing in have spent two.
    for _ in 0..2 {
        revoke("forged").await.expect("as good as revoked");
    }
    revoke("forged").await.expect_err("a guess too many").is(Code::ResourceExhausted, "RATE_LIMITED");
    revoke(&expired).await.expect("still for nothing");
}

on_each_backend!(
    new_recovery_codes_spend_what_mails_to_the_address_may_cost,
    beginning_an_enrolment_spends_the_budget_of_its_source,
    a_token_that_was_good_once_is_revoked_for_nothing,
);
