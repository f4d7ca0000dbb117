//! Every secret of a run is a unique word, and afterwards that word is nowhere: not in the log at its most talkative,
//! not in an answer, not in the database. And whatever a client sends, a line of the log stays one JSON object.

mod doors;
mod forms;
mod notes;
mod provider;
mod run;
mod second_factor;
mod transfer;

use serde_json::Value;

use crate::harness::{Backend, Program, Records, Servers};

use run::{Run, Trace};

/// The programs of one test and what they stand on.
struct Scene {
    servers: Servers,
    folder: tempfile::TempDir,
}

impl Scene {
    async fn set(backend: Backend) -> Self {
        Self { servers: Servers::start(backend).await, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn database_url(&self) -> String {
        let file = self.folder.path().join("keystead.sqlite");
        self.servers.database_url.clone().unwrap_or_else(|| format!("sqlite://{}", file.display()))
    }
}

fn log_lines(output: &str) -> Vec<Value> {
    let parse = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}): {line}"));
        assert!(value.is_object(), "no object: {line}");
        assert!(value["fields"]["message"].is_string() && value["level"].is_string(), "not of our form: {line}");
        value
    };
    output.lines().map(parse).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_no_secret_of_a_run_is_told_or_stored() {
    no_secret_of_a_run_is_told_or_stored(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_and_redis_no_secret_of_a_run_is_told_or_stored() {
    no_secret_of_a_run_is_told_or_stored(Backend::OwnPostgresRedis).await;
}

// promises S1, S2, G1, G2
async fn no_secret_of_a_run_is_told_or_stored(backend: Backend) {
    let mut scene = Scene::set(backend).await;
    let run = Run::through(&mut scene).await;

    let lines = log_lines(&run.output);
    assert!(lines.iter().any(|line| line["level"] == "INFO" && line["span"]["method"].is_string()), "calls are told");
    let doors = |line: &&Value| line["span"]["method"].as_str().is_some_and(|path| path.starts_with("/oauth2/"));
    let told = lines.iter().filter(doors).filter(|line| line["fields"]["message"] == "call completed").count();
    assert!(told > 10, "requests of the endpoints are told: {told}");
    assert!(run.output.contains("authn_login_fail"), "security events are told");
    let told = [("the log", &run.output), ("an answer", &run.answers), ("the metrics", &run.metrics)];
    assert!(run.traces.contains("INSERT INTO"), "statements are told to the collector");
    for (what, text) in told.into_iter().chain([("the traces", &run.traces), ("the database", &run.dump)]) {
        assert!(!text.is_empty(), "{what} was looked at");
        for secret in &run.secrets {
            assert_eq!(secret.form_in(text.as_bytes()), None, "{} is in {what}", secret.name);
        }
    }
    for (what, text) in [("the log", &run.output), ("an answer", &run.answers)] {
        for secret in &run.stored {
            assert_eq!(secret.form_in(text.as_bytes()), None, "{} is in {what}", secret.name);
        }
    }
    for entry in std::fs::read_dir(scene.folder.path()).expect("the data folder") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file of the service");
        for secret in &run.secrets {
            assert_eq!(secret.form_in(&bytes), None, "{} is in {}", secret.name, path.display());
        }
    }
    audited(&Records::open(&scene.database_url()).await, &run).await;
}

/// The trail tells who, what, when and from where, of outcomes that changed nothing, too.
async fn audited(records: &Records, run: &Run) {
    let one = async |kind: &str, trace: &Trace| {
        let condition = format!("kind = '{kind}' AND trace_id = '{}' AND source = '127.0.0.1' AND at > 0", trace.id);
        let query = |column: &str| format!("SELECT {column} FROM audit_events WHERE {condition}");
        let found = records.rows(&query("subject, session, outcome, detail")).await;
        assert_eq!(found.len(), 1, "one {kind} of the trace {}", trace.id);
        let row = &found[0];
        let id = |column: &str| row.try_get::<Option<uuid::Uuid>>("", column).expect("an id");
        let text = |column: &str| row.try_get::<Option<String>>("", column).expect("a text");
        assert_eq!(text("outcome").as_deref(), Some("failure"), "{kind}");
        (id("subject"), id("session"), text("detail"))
    };
    let (subject, _, _) = one("authn_login_fail", &run.wrong_login).await;
    assert_eq!(subject.map(|id| id.to_string()), Some(run.user_id.clone()));
    let (subject, session, _) = one("authn_token_reuse", &run.replay).await;
    assert_eq!(subject.map(|id| id.to_string()), Some(run.user_id.clone()));
    assert_eq!(session.map(|id| id.to_string()), Some(run.session_id.clone()));
    let (_, _, detail) = one("excess_rate_limit_exceeded", &run.throttled).await;
    assert_eq!(detail.as_deref(), Some("account_source"), "which limit");
}

// promise S2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_client_sends_a_line_of_the_log_is_one_json_object() {
    let scene = Scene::set(Backend::Sqlite).await;
    let program = Program::start(scene.folder.path(), &[("KEYSTEAD_LOG_LEVEL", "trace")]).await;
    run::send_nasty_things(&program).await;
    program.signal("TERM");
    let (status, output) = program.end().await;
    assert!(status.success(), "{output}");
    let lines = log_lines(&output);
    assert!(lines.len() > 10, "only {} lines", lines.len());
    for line in lines {
        assert!(!line.to_string().contains("forged"), "what a client sends is not told: {line}");
    }
}

#[test]
fn a_planted_secret_is_found_in_every_form() {
    let secret = forms::Secret::new("a password", "canary-0123456789");
    for form in [
        "x canary-0123456789 y".to_owned(),
        "63616e6172792d30313233343536373839".to_owned(),
        "63616E6172792D30313233343536373839".to_owned(),
        "Y2FuYXJ5LTAxMjM0NTY3ODk=".to_owned(),
        // After one and after two bytes of something else.
        "eGNhbmFyeS0wMTIzNDU2Nzg5".to_owned(),
        "eHhjYW5hcnktMDEyMzQ1Njc4OQ".to_owned(),
        format!("{:?}", "canary-0123456789".as_bytes()),
    ] {
        assert!(secret.form_in(form.as_bytes()).is_some(), "{form}");
    }
    assert_eq!(secret.form_in(b"canary-012345678"), None);
}
