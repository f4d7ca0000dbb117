//! What an upgrade rests on: databases of former releases come up to date, and the former binary serves on the schema of
//! the next.

mod fixture;
mod released;

use keystead::grpc::pb::{ListSessionsRequest, TokenStatus};
use tempfile::TempDir;

use crate::doctor::doctor;
use crate::harness::{Backend, Client, Person, Program, Rows, Servers, on_each_backend};

/// What a step of a later release may do while replicas of this one run: new tables, new columns, new indexes.
const ADDITIONS: [&str; 6] = [
    "ALTER TABLE users ADD COLUMN later_note text",
    "ALTER TABLE users ADD COLUMN later_count bigint NOT NULL DEFAULT 0",
    "ALTER TABLE sessions ADD COLUMN later_note text NOT NULL DEFAULT ''",
    "CREATE TABLE later_things (id bigint PRIMARY KEY, user_id bigint)",
    "CREATE INDEX later_users ON users (later_count)",
    "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9001_later_things', 0)",
];
/// What this release cannot serve on.
const REMOVAL: &str =
    "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9002_no_epochs_unread_since_999_0_0', 0)";

/// A folder and servers, for binaries that follow one another on one database.
struct House {
    folder: TempDir,
    servers: Servers,
}

impl House {
    async fn new(backend: Backend) -> Self {
        Self { folder: TempDir::new().expect("a folder"), servers: Servers::start(backend).await }
    }

    fn command(&self, arguments: &[&str], others: &[(&str, &str)]) -> tokio::process::Command {
        let variables = self.servers.variables();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut command = Program::command(self.folder.path(), &[variables.as_slice(), others].concat());
        command.args(arguments);
        command
    }

    async fn serve(&self, others: &[(&str, &str)]) -> Program {
        Program::launch(&mut self.command(&[], others)).await
    }

    async fn rows(&self) -> Rows {
        let file = format!("sqlite://{}", self.folder.path().join("keystead.sqlite").display());
        Rows::connect(self.servers.database_url.as_deref().unwrap_or(&file)).await
    }

    async fn verdict_on_schema(&self) -> (String, String) {
        let variables = self.servers.variables();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let report = doctor(self.folder.path(), &variables).await;
        let found = report.findings["schema"]["found"].as_str().expect("text").to_owned();
        (report.verdict("schema").to_owned(), found)
    }
}

async fn ended(program: Program) -> String {
    program.signal("TERM");
    let (status, output) = program.end().await;
    assert_eq!(status.code(), Some(0), "{output}");
    output
}

/// Everything that writes to a table which the later release has changed.
async fn is_of_use(client: &Client, person: &Person, refresh_token: &str) -> String {
    let next = client.use_refresh_token(refresh_token).await.expect("the session goes on");
    assert_eq!(client.status_of(&next.access_token).await, TokenStatus::Active);
    let tokens = person.log_in(client).await.expect("tokens");
    let own = client.bearing(&tokens.access_token);
    let sessions = own.list_sessions(ListSessionsRequest::default()).await.expect("sessions");
    assert!(sessions.sessions.len() >= 2, "{sessions:?}");
    Person::new("newcomer").register(client).await;
    next.refresh_token
}

// promise D5
async fn the_former_binary_serves_on_a_schema_that_a_later_release_has_added_to(backend: Backend) {
    let house = House::new(backend).await;
    let program = house.serve(&[]).await;
    let client = program.client().await;
    let ada = Person::new("ada");
    let mut refresh_token = ada.register(&client).await.set.refresh_token;
    refresh_token = is_of_use(&client, &ada, &refresh_token).await;

    let rows = house.rows().await;
    for step in ADDITIONS {
        rows.execute(step).await;
    }
    // The replica that runs has its statements prepared for the tables as they were.
    refresh_token = is_of_use(&client, &ada, &refresh_token).await;
    assert!(!ended(program).await.contains("newer release"), "nothing is told before a start");

    let (verdict, found) = house.verdict_on_schema().await;
    assert_eq!(verdict, "warn");
    assert!(found.contains("newer release has taken 1 steps") && found.contains("serves on"), "{found}");
    let migrated = Program::finish(&mut house.command(&["migrate"], &[])).await;
    assert_eq!(migrated.code, Some(0), "{}", migrated.output);
    for at_start in ["true", "false"] {
        let program = house.serve(&[("KEYSTEAD_DATABASE_MIGRATE_AT_START", at_start)]).await;
        refresh_token = is_of_use(&program.client().await, &ada, &refresh_token).await;
        let told = ended(program).await;
        assert!(told.contains("a newer release has taken steps of the schema"), "{told}");
    }
    assert_eq!(rows.number("SELECT count(*) FROM seaql_migrations WHERE version LIKE 'm9001%'").await, 1);
}

// promise D5
async fn no_binary_serves_on_a_schema_that_has_lost_what_it_reads(backend: Backend) {
    let house = House::new(backend).await;
    ended(house.serve(&[]).await).await;
    let rows = house.rows().await;
    rows.execute(REMOVAL).await;
    for arguments in [&["serve"][..], &["migrate"], &["users", "list"]] {
        let refused = Program::finish(&mut house.command(arguments, &[])).await;
        assert_eq!(refused.code, Some(1), "{arguments:?}: {}", refused.output);
        assert!(refused.output.contains("cannot serve on: run that release"), "{arguments:?}: {}", refused.output);
    }
    let (verdict, found) = house.verdict_on_schema().await;
    assert_eq!(verdict, "fail");
    assert!(found.contains("cannot serve on"), "{found}");

    // One that lacks a step beside one that is not known: which of them comes first, nobody can tell.
    rows.execute("DELETE FROM seaql_migrations WHERE version LIKE 'm9002%' OR version LIKE 'm0001%'").await;
    rows.execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9001_later_things', 0)").await;
    let refused = Program::finish(&mut house.command(&["serve"], &[])).await;
    assert_eq!(refused.code, Some(1), "{}", refused.output);
    assert_eq!(rows.number("SELECT count(*) FROM seaql_migrations WHERE version LIKE 'm0001%'").await, 0);
}

on_each_backend!(
    the_former_binary_serves_on_a_schema_that_a_later_release_has_added_to,
    no_binary_serves_on_a_schema_that_has_lost_what_it_reads,
);
