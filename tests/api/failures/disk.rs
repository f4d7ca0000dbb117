//! The disk below the database full: what changes is refused, what reads goes on, and nothing that was acknowledged is lost.

use std::fs::{File, OpenOptions};
use std::path::Path;

use keystead::grpc::pb::{GetJwksRequest, GetMeRequest, LogoutScope, TokenSet, TokenStatus};
use tempfile::TempDir;
use tokio::process::Command;

use super::told_unavailable;
use crate::harness::{Backend, Client, Keystead, Person, Program, Records, Setup, http_get, until};
use crate::support::small_disk::SmallDisk;

/// Room for the schema and a few people.
const SQLITE_DISK_MIB: u32 = 8;
/// Limits that no test meets by accident.
const GENEROUS: [(&str, &str); 2] =
    [("KEYSTEAD_LIMITS_PER_SOURCE_BURST", "1000000"), ("KEYSTEAD_LIMITS_PER_SOURCE_PERIOD", "1ms")];

/// The real binary, its SQLite on a disk of a few MiB.
struct OnSmallDisk {
    program: Program,
    disk: SmallDisk,
    folder: TempDir,
}

impl OnSmallDisk {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let on = folder.path().join("disk");
        std::fs::create_dir(&on).expect("a folder");
        let disk = SmallDisk::mount(std::process::Command::new("unshare"), &on, SQLITE_DISK_MIB);
        let url = format!("sqlite://{}/keystead.sqlite", on.display());
        let served = Program::command(folder.path(), &[&GENEROUS[..], &[("KEYSTEAD_DATABASE_URL", &url)]].concat());
        let mut command = Command::new("nsenter");
        command.args(disk.entrance()).arg(served.as_std().get_program()).kill_on_drop(true);
        command.envs(served.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        let program = Program::launch(&mut command).await;
        Self { program, disk, folder }
    }

    /// What SQLite says of a copy, as after a power cut at this moment.
    async fn integrity(&self) -> String {
        let copy = tempfile::tempdir_in(self.folder.path()).expect("a folder");
        self.program.signal("STOP");
        for name in ["keystead.sqlite", "keystead.sqlite-wal"] {
            copy_file(&self.disk.path().join(name), &copy.path().join(name));
        }
        self.program.signal("CONT");
        let records = Records::open(&format!("sqlite://{}/keystead.sqlite", copy.path().display())).await;
        records.texts("PRAGMA integrity_check").await.join("\n")
    }
}

fn copy_file(from: &Path, to: &Path) {
    let mut copy = OpenOptions::new().write(true).create_new(true).open(to).expect("a new file");
    std::io::copy(&mut File::open(from).expect("a file on the disk"), &mut copy).expect("a copy");
}

/// Somebody with a session, and all whose registration was acknowledged.
struct Witness {
    person: Person,
    set: TokenSet,
    acknowledged: Vec<Person>,
}

impl Witness {
    async fn of(client: &Client) -> Self {
        let person = Person::new("ada");
        let set = person.register(client).await.set;
        Self { acknowledged: vec![person.clone()], person, set }
    }

    /// Changes what still can be changed: what a database has already of its files takes some more, of small changes longer
    /// than of large ones.
    async fn uses_up_what_is_left(&mut self, client: &Client) {
        while self.changes_something(client).await {}
    }

    async fn changes_something(&mut self, client: &Client) -> bool {
        let newcomer = Person::new("newcomer");
        let is_registered = client.register(newcomer.registration()).await.is_ok();
        self.acknowledged.extend(is_registered.then_some(newcomer));
        is_registered || self.person.log_in(client).await.is_ok()
    }

    async fn finds_new_rows_unavailable(&self, client: &Client) {
        tokio::join!(
            told_unavailable("Login", self.person.log_in(client)),
            told_unavailable("Register", client.register(Person::new("refused").registration())),
        );
    }

    /// A change of a row may need no room, and be made.
    async fn finds_changed_rows_unavailable(&mut self, client: &Client) {
        while let Ok(next) = client.use_refresh_token(&self.set.refresh_token).await {
            self.set = next;
        }
        tokio::join!(
            told_unavailable("Refresh", client.use_refresh_token(&self.set.refresh_token)),
            told_unavailable("Logout", client.log_out(&self.set.refresh_token, LogoutScope::ThisSession)),
        );
    }

    async fn reads(&self, client: &Client) {
        assert_eq!(client.status_of(&self.set.access_token).await, TokenStatus::Active);
        assert!(!client.get_jwks(GetJwksRequest {}).await.expect("keys").keys.is_empty());
        client.bearing(&self.set.access_token).get_me(GetMeRequest {}).await.expect("what only reads goes on");
    }

    async fn finds_everything_there(&self, client: &Client) {
        until("a login", || async { self.person.log_in(client).await.is_ok() }).await;
        client.use_refresh_token(&self.set.refresh_token).await.expect("the refresh token is not used up");
        for person in &self.acknowledged {
            person.log_in(client).await.expect("what was acknowledged is there");
        }
        Person::new("newcomer").register(client).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_below_sqlite_refuses_what_changes_lets_read_and_harms_nothing() {
    let mut small = OnSmallDisk::start().await;
    let client = small.program.client().await;
    let mut witness = Witness::of(&client).await;
    small.disk.fill();
    witness.uses_up_what_is_left(&client).await;
    witness.finds_new_rows_unavailable(&client).await;
    witness.finds_changed_rows_unavailable(&client).await;
    witness.reads(&client).await;
    assert_eq!(http_get(small.program.http, "/readyz", &[]).await.status, 200);
    assert_eq!(small.integrity().await, "ok", "a copy of the moment");

    small.disk.free();
    witness.finds_everything_there(&client).await;
    assert_eq!(small.integrity().await, "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_below_postgres_refuses_what_changes_lets_read_and_harms_nothing() {
    let mut keystead = Setup::on(Backend::PostgresOnSmallDiskRedis).waits_as_promised().start().await;
    let client = keystead.client().await;
    let mut witness = Witness::of(&client).await;
    disk(&mut keystead).fill();
    witness.uses_up_what_is_left(&client).await;
    witness.finds_new_rows_unavailable(&client).await;
    witness.reads(&client).await;
    assert_eq!(keystead.replica(0).get("/readyz", &[]).await.status, 200);

    disk(&mut keystead).free();
    witness.finds_everything_there(&client).await;
}

fn disk(keystead: &mut Keystead) -> &mut SmallDisk {
    keystead.servers.postgres.as_mut().expect("PostgreSQL").disk()
}
