//! Neither words nor time tell a stranger whether an address has an account, or in which state.
//!
//! Time is judged by interleaved measurements and their low quantile over the whole run: what else the machine does
//! only ever adds time, so that the quick calls of each kind are the ones to compare. The control is one of the kinds
//! with a millisecond added by the client: a check that does not see it proves nothing, and fails. How many measurements
//! are taken depends on how precise they are. A verdict that something is wrong counts only if fresh servers say so each
//! time: what the service does differently shows every time, what the machine did at the wrong moment does not.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use keystead::grpc::pb;
use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use tonic::{Code, Request, Status};

use crate::harness::{Backend, Client, Keystead, Person, Records, Setup, WRONG_PASSWORD, on_each_backend};

/// The leak that must be seen.
const PLANTED: Duration = Duration::from_millis(1);
/// A difference of more than half of that is a leak.
const LEAK: f64 = 0.5;
/// In standard errors: where the machine is too busy to be precise, a leak is what this much chance does not explain.
const CHANCE: f64 = 3.0;
/// How sure the difference must be, in milliseconds, before it is judged.
const PRECISION: f64 = 0.12;
/// Rounds of a batch; each round calls every kind once.
const ROUNDS: usize = 40;
/// Batches: so many at least, and at most.
const BATCHES: RangeInclusive<usize> = 5..=12;
/// So many servers must agree that something is wrong.
const WITNESSES: usize = 3;
/// Failures on one account that stay below the cap on failures in a row.
const PER_ACCOUNT: usize = 90;
/// Every kind's call is made from here, which is not where the accounts were made.
const STRANGER: &str = "203.0.113.9";
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What a stranger may not tell apart, and the control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Known,
    Unknown,
    Disabled,
    /// As `Known`, and a millisecond slower.
    Control,
}

#[expect(clippy::disallowed_methods, reason = "time is what is judged")]
fn now() -> Instant {
    Instant::now()
}

/// Spins, since a timer is not as exact as a millisecond.
fn dawdle(span: Duration) {
    let began = now();
    while began.elapsed() < span {
        std::hint::spin_loop();
    }
}

fn stranger<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-forwarded-for", STRANGER.parse().expect("a value"));
    request.metadata_mut().insert("traceparent", TRACE.parse().expect("a value"));
    request
}

async fn log_in(client: &Client, email: &str, password: &str) -> Status {
    let message = pb::LoginRequest { email: email.into(), password: password.into(), ..pb::LoginRequest::default() };
    AuthServiceClient::new(client.channel.clone()).login(stranger(message)).await.expect_err("a refusal")
}

async fn ask_for_reset(client: &Client, email: &str) {
    let message = pb::RequestResetRequest { email: email.into() };
    AuthServiceClient::new(client.channel.clone()).request_reset(stranger(message)).await.expect("taken");
}

/// The fixtures: addresses of each kind, enough of them that no account meets the cap.
struct Addresses(HashMap<&'static str, Vec<Person>>);

impl Addresses {
    async fn make(keystead: &Keystead, client: &Client) -> Self {
        let many = ROUNDS * BATCHES.end() / PER_ACCOUNT + 2;
        let mut people = HashMap::new();
        for name in ["known", "unknown", "disabled", "control"] {
            let group: Vec<_> = (0..many).map(|_| Person::new(name)).collect();
            if name != "unknown" {
                for person in &group {
                    person.register(client).await;
                }
            }
            people.insert(name, group);
        }
        let disable = "UPDATE users SET state = 'disabled' WHERE email LIKE 'disabled%'";
        keystead.records().await.execute(disable).await;
        Self(people)
    }

    fn of(&self, kind: Kind, round: usize) -> &Person {
        let name = match kind {
            Kind::Known => "known",
            Kind::Unknown => "unknown",
            Kind::Disabled => "disabled",
            Kind::Control => "control",
        };
        &self.0[name][round / PER_ACCOUNT]
    }
}

async fn started(backend: Backend) -> Keystead {
    Setup::on(backend).with("grpc.trusted_proxies", "[\"127.0.0.1\"]").with("passwords.threads", "1").start().await
}

/// By how much a kind is slower than `Known`, and the standard error of that; in milliseconds.
#[derive(Clone, Copy, Debug)]
struct Difference {
    kind: Kind,
    mean: f64,
    error: f64,
}

/// What each kind's calls took, batch by batch.
struct Measurements {
    kinds: Vec<Kind>,
    batches: Vec<Vec<Vec<f64>>>,
}

impl Measurements {
    fn new(kinds: &[Kind]) -> Self {
        Self { kinds: kinds.to_vec(), batches: Vec::new() }
    }

    /// One round after another; another kind first in each, and every few rounds the other way round.
    async fn take_batch<F: Future>(&mut self, call: &impl Fn(Kind, usize) -> F) {
        let count = self.kinds.len();
        let mut spans = vec![Vec::new(); count];
        for round in self.batches.len() * ROUNDS..(self.batches.len() + 1) * ROUNDS {
            for step in 0..count {
                let turn = (step + round) % count;
                let index = if (round / count).is_multiple_of(2) { turn } else { count - 1 - turn };
                let began = now();
                call(self.kinds[index], round).await;
                if self.kinds[index] == Kind::Control {
                    dawdle(PLANTED);
                }
                spans[index].push(began.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        self.batches.push(spans);
    }

    /// Of the kind at `index` less the first, over all batches but one.
    fn difference(&self, index: usize, left_out: Option<usize>) -> f64 {
        let batches = || self.batches.iter().enumerate().filter(|(number, _)| Some(*number) != left_out);
        let quick = |index: usize| low_quantile(batches().flat_map(|(_, spans)| spans[index].clone()).collect());
        quick(index) - quick(0)
    }

    /// The standard errors are those of the jackknife over the batches.
    fn differences(&self) -> Vec<Difference> {
        let count = f64::from(u32::try_from(self.batches.len()).expect("a small number"));
        let of = |index: usize| {
            let partial: Vec<_> = (0..self.batches.len()).map(|out| self.difference(index, Some(out))).collect();
            let middle = partial.iter().sum::<f64>() / count;
            let spread = partial.iter().map(|value| (value - middle).powi(2)).sum::<f64>();
            let error = (spread * (count - 1.0) / count).sqrt();
            Difference { kind: self.kinds[index], mean: self.difference(index, None), error }
        };
        (1..self.kinds.len()).map(of).collect()
    }
}

/// The tenth part of the calls is quicker than this.
fn low_quantile(mut spans: Vec<f64>) -> f64 {
    spans.sort_by(f64::total_cmp);
    spans[spans.len() / 10]
}

async fn differences<F: Future>(kinds: &[Kind], call: impl Fn(Kind, usize) -> F) -> Vec<Difference> {
    let mut measurements = Measurements::new(kinds);
    loop {
        measurements.take_batch(&call).await;
        let batches = measurements.batches.len();
        if batches < *BATCHES.start() {
            continue;
        }
        let differences = measurements.differences();
        let is_precise = differences.iter().all(|difference| difference.error <= PRECISION);
        if is_precise || batches == *BATCHES.end() {
            return differences;
        }
    }
}

/// What is wrong with a kind, if anything. Beside other loads the measurements may stay imprecise; then only a leak that
/// is plain all the same is one, and the control is let go.
fn fault(Difference { kind, mean, error }: Difference) -> Option<String> {
    let is_precise = error <= PRECISION;
    let is_seen = mean.abs() > if is_precise { LEAK } else { LEAK.max(CHANCE * error) };
    match kind {
        Kind::Control => (!is_seen && is_precise).then(|| "the planted leak was not seen".to_owned()),
        Kind::Known | Kind::Unknown | Kind::Disabled => is_seen.then(|| format!("{kind:?} can be told by its time")),
    }
}

/// Fails where every witness finds fault; one that finds none ends the hearing.
async fn hear_witnesses(backend: Backend, kinds: &[Kind], call: impl AsyncFn(&Client, &Addresses, Kind, usize)) {
    for witness in 1..=WITNESSES {
        let keystead = started(backend).await;
        let client = keystead.client().await;
        let addresses = Addresses::make(&keystead, &client).await;
        let differences = differences(kinds, |kind, round| call(&client, &addresses, kind, round)).await;
        println!("{differences:?}");
        let faults: Vec<_> = differences.iter().copied().filter_map(fault).collect();
        if faults.is_empty() {
            return;
        }
        assert!(witness < WITNESSES, "{faults:?}: {differences:?}");
    }
}

// promise L6
async fn unknown_wrong_and_disabled_are_refused_alike_to_the_byte(backend: Backend) {
    let keystead = started(backend).await;
    let client = keystead.client().await;
    let addresses = Addresses::make(&keystead, &client).await;
    let told = |status: &Status| {
        let mut metadata = status.metadata().clone();
        // The second in which it was told may pass between two answers.
        metadata.remove("date");
        let metadata = format!("{metadata:?}");
        (status.code(), status.message().to_owned(), status.details().to_vec(), metadata)
    };
    let wrong = log_in(&client, &addresses.of(Kind::Known, 0).email, WRONG_PASSWORD).await;
    assert_eq!(wrong.code(), Code::Unauthenticated);
    let disabled = addresses.of(Kind::Disabled, 0);
    for (what, status) in [
        ("unknown", log_in(&client, &addresses.of(Kind::Unknown, 0).email, WRONG_PASSWORD).await),
        ("disabled, wrong", log_in(&client, &disabled.email, WRONG_PASSWORD).await),
        ("disabled, right", log_in(&client, &disabled.email, &disabled.password).await),
    ] {
        assert_eq!(told(&status), told(&wrong), "{what}");
    }
}

// promise L6
async fn unknown_wrong_and_disabled_take_the_same_time(backend: Backend) {
    let kinds = [Kind::Known, Kind::Unknown, Kind::Disabled, Kind::Control];
    hear_witnesses(backend, &kinds, async |client, addresses, kind, round| {
        let person = addresses.of(kind, round);
        let password = if kind == Kind::Disabled { &person.password } else { WRONG_PASSWORD };
        assert_eq!(log_in(client, &person.email, password).await.code(), Code::Unauthenticated);
    })
    .await;
}

// promise L6
async fn a_reset_takes_the_same_time_for_known_and_unknown(backend: Backend) {
    hear_witnesses(backend, &[Kind::Known, Kind::Unknown, Kind::Control], async |client, addresses, kind, round| {
        ask_for_reset(client, &addresses.of(kind, round).email).await;
    })
    .await;
}

/// Notes every row that is inserted from now on, but for the tokens of the worker, which come after the answer.
async fn count_inserts(records: &Records) {
    let tables = records.tables().await;
    records.execute("CREATE TABLE noted (name TEXT NOT NULL)").await;
    for table in tables.iter().filter(|table| *table != "one_time_tokens") {
        if records.is_sqlite() {
            let note = format!("BEGIN INSERT INTO noted VALUES ('{table}'); END");
            records.execute(&format!("CREATE TRIGGER note_{table} AFTER INSERT ON {table} {note}")).await;
        } else {
            let body = format!("BEGIN INSERT INTO noted VALUES ('{table}'); RETURN NULL; END");
            let function = format!("CREATE FUNCTION note_{table}() RETURNS trigger LANGUAGE plpgsql AS '{body}'");
            records.execute(&function.replace(&format!("('{table}')"), &format!("(''{table}'')"))).await;
            let trigger = format!("CREATE TRIGGER note_{table} AFTER INSERT ON {table} FOR EACH ROW");
            records.execute(&format!("{trigger} EXECUTE FUNCTION note_{table}()")).await;
        }
    }
}

// promise L6
async fn a_reset_writes_the_same_rows_for_known_and_unknown(backend: Backend) {
    let keystead = started(backend).await;
    let client = keystead.client().await;
    let (known, unknown) = (Person::new("known"), Person::new("unknown"));
    known.register(&client).await;
    let records = keystead.records().await;
    count_inserts(&records).await;
    let mut written = Vec::new();
    for person in [&known, &unknown] {
        ask_for_reset(&client, &person.email).await;
        written.push(records.texts("SELECT name FROM noted ORDER BY name").await);
        records.execute("DELETE FROM noted").await;
    }
    assert_eq!(written[0], ["audit_events", "outbox"]);
    assert_eq!(written[0], written[1]);
}

on_each_backend!(
    unknown_wrong_and_disabled_are_refused_alike_to_the_byte,
    unknown_wrong_and_disabled_take_the_same_time,
    a_reset_takes_the_same_time_for_known_and_unknown,
    a_reset_writes_the_same_rows_for_known_and_unknown,
);
