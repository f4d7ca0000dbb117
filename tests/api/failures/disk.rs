//! The disk below SQLite full: what changes is refused, what reads goes on, and nothing that was acknowledged is lost.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use keystead::grpc::pb::{GetJwksRequest, GetMeRequest, LogoutScope, TokenStatus};
use tempfile::TempDir;
use tokio::process::Command;

use super::told_unavailable;
use crate::harness::{Person, Program, Records, http_get, until};

/// Mounts a small file system where nobody but the process and its children sees it; it is gone when they are.
const MOUNT_AND_SERVE: &str = r#"mount -t tmpfs -o size=8m tmpfs "$1" && exec "$2""#;
/// Limits that no test meets by accident.
const GENEROUS: [(&str, &str); 2] =
    [("KEYSTEAD_LIMITS_PER_SOURCE_BURST", "1000000"), ("KEYSTEAD_LIMITS_PER_SOURCE_PERIOD", "1ms")];

/// The real binary, its database on a disk of a few MiB.
struct OnSmallDisk {
    program: Program,
    folder: TempDir,
    /// The disk, as it is seen from outside.
    disk: PathBuf,
}

impl OnSmallDisk {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = folder.path().join("disk");
        std::fs::create_dir(&disk).expect("a folder");
        let url = format!("sqlite://{}/keystead.sqlite", disk.display());
        let variables = [&GENEROUS[..], &[("KEYSTEAD_DATABASE_URL", &url)]].concat();
        let served = Program::command(folder.path(), &variables);
        let mut command = Command::new("unshare");
        // A user namespace lets those mount who are not root.
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT_AND_SERVE, "keystead"]);
        command.arg(&disk).arg(served.as_std().get_program()).kill_on_drop(true);
        command.envs(served.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
        let program = Program::launch(&mut command).await;
        let root = PathBuf::from(format!("/proc/{}/root", program.pid()));
        let disk = root.join(disk.strip_prefix("/").expect("an absolute path"));
        Self { program, folder, disk }
    }

    fn filler(&self) -> PathBuf {
        self.disk.join("filler")
    }

    /// Takes every byte that is left.
    fn fill(&self) {
        let mut filler = File::create(self.filler()).expect("a file");
        loop {
            match filler.write(&[0; 4_096]) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("the disk is not full, and yet: {error}"),
            }
        }
    }

    /// What SQLite says of a copy, as after a power cut at this moment.
    async fn integrity(&self) -> String {
        let copy = tempfile::tempdir_in(self.folder.path()).expect("a folder");
        self.program.signal("STOP");
        for name in ["keystead.sqlite", "keystead.sqlite-wal"] {
            copy_file(&self.disk.join(name), &copy.path().join(name));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_what_changes_lets_read_and_harms_nothing() {
    let small = OnSmallDisk::start().await;
    let client = small.program.client().await;
    let person = Person::new("ada");
    let mut set = person.register(&client).await.set;
    small.fill();
    // What is there already of SQLite's log takes some more, of small changes longer than of large ones.
    let mut acknowledged = vec![person.clone()];
    loop {
        let newcomer = Person::new("newcomer");
        if client.register(newcomer.registration()).await.is_ok() {
            acknowledged.push(newcomer);
        }
        match client.use_refresh_token(&set.refresh_token).await {
            Ok(next) => set = next,
            Err(_) => break,
        }
    }
    tokio::join!(
        told_unavailable("Login", person.log_in(&client)),
        told_unavailable("Register", client.register(Person::new("refused").registration())),
        told_unavailable("Refresh", client.use_refresh_token(&set.refresh_token)),
        told_unavailable("Logout", client.log_out(&set.refresh_token, LogoutScope::ThisSession)),
    );
    assert_eq!(client.status_of(&set.access_token).await, TokenStatus::Active);
    assert!(!client.get_jwks(GetJwksRequest {}).await.expect("keys").keys.is_empty());
    client.bearing(&set.access_token).get_me(GetMeRequest {}).await.expect("what only reads goes on");
    assert_eq!(http_get(small.program.http, "/readyz", &[]).await.status, 200);
    assert_eq!(small.integrity().await, "ok", "a copy of the moment");

    std::fs::remove_file(small.filler()).expect("space again");
    until("a login", || async { person.log_in(&client).await.is_ok() }).await;
    client.use_refresh_token(&set.refresh_token).await.expect("the refresh token is not used up");
    for person in &acknowledged {
        person.log_in(&client).await.expect("what was acknowledged is there");
    }
    Person::new("newcomer").register(&client).await;
    assert_eq!(small.integrity().await, "ok");
}
