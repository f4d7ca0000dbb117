//! `/metrics`: what is told, under which names, and that the real Prometheus takes it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tonic::Code;

use crate::harness::smtp::smtp_url;
use crate::harness::{Backend, Keystead, Person, Program, Setup, eventually, http_get, on_each_backend, until};
use crate::support::process::free_port;
use crate::support::prometheus::{Prometheus, check_metrics};

async fn page(keystead: &Keystead) -> String {
    let answer = keystead.replica(0).get("/metrics", &[]).await;
    assert_eq!(answer.status, 200);
    answer.body
}

/// The page as soon as these samples have these values: calls and hashes are counted when their answers are out, which a
/// client may be ahead of.
async fn page_with(keystead: &Keystead, expected: &[(&str, &str)]) -> String {
    eventually(&format!("{expected:?}"), || async {
        let page = page(keystead).await;
        let tells = |(sample, value): &(&str, &str)| page.lines().any(|line| line == format!("{sample} {value}"));
        expected.iter().all(tells).then_some(page)
    })
    .await
}

/// A sample's value as it is written, by its name and labels.
fn value<'p>(page: &'p str, sample: &str) -> &'p str {
    let value = page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {sample} in {page}"))
}

fn number(page: &str, sample: &str) -> f64 {
    value(page, sample).parse().expect("a number")
}

/// Somebody registers, signs in twice, once with a wrong password, and has a token verified three times.
async fn use_it(keystead: &Keystead) {
    let client = keystead.client().await;
    let ada = Person::new("ada");
    let tokens = ada.register(&client).await.set;
    ada.log_in(&client).await.expect("tokens");
    client.log_in(&ada.email, "not the password of ada").await.expect_err("a wrong password");
    for _ in 0..3 {
        client.status_of(&tokens.access_token).await;
    }
}

async fn every_number_moves_with_what_it_counts(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    use_it(&keystead).await;
    let expected = [
        ("keystead_grpc_requests_total{method=\"keystead.v1.AuthService/Login\",code=\"OK\"}", "1"),
        ("keystead_grpc_requests_total{method=\"keystead.v1.AuthService/Login\",code=\"UNAUTHENTICATED\"}", "1"),
        ("keystead_grpc_request_duration_seconds_count{method=\"keystead.v1.AuthService/VerifyToken\"}", "3"),
        ("keystead_password_hash_duration_seconds_count", "3"),
        ("keystead_verified_tokens_hits_total", "2"),
        ("keystead_verified_tokens_misses_total", "1"),
        ("keystead_verified_tokens", "1"),
        ("keystead_ready", "1"),
        ("keystead_check{check=\"database\"}", "1"),
    ];
    let page = page_with(&keystead, &expected).await;
    assert!(number(&page, "keystead_grpc_connections") >= 1.0, "{page}");
    assert!(number(&page, "keystead_revocation_state_age_seconds") <= 5.0, "{page}");
    assert!(number(&page, "keystead_outbox_oldest_mail_age_seconds") >= 0.0, "{page}");
}

async fn a_refusal_counts_under_the_limit_that_refused(backend: Backend) {
    let limited = Setup::on(backend)
        .with("limits.per_account_and_source_burst", "2")
        .with("limits.per_account_and_source_period", "'1h'");
    let keystead = limited.start().await;
    let client = keystead.client().await;
    let ada = Person::new("ada");
    ada.register(&client).await;
    let mut refused = 0;
    for _ in 0..5 {
        let failure = client.log_in(&ada.email, "not the password of ada").await.expect_err("a refusal");
        refused += i32::from(failure.code == Code::ResourceExhausted);
    }
    assert!(refused > 0, "a limit is met");
    assert_eq!(
        value(&page(&keystead).await, "keystead_throttle_refusals_total{limit=\"account_source\"}"),
        refused.to_string()
    );
}

/// The series of mails with what became of them on this replica.
fn deliveries(page: &str) -> [&str; 3] {
    let outcomes = ["delivered", "postponed", "given_up"];
    outcomes.map(|outcome| value(page, &format!("keystead_mail_deliveries_total{{outcome=\"{outcome}\"}}")))
}

async fn mails_that_wait_are_told_with_their_age_and_counted_by_what_becomes_of_them(backend: Backend) {
    let away = format!("'{}'", smtp_url(free_port()));
    let keystead = Setup::on(backend).with("mail.smtp_url", &away).start().await;
    let client = keystead.client().await;
    Person::new("ada").register(&client).await;
    until("a delivery that is put off", || async { deliveries(&page(&keystead).await) == ["0", "1", "0"] }).await;
    keystead.clock.advance(Duration::from_mins(10));
    until("the age of what waits", || async {
        let page = page(&keystead).await;
        let age = number(&page, "keystead_outbox_oldest_mail_age_seconds");
        (600.0..700.0).contains(&age) && value(&page, "keystead_outbox_mails") == "1"
    })
    .await;
    // The token in the mail has expired by then.
    keystead.clock.advance(Duration::from_mins(30));
    until("a mail that is given up", || async {
        let page = page(&keystead).await;
        deliveries(&page)[0] == "0" && deliveries(&page)[2] == "1" && value(&page, "keystead_outbox_mails") == "0"
    })
    .await;
}

// promise D4
async fn what_has_had_its_time_goes_and_is_counted_by_its_kind(backend: Backend) {
    let mut keystead = Keystead::start(backend).await;
    use_it(&keystead).await;
    let before = page(&keystead).await;
    assert_eq!(value(&before, "keystead_retention_rows_total{kind=\"sessions\"}"), "0");
    let rows = keystead.rows().await;
    rows.execute("UPDATE sessions SET expires_at = 1").await;
    keystead.restart().await;
    until("two sessions to be counted", || async {
        value(&page(&keystead).await, "keystead_retention_rows_total{kind=\"sessions\"}") == "2"
    })
    .await;
    assert_eq!(rows.number("SELECT count(*) FROM sessions").await, 0);
    assert_eq!(value(&page(&keystead).await, "keystead_retention_rows_total{kind=\"audit_events\"}"), "0");
}

async fn a_path_that_a_caller_makes_up_is_told_nowhere(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    http_get(keystead.replica(0).http, "/made-up-by-a-caller", &[]).await;
    let client = keystead.client().await;
    let mut raw = tonic::client::Grpc::new(client.channel.clone());
    raw.ready().await.expect("a connection");
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    let path = http::uri::PathAndQuery::from_static("/made.up.ByA/Caller");
    let status = raw.unary(tonic::Request::new(()), path, codec).await.expect_err("a refusal");
    assert_eq!(status.code(), Code::Unimplemented);
    let counted = "keystead_grpc_requests_total{method=\"other\",code=\"UNIMPLEMENTED\"}";
    let page = page_with(&keystead, &[(counted, "1")]).await;
    assert!(!page.contains("made"), "{page}");
    assert_eq!(value(&page, "keystead_http_requests_total{path=\"other\",status=\"404\"}"), "1");
}

on_each_backend!(
    every_number_moves_with_what_it_counts,
    a_refusal_counts_under_the_limit_that_refused,
    mails_that_wait_are_told_with_their_age_and_counted_by_what_becomes_of_them,
    what_has_had_its_time_goes_and_is_counted_by_its_kind,
    a_path_that_a_caller_makes_up_is_told_nowhere,
);

/// Names and types, as the table of the page for operators has them.
fn documented() -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/telemetry.md"));
    let row = |line: &str| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        (name.starts_with("keystead_") || name.starts_with("process_")).then_some(())?;
        Some((name.to_owned(), rest.split_once(" |")?.0.to_owned()))
    };
    page.expect("the page").lines().filter_map(row).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_about_to_stop_is_told_as_draining_and_not_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start(folder.path(), &[("KEYSTEAD_DRAIN_DELAY", "1m")]).await;
    let told = || async {
        let page = http_get(program.http, "/metrics", &[]).await.body;
        ["keystead_ready", "keystead_draining"].map(|name| value(&page, name).to_owned())
    };
    assert_eq!(told().await, ["1", "0"]);
    program.signal("TERM");
    until("the metrics to tell of it", || async { told().await == ["0", "1"] }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_put_off_is_told_in_the_log_in_the_words_of_the_page_for_operators() {
    let folder = tempfile::tempdir().expect("a folder");
    let away = smtp_url(free_port());
    let variables = [("KEYSTEAD_MAIL_SMTP_URL", away.as_str()), ("KEYSTEAD_DRAIN_DELAY", "0s")];
    let program = Program::start(folder.path(), &variables).await;
    Person::new("ada").register(&program.client().await).await;
    until("a delivery that is put off", || async {
        deliveries(&http_get(program.http, "/metrics", &[]).await.body)[1] == "1"
    })
    .await;
    program.signal("TERM");
    let (_, log) = program.end().await;
    let words = "a mail could not be delivered for now";
    assert!(log.contains(words), "{log}");
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/telemetry.md"));
    assert!(page.expect("the page").contains(words));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_told_is_what_is_documented_and_promtool_finds_no_fault() {
    let keystead = Keystead::start(Backend::PostgresRedis).await;
    use_it(&keystead).await;
    let page = page(&keystead).await;
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let told: BTreeMap<String, String> = types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
    assert_eq!(told, documented());
    assert_eq!(check_metrics(&page), "");
}

/// What the real Prometheus answers to a query, once it has something to answer.
async fn ask(prometheus: &Prometheus, query: &str) -> String {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, prometheus.port));
    let result = eventually(query, || async {
        let answer = http_get(address, &format!("/api/v1/query?query={query}"), &[]).await;
        let answer: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
        answer["data"]["result"][0]["value"][1].as_str().map(ToOwned::to_owned)
    });
    result.await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_scrapes_the_port_of_the_metrics_and_follows_the_rules() {
    let keystead = Setup::on(Backend::Sqlite).start().await;
    use_it(&keystead).await;
    let target = keystead.replica(0).http;
    let prometheus = tokio::task::spawn_blocking(move || Prometheus::scraping(target)).await.expect("Prometheus");
    until("a scrape that succeeds", || async { ask(&prometheus, "up").await == "1" }).await;
    let logins = "keystead_grpc_requests_total%7Bmethod=~%22.*Login%22,code=%22OK%22%7D";
    assert_eq!(ask(&prometheus, logins).await, "1");
    let mails = "keystead_outbox_mails%20%3E=%200";
    ask(&prometheus, mails).await;
    let rules = http_get(SocketAddr::from((Ipv4Addr::LOCALHOST, prometheus.port)), "/api/v1/rules", &[]).await.body;
    assert!(rules.contains("KeysteadRevocationsStale") && !rules.contains("\"health\":\"err\""), "{rules}");
}
