//! A reset against itself, against older ones, and against sign-ins and refreshes under way.

use keystead::grpc::pb::{TokenSet, TokenStatus};
use tokio::task::JoinSet;
use tonic::Code;

use crate::harness::mailbox::RESET;
use crate::harness::{Backend, Client, Failure, Keystead, Person, Setup, eventually, on_each_backend, until};

const NEW_PASSWORD: &str = "fresh paint on the boathouse";
const CONFIRMATIONS: usize = 64;

async fn start(backend: Backend) -> Keystead {
    Setup::on(backend).replicas(backend.replicas()).with("passwords.queue", "1000").start().await
}

fn refused(answer: Result<(), Failure>) {
    answer.expect_err("a refusal").is(Code::Unauthenticated, "INVALID_TOKEN");
}

/// Asks for a reset and waits for the `number`th token.
async fn reset_token(keystead: &Keystead, person: &Person, number: usize) -> String {
    keystead.client().await.ask_for_reset(&person.email).await.expect("taken");
    keystead.mailbox().token(&person.email, RESET, number).await
}

/// Neither token of the set is of any use on either replica.
async fn is_dead(clients: &[Client; 2], set: &TokenSet) {
    for client in clients {
        let failure = client.use_refresh_token(&set.refresh_token).await.expect_err("a refusal");
        failure.is(Code::Unauthenticated, "INVALID_TOKEN");
        until("the access token to be refused", || async {
            client.status_of(&set.access_token).await == TokenStatus::Revoked
        })
        .await;
    }
}

// promise X2
async fn of_64_concurrent_confirmations_exactly_one_works(backend: Backend) {
    // With so many threads the new passwords are hashed at much the same moment, and meet in the database.
    let setup = Setup::on(backend).replicas(backend.replicas()).with("passwords.threads", "16");
    let keystead = setup.with("passwords.queue", "1000").start().await;
    let (clients, rows) = (keystead.pair().await, keystead.rows().await);
    let person = Person::new("ada");
    person.register(&clients[0]).await;
    let token = reset_token(&keystead, &person, 0).await;
    let mut confirmations = JoinSet::new();
    for number in 0..CONFIRMATIONS {
        let (client, token) = (clients[number % 2].clone(), token.clone());
        let password = format!("{NEW_PASSWORD} number {number}");
        confirmations.spawn(async move { (client.set_password(&token, &password).await, password) });
    }
    let (won, lost): (Vec<_>, Vec<_>) = confirmations.join_all().await.into_iter().partition(|(it, _)| it.is_ok());
    let (busy, lost): (Vec<_>, Vec<_>) = lost.into_iter().partition(|(it, _)| it.as_ref().is_err_and(Failure::is_busy));
    lost.into_iter().for_each(|(answer, _)| refused(answer));
    refused(clients[0].set_password(&token, NEW_PASSWORD).await);
    // The winner may be among those that could not be answered in time.
    assert!(won.len() == 1 || (won.is_empty() && !busy.is_empty()), "{} winners", won.len());
    for (_, password) in &won {
        clients[1].log_in(&person.email, password).await.expect("the winner's password is the one that counts");
    }
    assert_eq!(rows.number("SELECT epoch FROM users").await, 1, "the password was changed once");
    let told = "SELECT count(*) FROM audit_events WHERE kind = 'authn_password_change' AND outcome = 'success'";
    assert_eq!(rows.number(told).await, 1);
}

// promise X3
async fn a_newer_token_kills_the_older_and_a_reset_kills_all(backend: Backend) {
    let keystead = start(backend).await;
    let [here, there] = keystead.pair().await;
    let person = Person::new("ada");
    person.register(&here).await;
    let older = reset_token(&keystead, &person, 0).await;
    let newer = reset_token(&keystead, &person, 1).await;
    refused(here.set_password(&older, NEW_PASSWORD).await);
    refused(there.set_password(&older, NEW_PASSWORD).await);
    there.set_password(&newer, NEW_PASSWORD).await.expect("a new password");
    for token in [&older, &newer] {
        refused(here.set_password(token, "yet another long phrase").await);
    }
    there.log_in(&person.email, NEW_PASSWORD).await.expect("tokens");
}

// promises X4, T8
async fn a_reset_ends_every_session_logs_nobody_in_and_tells_the_owner(backend: Backend) {
    let keystead = start(backend).await;
    let (clients, rows) = (keystead.pair().await, keystead.rows().await);
    let person = Person::new("ada");
    let mut sessions = vec![person.register(&clients[0]).await.set];
    for client in &clients {
        sessions.push(person.log_in(client).await.expect("tokens"));
    }
    let token = reset_token(&keystead, &person, 0).await;
    clients[0].set_password(&token, NEW_PASSWORD).await.expect("a new password");
    assert_eq!(rows.live_sessions().await, 0, "all have ended, and none was opened");
    for set in &sessions {
        assert_eq!(clients[0].status_of(&set.access_token).await, TokenStatus::Revoked, "at once where it was done");
        is_dead(&clients, set).await;
    }
    let notice = || async { keystead.mailbox().to(&person.email).iter().any(is_notice) };
    until("the owner to be told", notice).await;
    for client in &clients {
        let failure = person.log_in(client).await.expect_err("the old password");
        failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
        client.log_in(&person.email, NEW_PASSWORD).await.expect("the new password");
    }
}

/// Whether a mail tells of the changed password, and gives nobody who reads it another way in.
fn is_notice(mail: &crate::harness::mailbox::Mail) -> bool {
    mail.raw.contains("Subject: Your password was changed") && mail.token(RESET).is_none()
}

// promise X6
async fn nothing_but_a_live_reset_token_sets_a_password(backend: Backend) {
    let keystead = start(backend).await;
    let [here, there] = keystead.pair().await;
    let (person, other) = (Person::new("ada"), Person::new("eve"));
    let set = person.register(&here).await.set;
    other.register(&there).await;
    here.ask_for_verification(&person.email).await.expect("taken");
    let verification = keystead.mailbox().verification_token(&person.email).await;
    let of_other = reset_token(&keystead, &other, 0).await;
    let renamed = verification.replacen("ksev_", RESET, 1);
    for wrong in ["", RESET, &set.refresh_token, &set.access_token, &verification, &renamed, &of_other[1..]] {
        refused(here.set_password(wrong, NEW_PASSWORD).await);
    }
    there.set_password(&of_other, NEW_PASSWORD).await.expect("it is the other's own");
    let expired = reset_token(&keystead, &person, 0).await;
    keystead.clock.step(31 * 60_000);
    refused(there.set_password(&expired, NEW_PASSWORD).await);
    person.log_in(&here).await.expect("the password is the old one still");
    here.log_in(&other.email, NEW_PASSWORD).await.expect("the other's is new");
}

/// What happens on one client while the password is reset: sign-ins, and refreshes as fast as they go.
async fn go_on_until_refused(client: Client, person: Person, mut set: TokenSet) -> Vec<TokenSet> {
    let mut opened = vec![set.clone()];
    for _ in 0..200 {
        let Ok(next) = client.use_refresh_token(&set.refresh_token).await else { break };
        set = next;
        opened.push(set.clone());
        if opened.len() % 8 == 0 {
            let Ok(another) = person.log_in(&client).await else { break };
            opened.push(another);
        }
    }
    opened
}

// promises T8, X4
async fn a_reset_among_sign_ins_and_refreshes_leaves_no_session_of_the_old_password(backend: Backend) {
    let keystead = start(backend).await;
    let (clients, rows) = (keystead.pair().await, keystead.rows().await);
    let mut raced = 0;
    for round in 0..5 {
        let person = Person::new("ada");
        person.register(&clients[0]).await;
        let token = reset_token(&keystead, &person, 0).await;
        let mut busy = JoinSet::new();
        for number in 0..8 {
            let (client, person) = (clients[number % 2].clone(), person.clone());
            busy.spawn(async move {
                let Ok(set) = person.log_in(&client).await else { return Vec::new() };
                go_on_until_refused(client, person, set).await
            });
        }
        eventually("a new password", || async {
            match clients[round % 2].set_password(&token, NEW_PASSWORD).await {
                Err(failure) if failure.is_busy() => None,
                answer => {
                    let _: () = answer.expect("a new password");
                    Some(())
                }
            }
        })
        .await;
        let opened: Vec<TokenSet> = busy.join_all().await.into_iter().flatten().collect();
        assert_eq!(rows.live_sessions().await, 0, "round {round}: a session outlived its password");
        for set in &opened {
            is_dead(&clients, set).await;
        }
        raced += opened.len();
    }
    assert!(raced > 0, "no sign-in met a reset");
}

on_each_backend!(
    of_64_concurrent_confirmations_exactly_one_works,
    a_newer_token_kills_the_older_and_a_reset_kills_all,
    a_reset_ends_every_session_logs_nobody_in_and_tells_the_owner,
    nothing_but_a_live_reset_token_sets_a_password,
    a_reset_among_sign_ins_and_refreshes_leaves_no_session_of_the_old_password,
);
