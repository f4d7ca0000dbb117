//! The commands of `docs/operations.md` for backups, typed against the real binary: what is taken from a service that runs is
//! what another starts from.

use std::fs;
use std::path::Path;

use keystead::grpc::pb::{GetJwksRequest, TokenStatus};
use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::{Backend, Client, MASTER_KEY, Person, Program, Servers};
use crate::support::packages;

/// The one command of the page that begins so.
fn command_of_the_page(beginning: &str) -> String {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md")).expect("the page");
    let mut found = page.lines().map(str::trim).filter(|line| line.starts_with(beginning));
    let command = found.next().expect("the command is on the page").to_owned();
    assert_eq!(found.next(), None, "there are two of {beginning}");
    command
}

/// Where an operator stands: the data folder below, and what PostgreSQL is reached by.
struct Desk {
    folder: TempDir,
    servers: Servers,
}

impl Desk {
    async fn new(backend: Backend) -> Self {
        Self { folder: TempDir::new().expect("a folder"), servers: Servers::start(backend).await }
    }

    fn url(&self) -> &str {
        self.servers.database_url.as_deref().unwrap_or_default()
    }

    async fn serve(&self) -> Program {
        let data = self.folder.path().join("keystead-data");
        let variables = [("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY), ("KEYSTEAD_DATABASE_URL", self.url())];
        Program::start(&data, &variables).await
    }

    async fn type_in(&self, beginning: &str) {
        let typed =
            format!("PATH={}:$PATH; {}", packages::postgres_programs().display(), command_of_the_page(beginning));
        let mut shell = Command::new("bash");
        shell.args(["-euc", &typed]).current_dir(self.folder.path()).env("DATABASE_URL", self.url());
        let output = shell.output().await.expect("a shell");
        assert!(output.status.success(), "{typed}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

async fn key_ids(client: &Client) -> Vec<String> {
    let answer = client.get_jwks(GetJwksRequest {}).await.expect("the keys");
    answer.keys.into_iter().map(|key| key.kid).collect()
}

/// Backs one service up while it runs, and starts another from that.
async fn goes_on_from_a_backup(backend: Backend, backup: &str, file: &str, restore: &str) {
    let (old, new) = (Desk::new(backend).await, Desk::new(backend).await);
    let program = old.serve().await;
    let client = program.client().await;
    let (early, late) = (Person::new("early"), Person::new("late"));
    let tokens = early.register(&client).await.set;
    let keys = key_ids(&client).await;
    old.type_in(backup).await;
    late.register(&client).await;
    program.signal("TERM");
    program.end().await;

    fs::create_dir(new.folder.path().join("keystead-data")).expect("a folder");
    fs::copy(old.folder.path().join(file), new.folder.path().join(file)).expect("a copied backup");
    new.type_in(restore).await;
    let program = new.serve().await;
    let client = program.client().await;
    assert_eq!(key_ids(&client).await, keys);
    assert_eq!(client.status_of(&tokens.access_token).await, TokenStatus::Active);
    client.use_refresh_token(&tokens.refresh_token).await.expect("the session goes on");
    early.log_in(&client).await.expect("the account is there");
    late.log_in(&client).await.expect_err("the account came after the backup");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_on_postgresql_goes_on_from_a_backup_of_one_that_ran() {
    goes_on_from_a_backup(Backend::Postgres, "pg_dump ", "keystead.dump", "pg_restore ").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_on_sqlite_goes_on_from_a_backup_of_one_that_ran() {
    packages::sqlite3();
    goes_on_from_a_backup(Backend::Sqlite, "sqlite3 ", "keystead-backup.sqlite", "rm -f ").await;
}
