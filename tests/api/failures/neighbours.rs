//! The mail server or a provider of identities away, or silent: whoever signs in by a password never notices.
//!
//! The replica has one connection to the database (on SQLite one that reads): if anybody kept it while waiting for
//! somebody else, nobody could sign in.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::task::JoinSet;
use tonic::Code;

use crate::harness::federation::{IDP, challenge_of, new_verifier};
use crate::harness::mailbox::RESET;
use crate::harness::provider::{Odd, Provider, REDIRECT};
use crate::harness::smtp::{MailServer, smtp_url};
use crate::harness::{Backend, Client, Failure, Link, Person, Setup, on_each_backend, until};
use crate::support::process::free_port;

/// Sign-ins while somebody else is waited for.
const LOGINS: usize = 5;
/// Calls that wait for a provider meanwhile.
const WAITING: usize = 8;

fn setup(backend: Backend) -> Setup {
    Setup::on(backend).waits_as_promised().with("database.max_connections", "1")
}

/// Everybody who has the right password gets in, one after the other and all at once.
async fn signs_in(client: &Client, person: &Person) {
    for _ in 0..LOGINS {
        person.log_in(client).await.expect("tokens");
    }
    let answers = join_all((0..LOGINS).map(|_| person.log_in(client))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

/// A mail that was prepared, and not delivered; with a condition, since the table holds other mails too.
const UNDER_WAY: &str = "outbox WHERE sealed IS NOT NULL";

async fn mail_waits_for_a_silent_server_and_logins_do_not(backend: Backend) {
    let port = free_port();
    let server = MailServer::start(port).await;
    let link = Link::to(([127, 0, 0, 1], port).into()).await;
    let keystead = setup(backend).with("mail.smtp_url", &format!("'{}'", smtp_url(link.address().port())));
    let keystead = keystead.start().await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    let records = keystead.records().await;
    link.hold();
    person.register(&client).await;
    until("a delivery under way", || async { records.count(UNDER_WAY).await == 1 }).await;
    client.ask_for_reset(&person.email).await.expect("taken");
    signs_in(&client, &person).await;
    assert_eq!(records.count("outbox").await, 2, "both mails wait in the outbox");
    let resets = || server.to(&person.email).iter().filter_map(|mail| mail.token(RESET)).collect::<Vec<_>>();
    assert!(resets().is_empty());
    link.heal();
    until("the mail", || async {
        // Towards the next try, if this one was given up, and not so fast that the token in the mail expires.
        keystead.clock.advance(Duration::from_secs(1));
        !resets().is_empty()
    })
    .await;
    client.set_password(&resets()[0], "fresh paint on the boathouse").await.expect("the token works");
}

fn is_away(failure: &Failure) {
    failure.is(Code::Unavailable, "PROVIDER_UNAVAILABLE");
    assert!(failure.retry_after.is_some(), "{failure:?}");
}

async fn a_silent_provider_is_waited_for_by_those_who_sign_in_there_alone(backend: Backend) {
    let provider = Provider::start().await;
    let keystead = setup(backend).at_provider(IDP, "oidc", &provider).start().await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    person.register(&client).await;
    provider.person("sub-1", "grace@example.com", &json!(true));
    let mut visits = Vec::new();
    for _ in 0..WAITING {
        visits.push(keystead.visit(&client, &provider).await);
    }
    provider.script().odd.insert("/token", Odd::Silence);
    let mut waiting = JoinSet::new();
    for visit in visits {
        let client = client.clone();
        waiting.spawn(async move { client.end_visit(&visit).await });
    }
    until("the provider to be asked by all", || async { provider.times_asked("/token") == WAITING }).await;
    person.log_in(&client).await.expect("tokens");
    assert!(waiting.try_join_next().is_none(), "the provider is still waited for");
    signs_in(&client, &person).await;
    for answer in waiting.join_all().await {
        is_away(&answer.expect_err("no answer from the provider"));
    }
    provider.script().odd.clear();
    keystead.sign_in_at(&client, &provider).await.expect("well again");
}

async fn a_provider_that_is_away_keeps_nobody_else_from_signing_in(backend: Backend) {
    let provider = Provider::start().await;
    let away = format!("'http://127.0.0.1:{}'", free_port());
    let setup = setup(backend).at_provider(IDP, "oidc", &provider).at_provider("well", "oidc", &provider);
    let setup = setup.with(&format!("oauth.providers.{IDP}.issuer"), &away);
    // Starts without it, too.
    let keystead = setup.start().await;
    let client = keystead.client().await;
    let person = Person::new("ada");
    person.register(&client).await;
    for _ in 0..LOGINS {
        let begun = client.begin_at(IDP, REDIRECT, &challenge_of(&new_verifier())).await;
        is_away(&begun.expect_err("no provider"));
        person.log_in(&client).await.expect("tokens");
    }
    client
        .begin_at("well", REDIRECT, &challenge_of(&new_verifier()))
        .await
        .expect("another provider is another matter");
}

on_each_backend!(
    mail_waits_for_a_silent_server_and_logins_do_not,
    a_silent_provider_is_waited_for_by_those_who_sign_in_there_alone,
    a_provider_that_is_away_keeps_nobody_else_from_signing_in,
);
