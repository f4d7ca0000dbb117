//! A flood of logins meets the bounded queue of the hashing threads, in the real binary.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use keystead::grpc::pb::TokenStatus;
use tokio::task::{JoinHandle, JoinSet};
use tonic::Code;

use crate::harness::{Client, Person, Program, Values, WRONG_PASSWORD};

const LOGINS: usize = 500;
/// Connections that the flood comes by; each carries up to a hundred calls at once.
const CONNECTIONS: usize = 10;
const THREADS: u64 = 2;
/// Hashing takes what the other threads leave.
const HASHING_NICENESS: i32 = 19;
/// So dear that one hash more than there are threads for stands out.
const HASH_KIB: u64 = 128 * 1024;
/// What 500 calls in flight may cost beside their hashes; less than one hash.
const MARGIN_KIB: u64 = 96 * 1024;
/// How long a verdict may take while every processor hashes; it waits for no hash, only for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

#[expect(clippy::disallowed_methods, reason = "the promise is one of time")]
fn now() -> Instant {
    Instant::now()
}

fn values() -> Values {
    let mut values = Values::generous();
    values.set("passwords.memory_kib", &HASH_KIB.to_string());
    values.set("passwords.threads", &THREADS.to_string());
    values.set("passwords.queue", "6");
    values
}

/// Verifies one token over and over until told to stop; how long each call took.
fn keep_verifying(client: Client, token: String, stop: Arc<AtomicBool>) -> JoinHandle<Vec<Duration>> {
    tokio::spawn(async move {
        let mut spans = Vec::new();
        while !stop.load(Ordering::SeqCst) {
            let began = now();
            assert_eq!(client.status_of(&token).await, TokenStatus::Active);
            spans.push(began.elapsed());
        }
        spans
    })
}

// promise P5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_logins_at_once_cost_bounded_memory_and_verification_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = Program::configured(folder.path(), &values(), &[]).await;
    let base = program.memory();
    let person = Person::new("crowd");
    let token = person.register(&program.client().await).await.set.access_token;
    assert_eq!(program.threads_of_niceness(HASHING_NICENESS) as u64, THREADS, "hashing threads stand back");
    let stop = Arc::new(AtomicBool::new(false));
    let verifying = keep_verifying(program.client().await, token, Arc::clone(&stop));
    let mut logins = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let client = program.client().await;
        for number in 0..LOGINS / CONNECTIONS {
            let (client, person) = (client.clone(), person.clone());
            let password = if number % 2 == 0 { person.password.clone() } else { WRONG_PASSWORD.to_owned() };
            logins.spawn(async move { client.log_in(&person.email, &password).await });
        }
    }
    let answers = logins.join_all().await;
    stop.store(true, Ordering::SeqCst);
    let spans = verifying.await.expect("every verdict is right");

    let refused = answers.into_iter().filter_map(Result::err);
    let (full, judged): (Vec<_>, Vec<_>) = refused.partition(|failure| failure.reason == "HASH_CAPACITY");
    for failure in judged {
        failure.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
    for failure in &full {
        failure.is(Code::ResourceExhausted, "HASH_CAPACITY");
        let wait = failure.retry_after.expect("when to try again");
        assert!(wait > Duration::ZERO && wait < Duration::from_mins(1), "{wait:?}");
        assert_eq!(wait.subsec_nanos() % 1_000_000, 0, "whole milliseconds: {wait:?}");
    }
    assert!(full.len() > LOGINS / 2, "the queue was not full: only {} were turned away", full.len());
    assert!(full.len() < LOGINS, "nobody was judged");

    let grown = program.memory() - base;
    let allowed = THREADS * HASH_KIB + MARGIN_KIB;
    assert!(grown >= HASH_KIB, "the measurement sees a hash: {grown} KiB");
    assert!(grown <= allowed, "memory grew by {grown} KiB; {allowed} are allowed");
    let slowest = spans.iter().max().expect("some verdicts");
    assert!(*slowest < PATIENCE, "a verdict took {slowest:?}");
    assert!(spans.len() >= 5, "only {} verdicts during the flood", spans.len());
}
