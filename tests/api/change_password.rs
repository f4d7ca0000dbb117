//! `ChangePassword`: what it asks for, what it ends, and what races it.

use std::sync::Arc;

use keystead::grpc::pb::{TokenSet, TokenStatus};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tonic::Code;

use crate::harness::mailbox::{RESET, VERIFICATION};
use crate::harness::{Backend, Client, Failure, Person, Setup, WRONG_PASSWORD, eventually, on_each_backend, until};

const NEW_PASSWORD: &str = "fresh paint on the boathouse";

/// A Keystead that takes every password to be hashed, so that nothing but what is tested refuses.
fn setup(backend: Backend) -> Setup {
    Setup::on(backend).replicas(backend.replicas()).with("passwords.queue", "1000")
}

async fn is_refused(client: &Client, access_token: &str) {
    until("the access token to be refused", || async { client.status_of(access_token).await == TokenStatus::Revoked })
        .await;
}

async fn is_dead(clients: &[Client; 2], set: &TokenSet) {
    for client in clients {
        let failure = client.use_refresh_token(&set.refresh_token).await.expect_err("a refusal");
        failure.is(Code::Unauthenticated, "INVALID_TOKEN");
        is_refused(client, &set.access_token).await;
    }
}

// promises P6, T8
async fn a_change_ends_the_other_sessions_and_the_own_goes_on_by_refresh(backend: Backend) {
    let keystead = setup(backend).start().await;
    let clients = keystead.pair().await;
    let ada = Person::new("ada");
    let own = ada.register(&clients[0]).await.set;
    let mut others = Vec::new();
    for client in &clients {
        others.push(ada.log_in(client).await.expect("tokens"));
    }
    let bearer = clients[0].bearing(&own.access_token);
    bearer.replace_password(&ada.password, NEW_PASSWORD).await.expect("changed");
    for set in &others {
        assert_eq!(clients[0].status_of(&set.access_token).await, TokenStatus::Revoked, "at once where it was done");
        is_dead(&clients, set).await;
    }
    bearer.me().await.expect_err("the token of before").is(Code::Unauthenticated, "BEARER_REQUIRED");
    is_refused(&clients[1], &own.access_token).await;
    let next = clients[1].use_refresh_token(&own.refresh_token).await.expect("the own session goes on");
    assert_eq!(next.session_id, own.session_id);
    let sessions = clients[0].bearing(&next.access_token).sessions().await;
    assert_eq!(sessions.len(), 1);
    for client in &clients {
        let failure = ada.log_in(client).await.expect_err("the old password");
        failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
        client.log_in(&ada.email, NEW_PASSWORD).await.expect("the new password");
    }
}

// promises E3, G2
async fn the_owner_is_told_by_mail_and_the_trail_by_whom(backend: Backend) {
    let keystead = setup(backend).start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let own = ada.register(&client).await.set;
    let bearer = client.bearing(&own.access_token);
    bearer.replace_password(WRONG_PASSWORD, NEW_PASSWORD).await.expect_err("a wrong password");
    bearer.replace_password(&ada.password, NEW_PASSWORD).await.expect("changed");
    let notice = || async {
        let mails = keystead.mailbox().to(&ada.email);
        mails.iter().any(|mail| mail.raw.contains("Subject: Your password was changed"))
    };
    until("the owner to be told", notice).await;
    let rows = keystead.rows().await;
    for outcome in ["success", "failure"] {
        let told = format!(
            "SELECT count(*) FROM audit_events e JOIN sessions s ON s.id = e.session WHERE e.actor = e.subject \
             AND e.kind = 'authn_password_change' AND e.outcome = '{outcome}' AND s.user_id = e.actor"
        );
        assert_eq!(rows.number(&told).await, 1, "{outcome}");
    }
}

// promise P6
async fn a_wrong_current_password_changes_nothing(backend: Backend) {
    let keystead = setup(backend).start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let own = ada.register(&client).await.set;
    let bearer = client.bearing(&own.access_token);
    let failure = bearer.replace_password(WRONG_PASSWORD, NEW_PASSWORD).await.expect_err("a wrong password");
    failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    let at_sign_in = client.log_in(&ada.email, WRONG_PASSWORD).await.expect_err("a wrong password");
    assert_eq!(failure.without_trace(), at_sign_in.without_trace());
    assert_eq!(client.status_of(&own.access_token).await, TokenStatus::Active);
    ada.log_in(&client).await.expect("the password is the old one still");
    client.log_in(&ada.email, NEW_PASSWORD).await.expect_err("no password of theirs");
}

// promises P1, P3
async fn every_fault_of_the_passwords_is_told_at_once_and_costs_no_attempt(backend: Backend) {
    let keystead = setup(backend)
        .with("limits.per_account_and_source_burst", "2")
        .with("limits.per_account_and_source_period", "\"1d\"")
        .start()
        .await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let own = ada.register(&client).await.set;
    let bearer = client.bearing(&own.access_token);
    for (current, new, fields) in [
        ("", "", &["current_password", "new_password"][..]),
        ("", "password123", &["current_password", "new_password"]),
        (&ada.password, "short", &["new_password"]),
        (&ada.password, &"x".repeat(257), &["new_password"]),
        (&ada.password, &ada.email, &["new_password"]),
        (&"x".repeat(257), NEW_PASSWORD, &["current_password"]),
    ] {
        let failure = bearer.replace_password(current, new).await.expect_err(new);
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(failure.fields, fields);
    }
    bearer.replace_password(&ada.password, NEW_PASSWORD).await.expect("changed");
}

/// Whether the caller learned what the password is worth.
fn is_judged(failure: &Failure) -> bool {
    if failure.reason == "INVALID_CREDENTIALS" {
        return true;
    }
    if !failure.is_busy() {
        failure.is(Code::ResourceExhausted, "RATE_LIMITED");
        assert!(failure.retry_after.is_some_and(|wait| !wait.is_zero()), "{failure:?}");
    }
    false
}

// promises L1, L3, P6
async fn parallel_guesses_never_exceed_the_budget_that_sign_ins_share(backend: Backend) {
    let keystead = setup(backend)
        .with("redis.timeout", "\"1s\"")
        .with("limits.per_account_and_source_burst", "10")
        .with("limits.per_account_and_source_period", "\"1d\"")
        .start()
        .await;
    let clients = keystead.pair().await;
    let ada = Person::new("ada");
    let own = ada.register(&clients[0]).await.set;
    let mut guesses = JoinSet::new();
    for number in 0..16 {
        let (client, email) = (clients[number % 2].bearing(&own.access_token), ada.email.clone());
        guesses.spawn(async move {
            if number % 4 == 3 {
                return client.log_in(&email, WRONG_PASSWORD).await.map(|_| ());
            }
            client.replace_password(WRONG_PASSWORD, NEW_PASSWORD).await
        });
    }
    let answers = guesses.join_all().await;
    let judged = answers.iter().filter(|answer| is_judged(answer.as_ref().expect_err("a wrong password"))).count();
    assert!((1..=10).contains(&judged), "{judged} guesses were judged");
    let bearer = clients[1].bearing(&own.access_token);
    for _ in judged..10 {
        assert!(is_judged(&bearer.replace_password(WRONG_PASSWORD, NEW_PASSWORD).await.expect_err("a guess")));
    }
    let right = bearer.replace_password(&ada.password, NEW_PASSWORD).await.expect_err("the budget is spent");
    right.is(Code::ResourceExhausted, "RATE_LIMITED");
    let sign_in = ada.log_in(&clients[0]).await.expect_err("the budget is spent");
    sign_in.is(Code::ResourceExhausted, "RATE_LIMITED");
}

// promises L1, P6
async fn guesses_by_a_stolen_bearer_run_into_the_cap_of_failures(backend: Backend) {
    let setup = setup(backend).with("limits.max_failures", "5").with("grpc.trusted_proxies", "['127.0.0.1']");
    let keystead = setup.start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    // The owner's source is another than the thief's, who has the owner's token.
    ada.register(&client).await;
    let stolen = ada.log_in_on(&client, "Ada's phone", "203.0.113.7").await;
    let rows = keystead.rows().await;
    assert_eq!(rows.number("SELECT count(*) FROM known_sources").await, 2);
    keystead.records().await.execute("DELETE FROM known_sources").await;
    let bearer = client.bearing(&stolen.access_token);
    let mut judged = 0;
    for _ in 0..10 {
        let failure = bearer.replace_password(WRONG_PASSWORD, NEW_PASSWORD).await.expect_err("a guess");
        judged += usize::from(is_judged(&failure));
    }
    assert_eq!(judged, 5);
}

// promise X3
async fn mailed_tokens_of_before_open_nothing(backend: Backend) {
    let keystead = setup(backend).start().await;
    let [here, there] = keystead.pair().await;
    let ada = Person::new("ada");
    let own = ada.register(&here).await.set;
    here.ask_for_reset(&ada.email).await.expect("taken");
    let reset = keystead.mailbox().token(&ada.email, RESET, 0).await;
    let verification = keystead.mailbox().token(&ada.email, VERIFICATION, 0).await;
    here.bearing(&own.access_token).replace_password(&ada.password, NEW_PASSWORD).await.expect("changed");
    for client in [&here, &there] {
        let failure = client.set_password(&reset, "yet another long phrase").await.expect_err("a token of before");
        failure.is(Code::Unauthenticated, "INVALID_TOKEN");
        let failure = client.verify_email(&verification).await.expect_err("a token of before");
        failure.is(Code::Unauthenticated, "INVALID_TOKEN");
    }
    there.log_in(&ada.email, NEW_PASSWORD).await.expect("the new password");
}

/// Sign-ins and refreshes as fast as they go, until one is refused.
async fn go_on_until_refused(client: Client, person: Person, start: Arc<Barrier>) -> Vec<TokenSet> {
    let mut opened = Vec::new();
    start.wait().await;
    for _ in 0..50 {
        let Ok(mut set) = person.log_in(&client).await else { break };
        opened.push(set.clone());
        for _ in 0..4 {
            let Ok(next) = client.use_refresh_token(&set.refresh_token).await else { break };
            set = next;
            opened.push(set.clone());
        }
    }
    opened
}

// promises P6, T8
async fn no_sign_in_or_refresh_in_flight_outlives_the_change(backend: Backend) {
    let keystead = setup(backend).with("passwords.threads", "4").start().await;
    let (clients, rows) = (keystead.pair().await, keystead.rows().await);
    let mut raced = 0;
    for round in 0..5 {
        let ada = Person::new("ada");
        let own = ada.register(&clients[0]).await.set;
        let start = Arc::new(Barrier::new(7));
        let mut busy = JoinSet::new();
        for number in 0..6 {
            busy.spawn(go_on_until_refused(clients[number % 2].clone(), ada.clone(), start.clone()));
        }
        start.wait().await;
        let bearer = clients[round % 2].bearing(&own.access_token);
        eventually("a new password", || async {
            match bearer.replace_password(&ada.password, NEW_PASSWORD).await {
                Err(failure) if failure.is_busy() => None,
                answer => Some(answer.expect("a new password")),
            }
        })
        .await;
        let opened: Vec<TokenSet> = busy.join_all().await.into_iter().flatten().collect();
        assert_eq!(rows.live_sessions().await, 1, "round {round}: a session outlived its password");
        for set in &opened {
            is_dead(&clients, set).await;
        }
        raced += opened.len();
        let next = clients[0].use_refresh_token(&own.refresh_token).await.expect("the own session goes on");
        clients[0].bearing(&next.access_token).end_session(&next.session_id).await.expect("ended");
    }
    assert!(raced > 0, "no sign-in met a change");
}

async fn of_parallel_changes_one_is_made(backend: Backend) {
    let keystead = setup(backend).with("passwords.threads", "8").start().await;
    let clients = keystead.pair().await;
    let ada = Person::new("ada");
    let own = ada.register(&clients[0]).await.set;
    let mut changes = JoinSet::new();
    for number in 0..16 {
        let (client, ada) = (clients[number % 2].bearing(&own.access_token), ada.clone());
        changes.spawn(async move {
            let new = format!("{NEW_PASSWORD} number {number}");
            (client.replace_password(&ada.password, &new).await, new)
        });
    }
    let (made, refused): (Vec<_>, Vec<_>) = changes.join_all().await.into_iter().partition(|(it, _)| it.is_ok());
    assert_eq!(made.len(), 1);
    for (answer, _) in refused {
        let failure = answer.expect_err("refused");
        let refusals = ["CONCURRENT_CHANGE", "INVALID_CREDENTIALS", "BEARER_REQUIRED"];
        assert!(refusals.contains(&failure.reason.as_str()), "{failure:?}");
    }
    clients[1].log_in(&ada.email, &made[0].1).await.expect("the winner's password is the one that counts");
    assert_eq!(keystead.rows().await.number("SELECT epoch FROM users").await, 1);
}

on_each_backend!(
    a_change_ends_the_other_sessions_and_the_own_goes_on_by_refresh,
    the_owner_is_told_by_mail_and_the_trail_by_whom,
    a_wrong_current_password_changes_nothing,
    every_fault_of_the_passwords_is_told_at_once_and_costs_no_attempt,
    parallel_guesses_never_exceed_the_budget_that_sign_ins_share,
    guesses_by_a_stolen_bearer_run_into_the_cap_of_failures,
    mailed_tokens_of_before_open_nothing,
    no_sign_in_or_refresh_in_flight_outlives_the_change,
    of_parallel_changes_one_is_made,
);
