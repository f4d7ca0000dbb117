//! Databases as releases have left them: a folder for each release with its steps, and below it one for each database with
//! its dump and what is known of the people in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use keystead::domain::clock::{Clock as _, Timestamp};
use keystead::grpc::pb::{
    self, CreateRoleRequest, DisableUserRequest, GrantRoleRequest, LogoutScope, UserImport, UserState,
};
use serde::{Deserialize, Serialize};

use crate::harness::{Backend, Client, Keystead, Machine, Person, Setup};
use crate::support::packages;

/// What the imported account came with, and its password.
const BCRYPT: &str = "$2b$06$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K";
const BCRYPT_PASSWORD: &str = "correct horse battery staple";

/// What is known of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub id: String,
    pub email: String,
    pub password: String,
    pub access_token: String,
    pub refresh_token: String,
}

impl Account {
    fn of(person: &Person, id: &str, tokens: &pb::TokenSet) -> Self {
        Self {
            id: id.to_owned(),
            email: person.email.clone(),
            password: person.password.clone(),
            access_token: tokens.access_token.clone(),
            refresh_token: tokens.refresh_token.clone(),
        }
    }

    pub fn person(&self) -> Person {
        Person { email: self.email.clone(), password: self.password.clone() }
    }
}

/// What is known of a kept database.
#[derive(Debug, Serialize, Deserialize)]
pub struct Known {
    /// When it was kept, in milliseconds since the Unix epoch: its tokens and codes live around then.
    pub at: i64,
    /// Has the role `billing`, and has exchanged a refresh token.
    pub ada: Account,
    pub spent_refresh_token: String,
    /// Of a session of hers that has ended.
    pub ended_access_token: String,
    pub root: Account,
    /// Has a second factor, and has signed in by it.
    pub tove: Account,
    pub totp_secret: String,
    pub recovery_code: String,
    pub disabled: Account,
    /// Came in by an import; has no tokens.
    pub imported: (String, String),
    pub machine: (String, String),
    pub reset_token: String,
}

/// A kept database.
pub struct Fixture {
    pub release: String,
    pub dump: String,
    pub known: Known,
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/upgrade")
}

/// The folders of the releases.
pub fn releases() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut releases: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    releases.sort();
    releases
}

fn database(backend: Backend) -> &'static str {
    if backend == Backend::Sqlite { "sqlite" } else { "postgres" }
}

/// Every kept database of a kind.
pub fn all(backend: Backend) -> Vec<Fixture> {
    let read = |release: &PathBuf| {
        let folder = release.join(database(backend));
        let known = fs::read_to_string(folder.join("known.json")).expect("what is known");
        Fixture {
            release: release.file_name().expect("a name").to_string_lossy().into_owned(),
            dump: fs::read_to_string(folder.join("dump.sql")).expect("a dump"),
            known: serde_json::from_str(&known).expect("what is known"),
        }
    };
    releases().iter().map(read).collect()
}

/// The steps of a release by their names, each with the digest of its text.
pub fn steps_of(release: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(release.join("steps")).expect("the steps");
    let line = |line: &str| {
        let (digest, name) = line.split_once("  ").expect("as sha256sum writes it");
        (name.to_owned(), digest.to_owned())
    };
    text.lines().map(line).collect()
}

/// The steps of this binary, the same.
pub fn steps() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let step = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let is_step = name.starts_with('m') && name != "mod";
        is_step.then(|| {
            let text = fs::read(&path).expect("a text");
            (name, HEXLOWER.encode(digest::digest(&digest::SHA256, &text).as_ref()))
        })
    };
    files.filter_map(step).collect()
}

/// Keeps a database as this binary leaves it, in the folder of its version.
pub async fn keep(backend: Backend) {
    let release = folder().join(env!("CARGO_PKG_VERSION"));
    let folder = release.join(database(backend));
    fs::create_dir_all(&folder).expect("a folder");
    let keystead = Setup::on(backend).start().await;
    let known = people(&keystead).await;
    let text = serde_json::to_string_pretty(&known).expect("JSON");
    fs::write(folder.join("known.json"), text + "\n").expect("a written file");
    fs::write(folder.join("dump.sql"), dump(&keystead)).expect("a written file");
    let steps = steps().into_iter().map(|(name, digest)| format!("{digest}  {name}\n"));
    fs::write(release.join("steps"), steps.collect::<String>()).expect("a written file");
}

/// Makes everybody whom a kept database knows.
async fn people(keystead: &Keystead) -> Known {
    let client = keystead.client().await;
    let (root, ada, tove, bob) = (Person::new("root"), Person::new("ada"), Person::new("tove"), Person::new("bob"));
    let (admin, root_user) = root.register_as_administrator(keystead, &client).await;
    let registered = ada.register(&client).await;
    give_role(&admin, &registered.user.id).await;
    let second = ada.log_in(&client).await.expect("tokens");
    client.log_out(&second.refresh_token, LogoutScope::ThisSession).await.expect("ended");
    let next = client.use_refresh_token(&registered.set.refresh_token).await.expect("a successor");

    let id_of_tove = tove.register(&client).await.user.id;
    let enrolled = tove.enroll(keystead, &client).await;
    let challenge = client.challenged(&tove).await.challenge_token;
    let code = enrolled.authenticator.code(keystead, 1);
    let of_tove = client.meet_by_totp(&challenge, &code).await.expect("tokens");
    let of_bob = bob.register(&client).await;
    admin.disable_user(DisableUserRequest { user_id: of_bob.user.id.clone() }).await.expect("disabled");
    let imported = "imported@example.com".to_owned();
    let row = UserImport {
        external_id: "elsewhere|7".to_owned(),
        email: imported.clone(),
        state: UserState::Active.into(),
        password_hash: BCRYPT.to_owned(),
        ..UserImport::default()
    };
    admin.import(vec![row]).await.expect("results");
    let machine = Machine::create(&admin, &["verifier"]).await;
    client.ask_for_reset(&root.email).await.expect("on its way");
    let reset_token = keystead.mailbox().reset_token(&root.email).await;
    let of_root = root.log_in(&client).await.expect("tokens");
    Known {
        at: keystead.clock.now().as_millis(),
        ada: Account::of(&ada, &registered.user.id, &next),
        spent_refresh_token: registered.set.refresh_token,
        ended_access_token: second.access_token,
        root: Account::of(&root, &root_user.id, &of_root),
        tove: Account::of(&tove, &id_of_tove, &of_tove),
        totp_secret: enrolled.authenticator.secret,
        recovery_code: enrolled.codes[0].clone(),
        disabled: Account::of(&bob, &of_bob.user.id, &of_bob.set),
        imported: (imported, BCRYPT_PASSWORD.to_owned()),
        machine: (machine.id, machine.secret),
        reset_token,
    }
}

async fn give_role(admin: &Client, user_id: &str) {
    let role = CreateRoleRequest { name: "billing".to_owned(), description: "Of before.".to_owned() };
    admin.create_role(role).await.expect("a role");
    let grant = GrantRoleRequest { user_id: user_id.to_owned(), role: "billing".to_owned() };
    admin.grant_role(grant).await.expect("granted");
}

/// The whole database as statements of its own kind.
fn dump(keystead: &Keystead) -> String {
    let output = match &keystead.servers.database_url {
        None => Command::new(packages::sqlite3()).arg(keystead.sqlite_file()).arg(".dump").output(),
        Some(url) => Command::new(packages::postgres_programs().join("pg_dump"))
            .args(["--inserts", "--no-owner", "--no-privileges", "--no-comments", url])
            .output(),
    };
    let output = output.expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    // What is for psql alone, and settings that an older server does not know.
    let is_statement =
        |line: &&str| !["\\", "--", "SET ", "SELECT pg_catalog.set_config"].iter().any(|start| line.starts_with(start));
    text.lines().filter(is_statement).filter(|line| !line.is_empty()).flat_map(|line| [line, "\n"]).collect()
}

impl Fixture {
    /// A service of this binary on the kept database, at the time when it was kept.
    pub async fn start(&self, backend: Backend) -> Keystead {
        Setup::on(backend).start_from(&self.dump, Timestamp::from_millis(self.known.at)).await
    }
}
