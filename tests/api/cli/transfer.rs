//! Accounts that come in from files of other services, and leave by files of our own.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin};
use tonic::Code;

use super::Scene;
use crate::harness::{Backend, Person, Rows, on_each_backend, until};
use crate::support::process;

/// Of every account in the files whose owner has one.
const PASSWORD: &str = "correct horse battery staple";
const BCRYPT: &str = "$2b$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K";

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/user_files/fixtures");
    folder.join(name).display().to_string()
}

impl Scene {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let file = self.path(name);
        fs::write(&file, text).expect("a written file");
        file
    }

    /// Imports a file that has rows at fault; what was shown.
    async fn import(&self, arguments: &[&str], code: i32) -> (Value, String) {
        let done = self.run_with("", &[&["--output", "json", "users", "import"], arguments].concat()).await;
        assert_eq!(done.code, Some(code), "{arguments:?}: {}", done.err);
        (serde_json::from_str(&done.out).expect("what was done"), done.err)
    }
}

fn tally(rows: u64, created: u64, existing: u64, refused: u64) -> Value {
    json!({ "rows": rows, "created": created, "existing": existing, "refused": refused })
}

// promise P4
async fn accounts_of_four_services_come_in_and_sign_in(backend: Backend) {
    let config = fixture("firebase_hash_config.txt");
    let files: [(&str, &str, &str, Value); 4] = [
        ("keycloak", "keycloak.json", "ada cem dee", tally(7, 5, 0, 2)),
        ("auth0", "auth0.ndjson", "ada", tally(4, 3, 0, 1)),
        ("firebase", "firebase.json", "ada", tally(3, 2, 0, 1)),
        ("supabase", "supabase.csv", "ada", tally(3, 2, 0, 1)),
    ];
    for (service, file, names, expected) in files {
        let scene = Scene::new(backend).await;
        let config = scene.write("hash_config", &fs::read_to_string(&config).expect("a file"));
        fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).expect("a mode");
        let file = fixture(file);
        let mut arguments = vec![file.as_str(), "--from", service];
        if service == "firebase" {
            arguments.extend(["--firebase-hash-config", &config]);
        }
        let (done, told) = scene.import(&arguments, 1).await;
        assert_eq!(done, expected, "{service}: {told}");
        assert!(told.contains("row ") && told.contains("at fault"), "{service}: {told}");
        let program = scene.serve().await;
        let client = program.client().await;
        for name in names.split(' ') {
            client.log_in(&format!("{name}@example.com"), PASSWORD).await.expect(service);
        }
        let closed = client.log_in("bob@example.com", PASSWORD).await.expect_err("closed");
        closed.is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
}

async fn an_import_goes_on_where_it_stopped_and_lists_the_rows_at_fault(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut lines: Vec<String> = lines(0..1_203).lines().map(str::to_owned).collect();
    lines[3] = json!({ "email": "nobody", "roles": ["admin"] }).to_string();
    lines[700] = "canary".to_owned();
    lines[701] = json!({ "email": "user0@example.com", "external_id": "other" }).to_string();
    let file = scene.write("users.ndjson", &lines.join("\n"));
    let rejects = scene.path("rejects");
    let (done, told) = scene.import(&[&file, "--rejects", &rejects], 1).await;
    assert_eq!(done, tally(1_203, 1_200, 0, 3));
    assert!(told.contains("3 of 1203 rows are at fault") && !told.contains("row 4"), "{told}");
    let listed = fs::read_to_string(&rejects).expect("a file");
    let listed: Vec<Value> = listed.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let rows: Vec<_> = listed.iter().map(|row| row["row"].as_u64().expect("a number")).collect();
    assert_eq!(rows, [4, 701, 702]);
    let fields = listed[0]["faults"].as_array().expect("a list").iter().map(|fault| &fault["field"]);
    assert_eq!(fields.collect::<Vec<_>>(), ["email", "roles[0]"]);
    assert_eq!(listed[2]["reason"], "an account with this address exists");
    assert!(!format!("{listed:?}").contains("canary"));
    let (again, _) = scene.import(&[&file, "--rejects", &rejects], 1).await;
    assert_eq!(again, tally(1_203, 0, 1_200, 3));
    let (rest, _) = scene.import(&[&file, "--skip", "702"], 0).await;
    assert_eq!(rest, tally(501, 0, 501, 0));
}

/// Rows of people from this number on, a line each.
fn lines(numbers: Range<usize>) -> String {
    let line =
        |number: usize| json!({ "external_id": number.to_string(), "email": format!("user{number}@example.com") });
    numbers.map(|number| format!("{}\n", line(number))).collect()
}

/// An import of what is written to it, and where its complaints can be read.
struct Piped {
    child: Child,
    rows: ChildStdin,
    complaints: Lines<BufReader<ChildStderr>>,
}

impl Piped {
    fn begin(scene: &Scene, arguments: &[&str]) -> Self {
        let mut command = scene.command(&[&["--output", "json", "users", "import", "-"], arguments].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
        let rows = child.stdin.take().expect("a pipe");
        let complaints = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        Self { child, rows, complaints }
    }

    async fn send(&mut self, numbers: Range<usize>) {
        self.rows.write_all(lines(numbers).as_bytes()).await.expect("it reads");
    }

    /// Waits for a complaint with these words.
    async fn complains(&mut self, words: &str) -> String {
        loop {
            let line = self.complaints.next_line().await.expect("text").expect("a complaint");
            if line.contains(words) {
                return line;
            }
        }
    }
}

async fn accounts(scene: &Scene) -> i64 {
    let file = format!("sqlite://{}", scene.path("keystead.sqlite"));
    let rows = Rows::connect(scene.servers.database_url.as_deref().unwrap_or(&file)).await;
    rows.number("SELECT count(*) FROM users").await
}

async fn an_import_that_is_interrupted_ends_at_once_and_says_where_to_go_on(backend: Backend) {
    let scene = Scene::new(backend).await;
    assert_eq!(scene.shown(&["users", "list"]).await, Vec::<Value>::new());
    let mut import = Piped::begin(&scene, &["--skip", "2"]);
    import.send(0..502).await;
    until("a batch that is in", || async { accounts(&scene).await == 500 }).await;
    process::signal(import.child.id().expect("it runs"), "INT");
    import.complains("interrupted; 500 rows are done: go on after them with --skip 502").await;
    assert_eq!(import.child.wait().await.expect("an end").code(), Some(1));
    assert_eq!(accounts(&scene).await, 500);
}

async fn an_import_that_was_killed_half_way_is_begun_anew_and_takes_nobody_in_twice(backend: Backend) {
    let scene = Scene::new(backend).await;
    assert_eq!(scene.shown(&["users", "list"]).await, Vec::<Value>::new());
    let mut import = Piped::begin(&scene, &[]);
    import.send(0..1_300).await;
    until("two batches that are in", || async { accounts(&scene).await == 1_000 }).await;
    import.child.kill().await.expect("killed");
    assert_eq!(accounts(&scene).await, 1_000, "whole batches, and no others");
    let file = scene.write("users.ndjson", &lines(0..2_300));
    let (rest, told) = scene.import(&[&file], 0).await;
    assert_eq!((rest, told.as_str()), (tally(2_300, 1_300, 1_000, 0), ""));
    assert_eq!(accounts(&scene).await, 2_300, "nobody is lost");
    let left = scene.shown(&["users", "export"]).await;
    let mut ids: Vec<_> = left.iter().map(|account| account["external_id"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2_300, "nobody is there twice");
}

/// On a terminal that `script` makes. It ends lines and draws in its own way, so that words alone are looked for.
async fn the_way_of_an_import_and_of_an_export_is_shown_on_a_terminal(backend: Backend) {
    let scene = Scene::new(backend).await;
    let file = scene.write("users.ndjson", &lines(0..1_200));
    let (out, program) = (scene.path("out.ndjson"), env!("CARGO_BIN_EXE_keystead"));
    let import = (format!("{program} users import {file}"), "row 1");
    let export = (format!("{program} users export {out}"), " accounts");
    for (typed, shown) in [import, export] {
        let mut terminal = tokio::process::Command::new("script");
        terminal.args(["--quiet", "--return", "--command", &typed, "/dev/null"]).current_dir(scene.folder.path());
        terminal
            .env("KEYSTEAD_DATA_DIRECTORY", scene.folder.path())
            .env("TERM", "xterm")
            .envs(scene.servers.variables());
        let output = terminal.stdin(Stdio::null()).output().await.expect("a terminal");
        let seen = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{seen}");
        assert!(seen.contains(shown), "{typed}: {seen:?}");
    }
    let elsewhere = scene.run_with("", &["users", "export", &scene.path("again.ndjson")]).await;
    assert_eq!((elsewhere.code, elsewhere.out.as_str(), elsewhere.err.as_str()), (Some(0), "", ""));
}

/// An import of a thousand whose database goes away once half of them are in.
async fn cut_off() -> (Scene, Piped) {
    let mut scene = Scene::new(Backend::OwnPostgresRedis).await;
    assert_eq!(scene.shown(&["users", "list"]).await, Vec::<Value>::new());
    let mut import = Piped::begin(&scene, &[]);
    import.send(0..500).await;
    until("a batch that is in", || async { accounts(&scene).await == 500 }).await;
    scene.servers.postgres.as_mut().expect("PostgreSQL").stop();
    import.send(500..1_000).await;
    import.complains("does not answer").await;
    (scene, import)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_outlasts_a_database_that_is_away_for_a_moment() {
    let (mut scene, import) = cut_off().await;
    scene.servers.postgres.as_mut().expect("PostgreSQL").start_again();
    drop(import.rows);
    let output = import.child.wait_with_output().await.expect("an end");
    assert_eq!(output.status.code(), Some(0));
    let done: Value = serde_json::from_slice(&output.stdout).expect("what was done");
    assert_eq!(done, tally(1_000, 1_000, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_interrupted_while_the_database_is_away_waits_no_longer_for_it() {
    let (_scene, mut import) = cut_off().await;
    process::signal(import.child.id().expect("it runs"), "INT");
    let mut tries = 0;
    while let Some(line) = import.complaints.next_line().await.expect("text") {
        if line.contains("go on after them with --skip 500") {
            break;
        }
        tries += usize::from(line.contains("does not answer"));
    }
    assert!(tries <= 1, "what was under way, and no more: {tries}");
    assert_eq!(import.child.wait().await.expect("an end").code(), Some(1));
}

async fn what_leaves_by_either_form_comes_in_again_elsewhere(backend: Backend) {
    let here = Scene::new(backend).await;
    let root = Person::new("root");
    assert_eq!(here.create(&root).await.code, Some(0));
    let line = json!({
        "external_id": "7", "email": "ada@example.com", "email_verified": true, "display_name": "=Ada, \"L\"\u{1f511}",
        "language": "pt-br", "state": "active", "roles": ["verifier"], "password_hash": BCRYPT,
        "create_time": "2023-04-05T06:07:08.123Z",
    });
    let file = here.write("ada.ndjson", &line.to_string());
    assert_eq!(here.import(&[&file], 0).await.0, tally(1, 1, 0, 0));
    for format in ["ndjson", "csv"] {
        let out = here.path(&format!("out.{format}"));
        here.shown(&["users", "export", &out, "--format", format, "--with-hashes"]).await;
        let mode = fs::metadata(&out).expect("a file").permissions().mode();
        assert_eq!(mode & 0o077, 0, "nobody else reads hashes");
        assert!(here.refused(64, &["users", "export", &out]).await.contains("cannot be made"));

        let there = Scene::new(backend).await;
        let (done, told) = there.import(&[&out, "--format", format], 1).await;
        assert_eq!(done, tally(2, 1, 0, 1), "administrators are made one by one: {told}");
        let exported = there.shown(&["users", "export", "--with-hashes"]).await;
        let mut expected = line.clone();
        expected["id"] = exported[0]["id"].clone();
        assert_eq!(exported, [expected], "{format}");
        let without = there.shown(&["users", "export"]).await;
        assert_eq!(without[0]["password_hash"], Value::Null);
        let program = there.serve().await;
        program.client().await.log_in("ada@example.com", PASSWORD).await.expect("tokens");
        let kinds = there.shown(&["audit", "tail", "-n", "20"]).await;
        let told = kinds.iter().filter(|event| event["kind"] == "users_exported");
        assert_eq!(told.map(|event| &event["detail"]).collect::<Vec<_>>(), [&json!("hashes"), &Value::Null]);
    }
}

async fn what_is_no_import_is_refused_before_anything_is_written(backend: Backend) {
    let scene = Scene::new(backend).await;
    let file = fixture("firebase.json");
    let missing: PathBuf = scene.folder.path().join("missing");
    let missing = missing.display().to_string();
    let open = scene.write("open", "algorithm: SCRYPT");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("a mode");
    let cases: [(&[&str], i32); 8] = [
        (&[], 64),
        (&[&missing], 64),
        (&[&file, "--from", "nobody"], 64),
        (&[&file, "--from", "firebase"], 64),
        (&[&file, "--from", "auth0", "--firebase-hash-config", &missing], 64),
        (&[&file, "--from", "firebase", "--firebase-hash-config", &open], 64),
        (&[&file, "--from", "keycloak", "--format", "csv"], 64),
        (&[&file, "--format", "csv"], 1),
    ];
    for (arguments, code) in cases {
        let told = scene.refused(code, &[&["users", "import"], arguments].concat()).await;
        assert!(!told.is_empty(), "{arguments:?}");
    }
    assert_eq!(scene.shown(&["users", "list"]).await, Vec::<Value>::new());
}

on_each_backend!(
    accounts_of_four_services_come_in_and_sign_in,
    an_import_goes_on_where_it_stopped_and_lists_the_rows_at_fault,
    an_import_that_is_interrupted_ends_at_once_and_says_where_to_go_on,
    an_import_that_was_killed_half_way_is_begun_anew_and_takes_nobody_in_twice,
    the_way_of_an_import_and_of_an_export_is_shown_on_a_terminal,
    what_leaves_by_either_form_comes_in_again_elsewhere,
    what_is_no_import_is_refused_before_anything_is_written,
);
