//! Traces: what a real collector is told of calls, of their statements and of Redis, and what it costs when it is away.

use std::time::Duration;

use keystead::grpc::pb;
use keystead::grpc::pb::auth_service_client::AuthServiceClient;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tempfile::TempDir;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::harness::collector::{Collector, Step};
use crate::harness::{Backend, Client, Person, Program, Servers, Values, http_send, within};

const LOGIN: &str = "keystead.v1.AuthService/Login";
const VERIFY_TOKEN: &str = "keystead.v1.AuthService/VerifyToken";
const PARENT: &str = "00f067aa0ba902b7";

/// A Keystead that tells a collector of its traces, and somebody who uses it.
struct Scene {
    program: Program,
    client: Client,
    ada: Person,
    access_token: String,
    _servers: Servers,
    _folder: TempDir,
}

impl Scene {
    async fn set(backend: Backend, endpoint: &str, ratio: &str) -> Self {
        let (servers, folder) = (Servers::start(backend).await, tempfile::tempdir().expect("a temporary folder"));
        let mut values = Values::generous();
        values.place(folder.path(), &servers);
        values.set("telemetry.otlp_endpoint", &format!("'{endpoint}'"));
        values.set("telemetry.sample_ratio", ratio);
        values.set("telemetry.instance", "'replica-1'");
        let program = Program::configured(folder.path(), &values, &[]).await;
        let client = program.client().await;
        let ada = Person::new("ada");
        let access_token = ada.register(&client).await.set.access_token;
        Self { program, client, ada, access_token, _servers: servers, _folder: folder }
    }

    async fn log_in(&self, traceparent: Option<&str>, password: &str) -> Result<(), Status> {
        let mut api = AuthServiceClient::new(self.client.channel.clone());
        let message =
            pb::LoginRequest { email: self.ada.email.clone(), password: password.to_owned(), ..Default::default() };
        api.login(on(traceparent, message)).await.map(|_| ())
    }

    async fn verify(&self, traceparent: &str) {
        let mut api = AuthServiceClient::new(self.client.channel.clone());
        let message = pb::VerifyTokenRequest { access_token: self.access_token.clone(), ..Default::default() };
        api.verify_token(on(Some(traceparent), message)).await.expect("a verdict");
    }
}

fn on<T>(traceparent: Option<&str>, message: T) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(traceparent) = traceparent {
        request.metadata_mut().insert("traceparent", traceparent.parse().expect("a value"));
    }
    request
}

fn trace(number: u8) -> String {
    format!("4bf92f3577b34da6a3ce929d0e0e47{number:02x}")
}

fn sampled(number: u8) -> String {
    format!("00-{}-{PARENT}-01", trace(number))
}

fn below<'s>(steps: &'s [Step], parent: &Step) -> Vec<&'s Step> {
    steps.iter().filter(|step| step.parent == parent.id && step.trace == parent.trace).collect()
}

async fn a_call_is_a_step_of_its_callers_trace(backend: Backend) {
    let collector = Collector::start().await;
    let scene = Scene::set(backend, &collector.endpoint(), "0.0").await;
    scene.log_in(Some(&sampled(1)), &scene.ada.password).await.expect("tokens");

    let login = collector.step(&trace(1), LOGIN).await;
    assert_eq!((login.parent.as_str(), login.kind, login.failed), (PARENT, SpanKind::Server, false));
    let told =
        ["rpc.system", "rpc.service", "rpc.method", "rpc.response.status_code"].map(|name| login.attribute(name));
    assert_eq!(told, ["grpc", "keystead.v1.AuthService", "Login", "OK"]);
    let resource = ["service.name", "service.instance.id"].map(|name| login.resource[name].as_str());
    assert_eq!(resource, ["keystead", "replica-1"]);

    let steps = collector.steps();
    let below = below(&steps, &login);
    let system = if backend == Backend::Sqlite { "sqlite" } else { "postgresql" };
    for name in ["SELECT", "INSERT", "BEGIN", "COMMIT"] {
        let step = below.iter().find(|step| step.name == name).unwrap_or_else(|| panic!("no {name} in {below:?}"));
        assert_eq!((step.kind, step.attribute("db.system.name")), (SpanKind::Client, system));
    }
    assert!(below.iter().any(|step| step.attribute("db.query.text").contains("FROM \"users\"")), "{below:?}");
    let redis = below.iter().filter(|step| step.name == "EVALSHA" && step.attribute("db.system.name") == "redis");
    assert_eq!(redis.count() > 0, backend != Backend::Sqlite, "{below:?}");
    // promise S1
    let text = collector.text();
    assert!(!text.contains(&scene.ada.email) && !text.contains(&scene.ada.password), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_a_call_is_a_step_of_its_callers_trace_with_its_statements_below() {
    a_call_is_a_step_of_its_callers_trace(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_and_redis_a_call_is_a_step_of_its_callers_trace_with_its_commands_below() {
    a_call_is_a_step_of_its_callers_trace(Backend::PostgresRedis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_decides_whether_their_trace_goes_on_and_verification_is_told_like_the_rest() {
    let collector = Collector::start().await;
    let scene = Scene::set(Backend::Sqlite, &collector.endpoint(), "0.0").await;
    scene.verify(&format!("00-{}-{PARENT}-00", trace(1))).await;
    scene.log_in(None, &scene.ada.password).await.expect("tokens");
    scene.verify(&sampled(2)).await;
    let verification = collector.step(&trace(2), VERIFY_TOKEN).await;
    assert_eq!((verification.parent.as_str(), verification.attribute("rpc.response.status_code")), (PARENT, "OK"));
    let steps = collector.steps();
    assert!(below(&steps, &verification).is_empty(), "it asks nobody: {steps:?}");
    assert!(steps.iter().all(|step| step.trace == trace(2)), "what is not sampled is not told: {steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_that_begins_here_has_no_parent_and_the_id_that_caller_and_log_are_told() {
    let collector = Collector::start().await;
    let scene = Scene::set(Backend::Sqlite, &collector.endpoint(), "1").await;
    let refused = scene.log_in(None, "not the password of ada").await.expect_err("a refusal");
    assert_eq!(refused.code(), Code::Unauthenticated);
    let id = refused.get_error_details().request_info().expect("RequestInfo").request_id.clone();
    let login = collector.step(&id, LOGIN).await;
    assert_eq!((login.parent.as_str(), login.failed), ("", false), "the caller is at fault, not the service");
    assert_eq!(login.attribute("rpc.response.status_code"), "UNAUTHENTICATED");
    scene.program.signal("TERM");
    let (_, log) = scene.program.end().await;
    let line = log.lines().find(|line| line.contains(&id) && line.contains("call completed"));
    assert!(line.is_some_and(|line| line.contains("UNAUTHENTICATED")), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_over_http_is_a_step_of_its_callers_trace() {
    let collector = Collector::start().await;
    let scene = Scene::set(Backend::Sqlite, &collector.endpoint(), "0").await;
    let form = "grant_type=refresh_token&refresh_token=ksr_nothing";
    let (traceparent, length) = (sampled(3), form.len().to_string());
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-length", length.as_str()),
        ("traceparent", traceparent.as_str()),
    ];
    let answer = http_send(scene.program.http, "POST /oauth2/token", &headers, form).await;
    let step = collector.step(&trace(3), "/oauth2/token").await;
    assert_eq!((step.parent.as_str(), step.kind), (PARENT, SpanKind::Server));
    assert!(step.attribute("http.response.status_code").contains(&answer.status.to_string()), "{step:?}");
    assert_eq!(step.attribute("http.route"), "/oauth2/token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_last_is_told_before_the_end() {
    let collector = Collector::start().await;
    let scene = Scene::set(Backend::Sqlite, &collector.endpoint(), "0").await;
    scene.verify(&sampled(4)).await;
    scene.program.signal("TERM");
    let (status, log) = scene.program.end().await;
    assert!(status.success(), "{log}");
    assert!(collector.steps().iter().any(|step| step.name == VERIFY_TOKEN), "{:?}", collector.steps());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_holds_up_neither_calls_nor_the_end() {
    // Connections wait in the queue of a listener that accepts none.
    let deaf = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let endpoint = format!("http://{}", deaf.local_addr().expect("its number"));
    let scene = Scene::set(Backend::Sqlite, &endpoint, "1").await;
    for number in 0..50 {
        scene.verify(&sampled(number)).await;
    }
    scene.log_in(None, &scene.ada.password).await.expect("tokens");
    scene.program.signal("TERM");
    let (status, log) = within(Duration::from_secs(15), "the end", scene.program.end()).await;
    assert!(status.success(), "{log}");
}
