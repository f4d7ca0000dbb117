//! A database of every release, brought up to date and used.

use std::fs;
use std::path::Path;

use keystead::grpc::pb::{ListAuditEventsRequest, ListUsersRequest, TokenStatus};
use tonic::Code;

use super::fixture::{self, Fixture, Known};
use crate::harness::token::Jwt;
use crate::harness::{Authenticator, Backend, Client, Keystead, Machine, Person, Records, Setup, on_each_backend};

/// Longer than a refresh token just used counts as one, and than a code of a second factor is shown. The wall clock alone
/// is stepped by it, so that nothing grows stale.
const A_WHILE_MILLIS: i64 = 60_000;

/// Whether the databases of this version are to be kept, by `scripts/keep-schema`.
#[expect(clippy::disallowed_methods, reason = "a test has no settings to be told by")]
fn is_to_be_kept() -> bool {
    std::env::var("KEEP_SCHEMA").is_ok_and(|value| value == "1")
}

// promise D5
async fn a_database_of_every_release_comes_up_to_date_and_goes_on(backend: Backend) {
    if is_to_be_kept() {
        fixture::keep(backend).await;
    }
    let fixtures = fixture::all(backend);
    assert!(!fixtures.is_empty(), "no release");
    for fixture in fixtures {
        let keystead = fixture.start(backend).await;
        nothing_is_lost(&fixture, &keystead.records().await).await;
        let client = keystead.client().await;
        sessions_go_on(&keystead, &client, &fixture.known).await;
        people_sign_in(&keystead, &client, &fixture.known).await;
        administration_goes_on(&client, &fixture.known).await;
        Person::new("newcomer").register(&client).await;
    }
}

/// Every row of the dump of a table that only grows is there.
async fn nothing_is_lost(fixture: &Fixture, records: &Records) {
    for table in records.tables().await {
        let inserts = [&table, &format!("\"{table}\""), &format!("public.{table}")];
        let inserts = inserts.map(|name| format!("INSERT INTO {name} "));
        let kept = fixture.dump.lines().filter(|line| inserts.iter().any(|start| line.starts_with(start))).count();
        let is_used_up = table == "outbox";
        let now = usize::try_from(records.count(&table).await).expect("a count");
        assert!(now >= kept || is_used_up, "{}: {now} of {kept} rows of {table}", fixture.release);
    }
}

async fn sessions_go_on(keystead: &Keystead, client: &Client, known: &Known) {
    let ada = &known.ada;
    for token in [&ada.access_token, &known.root.access_token] {
        assert_eq!(client.status_of(token).await, TokenStatus::Active);
    }
    assert_eq!(client.status_of(&known.ended_access_token).await, TokenStatus::Revoked);
    let next = client.use_refresh_token(&ada.refresh_token).await.expect("the session goes on");
    assert_eq!(Jwt::parse(&next.access_token).claims["roles"], serde_json::json!(["billing", "user"]));
    let of_tove = client.use_refresh_token(&known.tove.refresh_token).await.expect("the session goes on");
    assert!(Jwt::parse(&of_tove.access_token).claims["amr"].to_string().contains("otp"), "what was used is known");
    keystead.clock.step(A_WHILE_MILLIS);
    let replayed = client.use_refresh_token(&known.spent_refresh_token).await.expect_err("a replay");
    replayed.is(Code::Unauthenticated, "INVALID_TOKEN");
    client.use_refresh_token(&next.refresh_token).await.expect_err("the replay has ended the session");
}

async fn people_sign_in(keystead: &Keystead, client: &Client, known: &Known) {
    known.ada.person().log_in(client).await.expect("tokens");
    let (email, password) = &known.imported;
    client.log_in(email, password).await.expect("a hash from elsewhere");
    let refused = known.disabled.person().log_in(client).await.expect_err("disabled");
    refused.is(Code::Unauthenticated, "INVALID_CREDENTIALS");

    let tove = known.tove.person();
    let authenticator = Authenticator { secret: known.totp_secret.clone() };
    let challenge = client.challenged(&tove).await.challenge_token;
    client.meet_by_totp(&challenge, &authenticator.code(keystead, 0)).await.expect("tokens");
    let challenge = client.challenged(&tove).await.challenge_token;
    client.meet_by_recovery(&challenge, &known.recovery_code).await.expect("tokens");

    let machine = Machine { id: known.machine.0.clone(), secret: known.machine.1.clone() };
    assert_eq!(client.status_of(&machine.access_token(client).await).await, TokenStatus::Active);
}

async fn administration_goes_on(client: &Client, known: &Known) {
    let tokens = known.root.person().log_in(client).await.expect("tokens");
    let admin = client.bearing(&tokens.access_token);
    let users = admin.list_users(ListUsersRequest::default()).await.expect("accounts").users;
    for account in [&known.ada, &known.root, &known.tove, &known.disabled] {
        assert!(users.iter().any(|user| user.id == account.id && user.email == account.email), "{}", account.email);
    }
    let events = admin.list_audit_events(ListAuditEventsRequest::default()).await.expect("a trail").audit_events;
    assert!(events.iter().any(|event| event.time.is_some_and(|at| at.seconds * 1_000 < known.at)));
    let password = "a password that came after the upgrade";
    client.set_password(&known.reset_token, password).await.expect("a token that was mailed before");
    client.log_in(&known.root.email, password).await.expect("tokens");
}

/// What the database is made of, in an order of its own.
async fn shape(records: &Records) -> Vec<String> {
    let mut shape = if records.is_sqlite() {
        let made = "SELECT type || ' ' || tbl_name || ' ' || coalesce(sql, name) FROM sqlite_master \
                    WHERE name NOT LIKE 'sqlite_%'";
        records.texts(made).await
    } else {
        let columns = "SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable, \
                       column_default, is_identity) FROM information_schema.columns WHERE table_schema = 'public'";
        let indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'";
        let constraints = "SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint \
                           WHERE connamespace = 'public'::regnamespace";
        let mut shape = Vec::new();
        for query in [columns, indexes, constraints] {
            shape.extend(records.texts(query).await);
        }
        shape
    };
    shape.sort();
    shape
}

// promise D5
async fn a_database_that_came_up_to_date_is_made_as_a_new_one(backend: Backend) {
    let new = Setup::on(backend).start().await;
    let expected = shape(&new.records().await).await;
    for fixture in fixture::all(backend) {
        let keystead = fixture.start(backend).await;
        assert_eq!(shape(&keystead.records().await).await, expected, "{}", fixture.release);
    }
}

on_each_backend!(
    a_database_of_every_release_comes_up_to_date_and_goes_on,
    a_database_that_came_up_to_date_is_made_as_a_new_one,
);

// promise D5
#[test]
fn no_step_that_a_release_has_is_changed_renamed_or_removed() {
    let steps = fixture::steps();
    let releases = fixture::releases();
    assert!(!releases.is_empty(), "no release");
    for release in releases {
        for (name, digest) in fixture::steps_of(&release) {
            assert_eq!(steps.get(&name), Some(&digest), "{name} is as {} has it", release.display());
        }
    }
}

// promise D5
#[test]
fn a_step_that_removes_something_names_the_release_that_does_without() {
    let known = fixture::releases().first().map(|first| fixture::steps_of(first)).expect("a release");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let later = fixture::steps().into_keys().filter(|name| !known.contains_key(name));
    let removes = |name: &String| {
        let text = fs::read_to_string(folder.join(name).with_extension("rs")).expect("a step").to_lowercase();
        ["drop", "rename", "delete"].iter().any(|word| text.contains(word))
    };
    let unnamed: Vec<_> = later.filter(removes).filter(|name| !name.contains("_unread_since_")).collect();
    assert_eq!(unnamed, Vec::<String>::new());
}
