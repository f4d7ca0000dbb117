//! Which passwords a hashing queue takes, in the real binary: those that can be done in time, for callers who wait.

use std::time::{Duration, Instant};

use keystead::grpc::pb;
use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use tokio::task::JoinSet;
use tonic::Code;

use crate::harness::{Client, Failure, Person, Program, Values, WRONG_PASSWORD, until};

/// So dear that a crowd of them takes many seconds on one thread, and is not done before a test has looked.
const HASH_KIB: u64 = 128 * 1024;
const CROWD: usize = 90;
/// Somebody in a hurry has the time of so many logins: much more than for one hash and for a refusal, much less than for
/// the crowd's hashes.
const HASTE: u32 = 10;
/// Hashes that a machine can have done in the time that a test needs to look.
const FEW: u32 = 30;

async fn start(folder: &tempfile::TempDir) -> Program {
    let mut values = Values::generous();
    values.set("passwords.memory_kib", &HASH_KIB.to_string());
    values.set("passwords.threads", "1");
    values.set("passwords.queue", "1000");
    Program::configured(folder.path(), &values, &[]).await
}

/// Begins a crowd of logins that nobody is in a hurry for.
fn begin_crowd(client: &Client, person: &Person) -> JoinSet<()> {
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (client, email) = (client.clone(), person.email.clone());
        crowd.spawn(async move {
            // Refused or wrong: it is only there to be hashed.
            client.log_in(&email, WRONG_PASSWORD).await.expect_err("a wrong password");
        });
    }
    crowd
}

async fn log_in_within(client: &Client, person: &Person, haste: Duration) -> Result<(), Failure> {
    let message = pb::LoginRequest {
        email: person.email.clone(),
        password: person.password.clone(),
        ..pb::LoginRequest::default()
    };
    let mut request = client.shown(message);
    request.set_timeout(haste);
    let answer = AuthServiceClient::new(client.channel.clone()).login(request).await;
    answer.map(drop).map_err(Failure::checked)
}

/// How long somebody in a hurry waits, on this machine as busy as it is.
#[expect(clippy::disallowed_methods, reason = "deadlines are spans of real time")]
async fn haste(client: &Client, person: &Person) -> Duration {
    let mut slowest = Duration::ZERO;
    for _ in 0..3 {
        let begun = Instant::now();
        person.log_in(client).await.expect("tokens");
        slowest = slowest.max(begun.elapsed());
    }
    slowest * HASTE
}

/// Waits until more of the crowd waits than can be hashed in a hurry.
async fn crowd_waits(client: &Client, person: &Person, haste: Duration) {
    until("the crowd waits", || async {
        let answer = log_in_within(client, person, haste).await;
        answer.is_err_and(|failure| failure.reason == "HASH_CAPACITY")
    })
    .await;
}

// promise P5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_cannot_be_done_before_its_deadline_is_refused_at_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = start(&folder).await;
    let person = Person::new("hasty");
    let client = program.client().await;
    person.register(&client).await;
    let haste = haste(&client, &person).await;
    assert_eq!(log_in_within(&client, &person, haste).await, Ok(()), "alone there is time enough");

    let crowd = begin_crowd(&program.client().await, &person);
    crowd_waits(&client, &person, haste).await;
    for _ in 0..10 {
        // Not DEADLINE_EXCEEDED: it was not made to wait for nothing.
        let refusal = log_in_within(&client, &person, haste).await.expect_err("too many are ahead");
        refusal.is(Code::ResourceExhausted, "HASH_CAPACITY");
        let wait = refusal.retry_after.expect("when to try again");
        assert!(wait > haste / 2 && wait < haste * u32::try_from(CROWD).expect("few"), "{wait:?} in {haste:?}");
    }
    let mut request = client.shown(Person::new("newcomer").registration());
    request.set_timeout(haste);
    let refusal = AuthServiceClient::new(client.channel.clone()).register(request).await.expect_err("no time");
    Failure::checked(refusal).is(Code::ResourceExhausted, "HASH_CAPACITY");
    drop(crowd);
}

// promise P5
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_its_caller_has_cancelled_is_not_hashed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = start(&folder).await;
    let person = Person::new("fickle");
    let client = program.client().await;
    person.register(&client).await;
    let haste = haste(&client, &person).await;
    let before = program.processor_time();
    person.log_in(&client).await.expect("tokens");
    let one_login = program.processor_time().saturating_sub(before);

    let before = program.processor_time();
    let mut crowd = begin_crowd(&program.client().await, &person);
    crowd_waits(&client, &person, haste).await;
    crowd.shutdown().await;
    until("a place is free", || async { person.log_in(&client).await.is_ok() }).await;
    let spent = program.processor_time().saturating_sub(before);
    assert!(spent < one_login * FEW, "{spent:?} of processor time went into cancelled logins; one takes {one_login:?}");
}
