//! The feed of revocations, for those who verify tokens by themselves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use keystead::grpc::pb::revocation::Target;
use keystead::grpc::pb::{
    ListUsersRequest, LogoutScope, RevokeSigningKeyRequest, RevokeTokenRequest, RotateSigningKeyRequest,
};
use tokio::task::JoinSet;
use tokio::time::interval;
use tonic::Code;
use uuid::Uuid;

use crate::harness::feed::Feed;
use crate::harness::frames;
use crate::harness::records::Records;
use crate::harness::token::Jwt;
use crate::harness::{
    Backend, Client, Keystead, Machine, Person, Program, Rows, Setup, Values, on_each_backend, until,
};

/// An administrator, and a bearer of the role `verifier`.
async fn verifier(keystead: &Keystead, client: &Client) -> (Client, Client) {
    let (admin, _) = Person::new("root").register_as_administrator(keystead, client).await;
    let token = Machine::create(&admin, &["verifier"]).await.access_token(client).await;
    (admin, client.bearing(&token))
}

/// Signs somebody in and out again; the session.
async fn end_a_session(client: &Client) -> String {
    let set = Person::new("gone").register(client).await.set;
    client.log_out(&set.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    Jwt::parse(&set.access_token).claims["sid"].as_str().expect("a session").to_owned()
}

// promise T8
async fn a_snapshot_comes_first_and_then_what_any_replica_revokes(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let (_, verifier) = verifier(&keystead, &here).await;
    let before = end_a_session(&there).await;
    let mut feed = Feed::begin(&verifier, "").await.expect("a stream");
    feed.hears_of(&before).await;
    feed.caught_up().await;
    for client in [&here, &there] {
        let session = end_a_session(client).await;
        feed.hears_of(&session).await;
    }
}

// promises T8, T9
async fn users_and_keys_are_told_with_what_still_counts(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, verifier) = verifier(&keystead, &client).await;
    let ada = Person::new("ada").register(&client).await;
    let mut feed = Feed::begin(&verifier, "").await.expect("a stream");
    feed.caught_up().await;
    admin.disable_user(keystead::grpc::pb::DisableUserRequest { user_id: ada.user.id.clone() }).await.expect("closed");
    let mut told = Vec::new();
    while !told.iter().any(|target| matches!(target, Target::User(user) if user.user_id == ada.user.id)) {
        let message = feed.message().await.expect("a message");
        told.extend(message.revocations.into_iter().filter_map(|revocation| revocation.target));
    }
    let of_ada = told.iter().find_map(|target| match target {
        Target::User(user) if user.user_id == ada.user.id => Some(user.min_epoch),
        Target::SessionId(_) | Target::User(_) | Target::KeyId(_) => None,
    });
    let epoch = Jwt::parse(&ada.set.access_token).claims["epoch"].as_i64().expect("an epoch");
    assert!(of_ada.is_some_and(|min_epoch| epoch < min_epoch), "{of_ada:?} refuses {epoch}");

    let next = admin.rotate_signing_key(RotateSigningKeyRequest {}).await.expect("a next key");
    let key_id = next.signing_key.expect("the key").id;
    let revoke = RevokeSigningKeyRequest { signing_key_id: key_id.clone() };
    admin.revoke_signing_key(revoke).await.expect("revoked");
    while !told.contains(&Target::KeyId(key_id.clone())) {
        let message = feed.message().await.expect("a message");
        told.extend(message.revocations.into_iter().filter_map(|revocation| revocation.target));
    }
}

// promises T8, N7
async fn a_cursor_goes_on_where_a_replica_went_away(backend: Backend) {
    let mut keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let client = keystead.client().await;
    let (_, verifier) = verifier(&keystead, &client).await;
    let early = end_a_session(&client).await;
    let mut feed = Feed::begin(&verifier, "").await.expect("a stream");
    feed.hears_of(&early).await;
    feed.caught_up().await;
    let unseen = end_a_session(&client).await;
    let (ended, ()) = tokio::join!(feed.end(), keystead.restart());
    ended.is(Code::Unavailable, "DRAINING");
    assert!(ended.retry_after.is_some());
    let client = keystead.client_of(backend.replicas() - 1).await;
    let later = end_a_session(&client).await;
    let mut resumed = Feed::begin(&verifier.on(&client), &feed.cursor).await.expect("a stream");
    resumed.sessions.append(&mut feed.sessions);
    resumed.hears_of(&unseen).await;
    resumed.hears_of(&later).await;
}

async fn only_a_cursor_of_the_service_is_taken(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (_, verifier) = verifier(&keystead, &client).await;
    let mut feed = Feed::begin(&verifier, "").await.expect("a stream");
    feed.caught_up().await;
    for cursor in [format!("{}A", feed.cursor), "1".to_owned(), "\u{202e}".to_owned(), "A".repeat(10_000)] {
        let Err(failure) = Feed::begin(&verifier, &cursor).await else { panic!("{cursor}") };
        failure.is(Code::InvalidArgument, "INVALID_FIELDS");
        assert_eq!(failure.fields, ["cursor"]);
    }
}

// promise T8
async fn the_feed_ends_with_its_readers_token(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let token = Machine::create(&admin, &["verifier"]).await.access_token(&client).await;
    let mut feed = Feed::begin(&client.bearing(&token), "").await.expect("a stream");
    feed.caught_up().await;
    client.revoke_token(RevokeTokenRequest { token }).await.expect("revoked");
    feed.end().await.is(Code::Unauthenticated, "BEARER_REQUIRED");
}

// promise A1
async fn everybody_may_follow_where_the_feed_is_open_and_nobody_else_s_method_opens(backend: Backend) {
    let closed = Keystead::start(backend).await;
    let Err(refused) = Feed::begin(&closed.client().await, "").await else { panic!("without a bearer") };
    refused.is(Code::Unauthenticated, "BEARER_REQUIRED");
    let keystead = Setup::on(backend).with("grpc.open_revocation_feed", "true").start().await;
    let client = keystead.client().await;
    let mut feed = Feed::begin(&client, "").await.expect("a stream");
    feed.caught_up().await;
    let gone = end_a_session(&client).await;
    feed.hears_of(&gone).await;
    let listed = client.list_users(ListUsersRequest::default()).await.expect_err("without a bearer");
    listed.is(Code::Unauthenticated, "BEARER_REQUIRED");
}

/// A connection whose client answers no PING is sent away as well, ten seconds after the first one.
const BEFORE_A_PING: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_of_age_is_asked_to_go_and_a_stream_of_its_age_ends_with_a_word() {
    let open = Setup::on(Backend::Sqlite).with("grpc.open_revocation_feed", "true");
    let keystead = open.with("grpc.connection_age", "\"1s\"").start().await;
    let (_sender, mut receiver) = frames::open(keystead.replica(0).grpc).await;
    let asked = tokio::time::timeout(BEFORE_A_PING, receiver.next_of(frames::GOAWAY)).await;
    assert_eq!(asked.expect("in time").error(), 0, "no error");
    let mut feed = Feed::begin(&keystead.client().await, "").await.expect("a stream");
    let end = feed.end().await;
    end.is(Code::Unavailable, "DRAINING");
    assert!(end.retry_after.is_some(), "{end:?}");
}

/// So many sessions that nobody knows of.
fn made_up_sessions(count: usize) -> BTreeSet<String> {
    (0..count).map(|number| Uuid::from_u128(1 + number as u128).to_string()).collect()
}

/// Revokes the sessions past the service, as another replica would, in waves that fill a second.
async fn revoke_elsewhere(records: &Records, sessions: &BTreeSet<String>) {
    const WAVES: u32 = 20;
    let mut wave_is_due = interval(Duration::from_secs(1) / WAVES);
    let row = |id: &String| format!("('session', '{id}', {})", i64::MAX / 2);
    for wave in sessions.iter().map(row).collect::<Vec<_>>().chunks(sessions.len().div_ceil(WAVES as usize)) {
        wave_is_due.tick().await;
        let insert = "INSERT INTO revocations (kind, target, expires_at) VALUES";
        records.execute(&format!("{insert} {}", wave.join(", "))).await;
    }
}

// promise T8
async fn fifty_watchers_miss_none_of_ten_thousand_revocations_a_second(backend: Backend) {
    const WATCHERS: usize = 50;
    const REVOCATIONS: usize = 10_000;
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (_, verifier) = verifier(&keystead, &client).await;
    let watch = async |cursor: &str| {
        // Each on a connection of its own: streams of one connection share its window, and wait for one another.
        let verifier = verifier.on(&keystead.client().await);
        Feed::begin(&verifier, cursor).await.expect("a stream")
    };
    let sessions = Arc::new(made_up_sessions(REVOCATIONS));
    let mut readers = JoinSet::new();
    let mut cursor = String::new();
    for _ in 0..WATCHERS {
        let mut feed = watch("").await;
        feed.caught_up().await;
        cursor.clone_from(&feed.cursor);
        readers.spawn(feed.hears_of_all(Arc::clone(&sessions)));
    }
    let records = keystead.records().await;
    let ((), late) = tokio::join!(revoke_elsewhere(&records, &sessions), async {
        // Two more begin while the waves pass, one of them from a cursor.
        [watch("").await, watch(&cursor).await]
    });
    for feed in late {
        readers.spawn(feed.hears_of_all(Arc::clone(&sessions)));
    }
    assert_eq!(readers.join_all().await.len(), WATCHERS + 2);
}

/// Revokes so many sessions in one transaction past the service; the last of them.
async fn revoke_at_once(records: &Records, count: usize) -> String {
    let id = |number: &str| format!("'00000000-0000-4000-8000-' || substr(CAST(1000000000000 + {number} AS TEXT), 2)");
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n");
    let rows = format!("SELECT 'session', {}, {} FROM ({numbers}) AS n", id("n.i"), i64::MAX / 2);
    records.execute(&format!("INSERT INTO revocations (kind, target, expires_at) {rows}")).await;
    format!("00000000-0000-4000-8000-{count:012}")
}

/// Whether a snapshot tells of the session.
async fn is_in_a_snapshot(verifier: &Client, session: &str) -> bool {
    let Ok(mut feed) = Feed::begin(verifier, "").await else { return false };
    while let Ok(message) = feed.message().await {
        if feed.sessions.contains(session) || message.age.is_some() {
            break;
        }
    }
    feed.sessions.contains(session)
}

// promise T8
async fn a_reader_who_has_stopped_is_cut_off_and_one_who_is_far_behind_asks_for_a_snapshot(backend: Backend) {
    // More than is kept for whoever does not read.
    const WAVE: usize = 70_000;
    let setup = Setup::on(backend).with("revocation.max_staleness", "'1m'");
    let keystead = setup.start().await;
    let client = keystead.client().await;
    let (_, verifier) = verifier(&keystead, &client).await;
    let mut stopped = Feed::begin(&verifier, "").await.expect("a stream");
    stopped.caught_up().await;
    let last = revoke_at_once(&keystead.records().await, WAVE).await;
    let elsewhere = verifier.on(&keystead.client().await);
    until("the wave to arrive", || is_in_a_snapshot(&elsewhere, &last)).await;
    let ended = stopped.end().await;
    ended.is(Code::ResourceExhausted, "READER_TOO_SLOW");
    assert!(ended.retry_after.is_some());
    let Err(too_old) = Feed::begin(&verifier, &stopped.cursor).await else { panic!("the wave is missing") };
    too_old.is(Code::OutOfRange, "CURSOR_TOO_OLD");
}

/// What ten thousand watchers may cost, by a hundred: 1 GiB.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_on_a_connection_of_its_own_takes_100_kib_at_most() {
    const WATCHERS: u64 = 100;
    const EACH_KIB: u64 = 100;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = Program::configured(folder.path(), &Values::generous(), &[]).await;
    let client = program.client().await;
    let root = Person::new("root");
    root.register(&client).await;
    let database = format!("sqlite://{}/keystead.sqlite", folder.path().display());
    Rows::connect(&database).await.make_administrator(&root.email).await;
    let admin = client.bearing(&root.log_in(&client).await.expect("tokens").access_token);
    let token = Machine::create(&admin, &["verifier"]).await.access_token(&client).await;
    let mut feeds = Vec::new();
    // The first ones warm up what all share.
    let mut base = 0;
    for number in 0..WATCHERS + 10 {
        if number == 10 {
            base = program.resident();
        }
        let mut feed = Feed::begin(&program.client().await.bearing(&token), "").await.expect("a stream");
        feed.caught_up().await;
        feeds.push(feed);
    }
    let grown = program.resident().saturating_sub(base);
    println!("{} KiB a watcher", grown / WATCHERS);
    assert!(grown <= WATCHERS * EACH_KIB, "{WATCHERS} watchers take {grown} KiB");
    for feed in &mut feeds {
        assert!(feed.caught_up().await < Duration::from_secs(5), "all of them are told");
    }
}

on_each_backend!(
    a_snapshot_comes_first_and_then_what_any_replica_revokes,
    users_and_keys_are_told_with_what_still_counts,
    a_cursor_goes_on_where_a_replica_went_away,
    only_a_cursor_of_the_service_is_taken,
    the_feed_ends_with_its_readers_token,
    everybody_may_follow_where_the_feed_is_open_and_nobody_else_s_method_opens,
    fifty_watchers_miss_none_of_ten_thousand_revocations_a_second,
    a_reader_who_has_stopped_is_cut_off_and_one_who_is_far_behind_asks_for_a_snapshot,
);
