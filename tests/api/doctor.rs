//! `keystead doctor`, by the real binary: what it finds, what it says to do, and that it changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::harness::smtp::{MailServer, smtp_url};
use crate::harness::{Backend, MASTER_KEY, Person, Program, Rows, Servers, on_each_backend};
use crate::support::process::free_port;
use crate::support::redis::RedisServer;

/// Not the master key of the tests.
const OTHER_KEY: &str = "b3RoZXItdGVzdHMtbWFzdGVyLWtleS1vZi0zMi1ieXQ=";
/// What no output may ever hold.
const CANARY: &str = "canary-in-a-value";

/// What one run has said of each check.
pub struct Report {
    code: Option<i32>,
    pub findings: BTreeMap<String, Value>,
    pub text: String,
}

impl Report {
    pub fn verdict(&self, check: &str) -> &str {
        self.findings.get(check).map_or("none", |finding| finding["verdict"].as_str().expect("a word"))
    }

    /// Fails the test unless just this check fails, in these words, with a way to mend it.
    #[track_caller]
    fn fails(&self, check: &str, words: &str) {
        assert_eq!((self.code, self.verdict(check)), (Some(1), "fail"), "{}", self.text);
        let finding = &self.findings[check];
        assert!(finding["found"].as_str().expect("text").contains(words), "{words}: {finding}");
        assert!(!finding["remedy"].as_str().expect("text").is_empty(), "{finding}");
        let others = self.findings.values().filter(|it| it["check"] != check && it["verdict"] == "fail");
        assert_eq!(others.count(), 0, "{}", self.text);
    }

    /// Fails the test unless just this check warns, in these words, with a way to mend it.
    #[track_caller]
    fn warns(&self, check: &str, words: &str) {
        assert_eq!((self.code, self.verdict(check)), (Some(0), "warn"), "{}", self.text);
        let finding = &self.findings[check];
        assert!(finding["found"].as_str().expect("text").contains(words), "{words}: {finding}");
        assert!(!finding["remedy"].as_str().expect("text").is_empty(), "{finding}");
    }

    #[track_caller]
    fn is_well(&self) {
        assert_eq!(self.code, Some(0), "{}", self.text);
    }
}

pub async fn doctor(folder: &Path, variables: &[(&str, &str)]) -> Report {
    let ended = Program::finish(Program::command(folder, variables).args(["doctor", "--output", "json"])).await;
    let objects = ended.output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let findings = objects.filter_map(|it| Some((it["check"].as_str()?.to_owned(), it))).collect();
    assert!(!ended.output.contains(CANARY) && !ended.output.contains(MASTER_KEY), "{}", ended.output);
    Report { code: ended.code, findings, text: ended.output }
}

/// Every file below the folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = entries.flat_map(|path| {
        if path.is_dir() { files(&path) } else { [(path.clone(), fs::read(path).expect("a file"))].into() }
    });
    files.collect()
}

fn borrowed<'a>(variables: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

async fn stopped(program: Program) {
    program.signal("TERM");
    assert_eq!(program.end().await.0.code(), Some(0));
}

async fn what_is_well_is_told_so_before_during_and_after_and_nothing_is_changed(backend: Backend) {
    let (folder, servers) = (TempDir::new().expect("a folder"), Servers::start(backend).await);
    let variables = servers.variables();
    let variables = borrowed(&variables);
    let before = doctor(folder.path(), &variables).await;
    before.is_well();
    assert_eq!(files(folder.path()), BTreeMap::new(), "nothing is made");

    let program = Program::start(folder.path(), &variables).await;
    Person::new("ada").register(&program.client().await).await;
    let during = doctor(folder.path(), &variables).await;
    during.is_well();
    for check in ["settings", "database", "schema", "clock", "keys", "redis", "mail", "files"] {
        assert_eq!(during.verdict(check), "ok", "{}", during.text);
    }
    assert!(during.findings["keys"]["found"].as_str().expect("text").contains("6 keys open"), "{}", during.text);
    stopped(program).await;

    let left = files(folder.path());
    doctor(folder.path(), &variables).await.is_well();
    assert!(left == files(folder.path()), "nothing is changed");
    let table = Program::finish(Program::command(folder.path(), &variables).arg("doctor")).await;
    assert_eq!((table.code, table.output.lines().count()), (Some(0), 1 + during.findings.len()), "{}", table.output);
}

async fn another_master_key_and_a_schema_that_does_not_fit_are_told(backend: Backend) {
    let (folder, servers) = (TempDir::new().expect("a folder"), Servers::start(backend).await);
    let own = servers.variables();
    let own = borrowed(&own);
    stopped(Program::start(folder.path(), &own).await).await;

    let other = [own.as_slice(), &[("KEYSTEAD_KEYS_MASTER_KEY", OTHER_KEY)]].concat();
    doctor(folder.path(), &other).await.fails("keys", "does not open");

    let file = format!("sqlite://{}", folder.path().join("keystead.sqlite").display());
    let rows = Rows::connect(servers.database_url.as_deref().unwrap_or(&file)).await;
    rows.execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_of_another_time', 0)").await;
    let ahead = doctor(folder.path(), &own).await;
    ahead.is_well();
    assert_eq!((ahead.verdict("schema"), ahead.verdict("keys")), ("warn", "ok"), "{}", ahead.text);
    rows.execute("DELETE FROM seaql_migrations WHERE version LIKE 'm0001%'").await;
    doctor(folder.path(), &own).await.fails("schema", "newer release");
    rows.execute("DELETE FROM seaql_migrations WHERE version LIKE 'm9999%'").await;
    doctor(folder.path(), &own).await.is_well();
    let late = [own.as_slice(), &[("KEYSTEAD_DATABASE_MIGRATE_AT_START", "false")]].concat();
    doctor(folder.path(), &late).await.fails("schema", "1 steps are pending");
}

on_each_backend!(
    what_is_well_is_told_so_before_during_and_after_and_nothing_is_changed,
    another_master_key_and_a_schema_that_does_not_fit_are_told,
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_answer_is_told_without_its_secrets() {
    let folder = TempDir::new().expect("a folder");
    let address = format!("127.0.0.1:{}", free_port());
    let database = format!("postgres://keystead:{CANARY}@{address}/keystead?sslmode=disable");
    let at = [("KEYSTEAD_DATABASE_URL", database.as_str()), ("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY)];
    doctor(folder.path(), &at).await.fails("database", "cannot be reached");
    let redis = format!("redis://keystead:{CANARY}@{address}");
    doctor(folder.path(), &[("KEYSTEAD_REDIS_URL", redis.as_str())]).await.warns("redis", "no connection");
    let mail = format!("smtp://keystead:{CANARY}@{address}?tls=none");
    doctor(folder.path(), &[("KEYSTEAD_MAIL_SMTP_URL", mail.as_str())]).await.warns("mail", "no connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warning_fails_those_alone_who_ask_for_it() {
    let (folder, away) = (TempDir::new().expect("a folder"), format!("redis://127.0.0.1:{}", free_port()));
    let code = async |arguments: &[&str], variables: &[(&str, &str)]| {
        Program::finish(Program::command(folder.path(), variables).args(arguments)).await.code
    };
    let redis = [("KEYSTEAD_REDIS_URL", away.as_str())];
    assert_eq!(code(&["doctor"], &redis).await, Some(0));
    assert_eq!(code(&["doctor", "--strict"], &redis).await, Some(1));
    assert_eq!(code(&["doctor", "--strict"], &[]).await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_redis_refuses_is_a_failure() {
    let (folder, servers) = (TempDir::new().expect("a folder"), Servers::start(Backend::OwnPostgresRedis).await);
    let url = servers.redis.as_ref().expect("Redis").url();
    let wrong = url.replacen("redis://", &format!("redis://nobody:{CANARY}@"), 1);
    doctor(folder.path(), &[("KEYSTEAD_REDIS_URL", wrong.as_str())]).await.fails("redis", "are refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_is_greeted_and_gets_no_mail() {
    let folder = TempDir::new().expect("a folder");
    let port = free_port();
    let server = MailServer::start(port).await;
    let report = doctor(folder.path(), &[("KEYSTEAD_MAIL_SMTP_URL", &smtp_url(port))]).await;
    report.is_well();
    assert_eq!(report.verdict("mail"), "ok", "{}", report.text);
    assert!(server.all().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_holds_nothing_up() {
    let (folder, servers) = (TempDir::new().expect("a folder"), Servers::start(Backend::OwnPostgresRedis).await);
    let own = servers.variables();
    let (redis, postgres) = (servers.redis.as_ref().expect("Redis"), servers.postgres.as_ref().expect("PostgreSQL"));
    redis.pause();
    doctor(folder.path(), &borrowed(&own)).await.warns("redis", "no answer in time");
    redis.resume();
    postgres.pause();
    doctor(folder.path(), &borrowed(&own)).await.fails("database", "cannot be reached");
    postgres.resume();
    doctor(folder.path(), &borrowed(&own)).await.is_well();
    // Takes connections, and greets nobody.
    let mail = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = smtp_url(mail.local_addr().expect("its number").port());
    doctor(folder.path(), &[("KEYSTEAD_MAIL_SMTP_URL", &url)]).await.warns("mail", "no answer within five seconds");
}

// promise S3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_others_can_read_are_told_with_the_command_that_mends_them() {
    let folder = TempDir::new().expect("a folder");
    stopped(Program::start(folder.path(), &[]).await).await;
    let database = folder.path().join("keystead.sqlite");
    fs::set_permissions(&database, fs::Permissions::from_mode(0o644)).expect("a mode");
    let report = doctor(folder.path(), &[]).await;
    report.fails("files", "keystead.sqlite");
    assert_eq!(report.findings["files"]["remedy"], format!("chmod go= {}", database.display()));
    fs::set_permissions(&database, fs::Permissions::from_mode(0o600)).expect("a mode");
    fs::remove_file(folder.path().join("master.key")).expect("a removed file");
    doctor(folder.path(), &[]).await.fails("keys", "not in the data folder");
    assert!(!folder.path().join("master.key").exists(), "no key is made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_works_but_not_as_it_should_is_a_warning_with_a_remedy() {
    let folder = TempDir::new().expect("a folder");
    stopped(Program::start(folder.path(), &[]).await).await;
    let rows = Rows::connect(&format!("sqlite://{}", folder.path().join("keystead.sqlite").display())).await;
    rows.execute("UPDATE server_keys SET state_since = 0 WHERE purpose = 'signing' AND state = 'active'").await;
    let redis = tokio::task::spawn_blocking(RedisServer::start).await.expect("the server starts");
    assert_eq!(redis.command("CONFIG SET maxmemory-policy allkeys-lru"), "+OK");
    let url = redis.url();
    let everywhere = [
        ("KEYSTEAD_GRPC_LISTEN", "0.0.0.0:0"),
        ("KEYSTEAD_GRPC_ALLOW_CLEARTEXT", "true"),
        ("KEYSTEAD_REDIS_URL", url.as_str()),
    ];
    let report = doctor(folder.path(), &everywhere).await;
    report.is_well();
    for (check, words) in [("keys", "overdue"), ("redis", "it forgets counts"), ("mail", "are written into")] {
        let finding = &report.findings[check];
        assert_eq!(report.verdict(check), "warn", "{}", report.text);
        assert!(finding["found"].as_str().expect("text").contains(words), "{words}: {finding}");
        assert!(!finding["remedy"].as_str().expect("text").is_empty(), "{finding}");
    }
    assert_eq!(report.findings.values().filter(|it| it["verdict"] == "warn").count(), 3, "{}", report.text);
}

// promise S3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_that_others_can_write_to_is_told() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    stopped(Program::start(&data, &[]).await).await;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).expect("a mode");
    doctor(&data, &[]).await.fails("files", "data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).expect("a mode");
    doctor(&data, &[]).await.is_well();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_will_not_do_end_it_with_64() {
    let folder = TempDir::new().expect("a folder");
    let report = doctor(folder.path(), &[("KEYSTEAD_TOKENS_LIFETIMES", CANARY)]).await;
    assert_eq!((report.code, report.findings.len()), (Some(64), 0), "{}", report.text);
    assert!(report.text.contains("KEYSTEAD_TOKENS_LIFETIMES"), "{}", report.text);
}
