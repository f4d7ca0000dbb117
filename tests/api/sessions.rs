//! Sessions as their owners and administrators see and end them.

use keystead::grpc::pb::{ListUserSessionsRequest, RevokeUserSessionsRequest, Session, TokenSet, TokenStatus, User};
use tonic::Code;

use crate::harness::{Backend, Client, Failure, Keystead, Person, Setup, on_each_backend, until};

const NOBODY: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

/// Where the tests' own calls are believed when they say where they come from.
fn behind_a_proxy(backend: Backend) -> Setup {
    Setup::on(backend).replicas(backend.replicas()).with("grpc.trusted_proxies", "['127.0.0.1']")
}

fn ids(sessions: &[Session]) -> Vec<&str> {
    sessions.iter().map(|session| session.id.as_str()).collect()
}

async fn is_dead(clients: &[Client; 2], set: &TokenSet) {
    for client in clients {
        until("the access token to be refused", || async {
            client.status_of(&set.access_token).await == TokenStatus::Revoked
        })
        .await;
        let failure = client.use_refresh_token(&set.refresh_token).await.expect_err("a refusal");
        failure.is(Code::Unauthenticated, "INVALID_TOKEN");
    }
}

fn unknown(failure: &Failure) {
    failure.is(Code::NotFound, "SESSION_UNKNOWN");
}

async fn the_session_used_last_comes_first_with_its_device_and_source(backend: Backend) {
    let keystead = behind_a_proxy(backend).start().await;
    let [here, there] = keystead.pair().await;
    let ada = Person::new("ada");
    let registered = ada.register(&here).await.set;
    let phone = ada.log_in_on(&there, "Ada's phone", "203.0.113.7").await;
    let laptop = ada.log_in_on(&here, "Laptop", "2001:db8::1234:5678").await;
    Person::new("bob").register(&here).await;

    let listed = here.bearing(&phone.access_token).sessions().await;
    assert_eq!(ids(&listed), [&laptop.session_id, &phone.session_id, &registered.session_id]);
    let seen: Vec<_> = listed.iter().map(|it| (it.device_name.as_str(), it.source.as_str(), it.current)).collect();
    let expected =
        [("Laptop", "2001:db8::1234:5678", false), ("Ada's phone", "203.0.113.7", true), ("test", "127.0.0.1", false)];
    assert_eq!(seen, expected);
    for (session, set) in listed.iter().zip([&laptop, &phone, &registered]) {
        assert_eq!(session.create_time, session.last_use_time);
        assert_eq!(session.expire_time, set.refresh_token_expire_time);
    }

    keystead.clock.step(1_000);
    let refreshed = there.use_refresh_token(&registered.refresh_token).await.expect("a successor");
    let listed = there.bearing(&refreshed.access_token).sessions().await;
    assert_eq!(ids(&listed), [&registered.session_id, &laptop.session_id, &phone.session_id]);
    assert!(listed[0].current && listed[0].last_use_time != listed[0].create_time);
    assert_eq!(listed[0].expire_time, refreshed.refresh_token_expire_time);
}

// promise T8
async fn an_ended_session_is_dead_at_once_and_unknown_from_then_on(backend: Backend) {
    let keystead = behind_a_proxy(backend).start().await;
    let clients = keystead.pair().await;
    let ada = Person::new("ada");
    let own = ada.register(&clients[0]).await.set;
    let other = ada.log_in(&clients[1]).await.expect("tokens");
    let bearer = clients[0].bearing(&own.access_token);
    bearer.end_session(&other.session_id).await.expect("ended");
    assert_eq!(clients[0].status_of(&other.access_token).await, TokenStatus::Revoked, "at once where it was done");
    is_dead(&clients, &other).await;
    unknown(&bearer.end_session(&other.session_id).await.expect_err("ended before"));
    assert_eq!(ids(&bearer.sessions().await), [&own.session_id]);

    bearer.end_session(&own.session_id).await.expect("the current one may end too");
    is_dead(&clients, &own).await;
    let failure = bearer.end_session(&own.session_id).await.expect_err("the bearer is dead");
    failure.is(Code::Unauthenticated, "BEARER_REQUIRED");
    assert_eq!(keystead.rows().await.events("session_expired").await, 2);
}

// promise A2
async fn nobody_ends_the_session_of_another(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (ada, bob) = (Person::new("ada").register(&client).await.set, Person::new("bob").register(&client).await.set);
    let bearer = client.bearing(&ada.access_token);
    let of_bob = bearer.end_session(&bob.session_id).await.expect_err("not hers");
    unknown(&of_bob);
    let of_nobody = bearer.end_session(NOBODY).await.expect_err("nobody's");
    assert_eq!(of_bob.without_trace(), of_nobody.without_trace(), "one answer for both");
    for malformed in ["", "all", &NOBODY[1..]] {
        let failure = bearer.end_session(malformed).await.expect_err(malformed);
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(failure.fields, ["session_id"]);
    }
    assert_eq!(client.status_of(&bob.access_token).await, TokenStatus::Active);
    client.use_refresh_token(&bob.refresh_token).await.expect("his session goes on");
}

// promise E3
async fn the_cap_keeps_the_newest_sessions_and_the_list_short(backend: Backend) {
    let keystead = Setup::on(backend).with("sessions.max_per_user", "3").start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let mut opened = vec![ada.register(&client).await.set];
    for _ in 0..5 {
        opened.push(ada.log_in(&client).await.expect("tokens"));
    }
    let listed = client.bearing(&opened[5].access_token).sessions().await;
    assert_eq!(ids(&listed), [&opened[5].session_id, &opened[4].session_id, &opened[3].session_id]);
    for set in &opened[..3] {
        assert_eq!(client.status_of(&set.access_token).await, TokenStatus::Revoked);
    }
}

fn of(user: &User) -> ListUserSessionsRequest {
    ListUserSessionsRequest { user_id: user.id.clone() }
}

fn revocation(user_id: &str, session_id: &str) -> RevokeUserSessionsRequest {
    RevokeUserSessionsRequest { user_id: user_id.to_owned(), session_id: session_id.to_owned() }
}

// promises T8, G2
async fn an_administrator_sees_and_ends_the_sessions_of_an_account(backend: Backend) {
    let keystead = behind_a_proxy(backend).start().await;
    let clients = keystead.pair().await;
    let (admin, root) = Person::new("root").register_as_administrator(&keystead, &clients[0]).await;
    let ada = Person::new("ada");
    let registered = ada.register(&clients[1]).await;
    let mut sets = vec![registered.set];
    for number in 0..3 {
        sets.push(ada.log_in_on(&clients[1], &format!("Device {number}"), "203.0.113.7").await);
    }
    let listed = admin.list_user_sessions(of(&registered.user)).await.expect("sessions").sessions;
    assert_eq!(ids(&listed), [3, 2, 1, 0].map(|number: usize| sets[number].session_id.as_str()));
    assert!(listed.iter().all(|session| !session.current));
    assert_eq!((listed[0].device_name.as_str(), listed[0].source.as_str()), ("Device 2", "203.0.113.7"));

    let one = revocation(&registered.user.id, &sets[1].session_id);
    admin.revoke_user_sessions(one.clone()).await.expect("ended");
    is_dead(&clients, &sets[1]).await;
    unknown(&admin.revoke_user_sessions(one).await.expect_err("ended before"));
    assert_eq!(clients[1].status_of(&sets[0].access_token).await, TokenStatus::Active);

    let all = revocation(&registered.user.id, "");
    admin.revoke_user_sessions(all.clone()).await.expect("ended");
    for set in &sets {
        is_dead(&clients, set).await;
    }
    admin.revoke_user_sessions(all).await.expect("none is left, which is what was asked for");
    assert!(admin.list_user_sessions(of(&registered.user)).await.expect("sessions").sessions.is_empty());
    let own = admin.list_user_sessions(of(&root)).await.expect("sessions").sessions;
    assert_eq!(own.iter().filter(|session| session.current).count(), 1, "their own are marked there too");
    let told = format!(
        "SELECT count(*) FROM audit_events e JOIN users a ON a.id = e.actor JOIN users s ON s.id = e.subject \
         WHERE e.kind = 'session_expired' AND a.email = '{}' AND s.email = '{}'",
        root.email, ada.email
    );
    assert_eq!(keystead.rows().await.number(&told).await, 4);
}

async fn sessions_of_nobody_are_not_found_and_of_others_are_unknown(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, root) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let ada = Person::new("ada").register(&client).await;
    let failure = admin.list_user_sessions(ListUserSessionsRequest { user_id: NOBODY.to_owned() }).await;
    failure.expect_err("nobody").is(Code::NotFound, "USER_UNKNOWN");
    for session in ["", &ada.set.session_id] {
        let failure = admin.revoke_user_sessions(revocation(NOBODY, session)).await.expect_err("nobody");
        failure.is(Code::NotFound, "USER_UNKNOWN");
    }
    for session in [NOBODY, &ada.set.session_id] {
        unknown(&admin.revoke_user_sessions(revocation(&root.id, session)).await.expect_err("not the account's"));
    }
    let failure = admin.revoke_user_sessions(revocation("root", "all")).await.expect_err("no ids");
    failure.is(Code::InvalidArgument, "INVALID_FIELDS");
    assert_eq!(failure.fields, ["user_id", "session_id"]);
    assert_eq!(client.status_of(&ada.set.access_token).await, TokenStatus::Active);
}

on_each_backend!(
    the_session_used_last_comes_first_with_its_device_and_source,
    an_ended_session_is_dead_at_once_and_unknown_from_then_on,
    nobody_ends_the_session_of_another,
    the_cap_keeps_the_newest_sessions_and_the_list_short,
    an_administrator_sees_and_ends_the_sessions_of_an_account,
    sessions_of_nobody_are_not_found_and_of_others_are_unknown,
);
