//! `Logout`, and what it ends on every replica.

use keystead::grpc::pb::{LogoutRequest, LogoutScope, TokenStatus};
use tonic::Code;

use crate::harness::{Backend, Keystead, Person, Setup, on_each_backend, until};

// promise T8
async fn a_scope_ends_its_sessions_and_no_others(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    for (scope, this_ends, other_ends) in [
        (LogoutScope::Unspecified, true, false),
        (LogoutScope::ThisSession, true, false),
        (LogoutScope::OtherSessions, false, true),
        (LogoutScope::AllSessions, true, true),
    ] {
        let person = Person::new("ada");
        let this = person.register(&client).await.set;
        let other = person.log_in(&client).await.expect("tokens");
        let bystander = Person::new("bob").register(&client).await.set;
        client.log_out(&this.refresh_token, scope).await.expect("logged out");
        for (set, ends) in [(&this, this_ends), (&other, other_ends), (&bystander, false)] {
            let expected = if ends { TokenStatus::Revoked } else { TokenStatus::Active };
            assert_eq!(client.status_of(&set.access_token).await, expected, "{scope:?}");
            assert_eq!(client.use_refresh_token(&set.refresh_token).await.is_err(), ends, "{scope:?}");
        }
    }
}

async fn logging_out_again_or_with_an_unknown_token_succeeds(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let set = Person::new("ada").register(&client).await.set;
    for token in [set.refresh_token.as_str(), set.refresh_token.as_str(), "ksr_unknown", ""] {
        client.log_out(token, LogoutScope::ThisSession).await.expect("OK when already gone");
    }
}

async fn a_scope_that_does_not_exist_is_refused(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let set = Person::new("ada").register(&client).await.set;
    let request = LogoutRequest { refresh_token: set.refresh_token, scope: 99 };
    let failure = client.logout(request).await.expect_err("a refusal");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["scope"]);
    assert_eq!(client.status_of(&set.access_token).await, TokenStatus::Active);
}

// promise T8
async fn the_other_replica_sees_a_logout(backend: Backend) {
    let keystead = Setup::on(backend).replicas(2).start().await;
    let (first, second) = (keystead.client_of(0).await, keystead.client_of(1).await);
    let set = Person::new("ada").register(&first).await.set;
    assert_eq!(second.status_of(&set.access_token).await, TokenStatus::Active);
    first.log_out(&set.refresh_token, LogoutScope::ThisSession).await.expect("logged out");
    assert_eq!(first.status_of(&set.access_token).await, TokenStatus::Revoked, "at once on the same replica");
    until("the other replica to see it", || async {
        second.status_of(&set.access_token).await == TokenStatus::Revoked
    })
    .await;
}

on_each_backend!(
    a_scope_ends_its_sessions_and_no_others,
    logging_out_again_or_with_an_unknown_token_succeeds,
    a_scope_that_does_not_exist_is_refused,
    the_other_replica_sees_a_logout,
);
