//! Every verb of the operator, by the real binary on the database of a service that runs meanwhile.

mod transfer;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use keystead::grpc::pb::{GetJwksRequest, ListRolesRequest, TokenStatus};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tonic::Code;

use crate::harness::token::Jwt;
use crate::harness::{Backend, Client, Person, Program, Servers, on_each_backend, until};

const PASSWORD: &str = "nine slow herons cross the weir";

/// A folder, servers, and what the binary is told of them.
struct Scene {
    folder: TempDir,
    servers: Servers,
}

/// What a command has done.
struct Done {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Scene {
    async fn new(backend: Backend) -> Self {
        Self { folder: TempDir::new().expect("a folder"), servers: Servers::start(backend).await }
    }

    fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let variables = self.servers.variables();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut command = Program::command(self.folder.path(), &variables);
        command.args(arguments);
        command
    }

    async fn serve(&self) -> Program {
        Program::launch(&mut self.command(&[])).await
    }

    async fn run_with(&self, input: &str, arguments: &[&str]) -> Done {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // A command that refuses its arguments ends without reading.
        match stdin.write_all(input.as_bytes()).await {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("{error}"),
            _ => drop(stdin),
        }
        let output = child.wait_with_output().await.expect("the binary ends");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Done { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What a command that succeeds has shown, one JSON object a line.
    async fn shown(&self, arguments: &[&str]) -> Vec<Value> {
        let done = self.run_with("", &[&["--output", "json"], arguments].concat()).await;
        assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{arguments:?}");
        done.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    async fn refused(&self, code: i32, arguments: &[&str]) -> String {
        let done = self.run_with("", arguments).await;
        assert_eq!((done.code, done.out.as_str()), (Some(code), ""), "{arguments:?}: {}", done.err);
        done.err
    }

    async fn create(&self, person: &Person) -> Done {
        self.run_with(&format!("{}\n", person.password), &["admin", "create", "--email", &person.email]).await
    }
}

async fn is_administrator(client: &Client, person: &Person) -> Result<(), (Code, String)> {
    let tokens = person.log_in(client).await.expect("tokens");
    let answer = client.bearing(&tokens.access_token).list_roles(ListRolesRequest {}).await;
    answer.map(drop).map_err(|failure| (failure.code, failure.reason))
}

// promise P7
async fn the_first_administrator_is_made_before_and_while_the_service_runs(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (root, second) = (Person::new("root"), Person::new("second"));
    let made = scene.create(&root).await;
    assert_eq!((made.code, made.err.as_str()), (Some(0), ""));
    assert!(made.out.contains(&root.email) && made.out.contains("admin,user"), "a table: {}", made.out);

    let program = scene.serve().await;
    let client = program.client().await;
    is_administrator(&client, &root).await.expect("an administrator");
    let file = scene.folder.path().join("password");
    fs::write(&file, format!("{}\n", second.password)).expect("a written file");
    let create = |file: &str| ["admin", "create", "--email", &second.email, "--password-file", file].map(str::to_owned);
    let create = create(file.to_str().expect("a path"));
    let create: Vec<&str> = create.iter().map(String::as_str).collect();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
    assert!(scene.refused(64, &create).await.contains("others can read"));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    let made = scene.shown(&create).await;
    assert_eq!((&made[0]["email"], &made[0]["verified"]), (&second.email.as_str().into(), &true.into()));
    is_administrator(&client, &second).await.expect("an administrator");

    let taken = scene.create(&second).await;
    assert_eq!((taken.code, taken.out.as_str()), (Some(1), ""));
    assert!(taken.err.contains("admin grant"), "{}", taken.err);
}

async fn what_makes_no_administrator_is_said_and_changes_nothing(backend: Backend) {
    let scene = Scene::new(backend).await;
    let cases: [(&str, &[&str], i32); 6] = [
        ("short\n", &["admin", "create", "--email", "ada@example.com"], 64),
        ("ada@example.com\n", &["admin", "create", "--email", "ada@example.com"], 64),
        ("", &["admin", "create", "--email", "ada@example.com"], 64),
        (PASSWORD, &["admin", "create", "--email", "no address"], 64),
        (PASSWORD, &["admin", "create", "--email", "ada@example.com", "--password", PASSWORD], 64),
        (PASSWORD, &["admin", "grant", "--email", "nobody@example.com"], 1),
    ];
    for (input, arguments, code) in cases {
        let done = scene.run_with(input, arguments).await;
        assert_eq!((done.code, done.out.as_str()), (Some(code), ""), "{arguments:?}: {}", done.err);
        assert!(!done.err.is_empty(), "{arguments:?}");
        assert!(!done.err.contains("short"), "no password is told: {}", done.err);
    }
    assert_eq!(scene.shown(&["users", "list"]).await, Vec::<Value>::new());
}

// promise T8
async fn what_is_granted_and_closed_counts_in_the_service_that_runs(backend: Backend) {
    let scene = Scene::new(backend).await;
    assert_eq!(scene.create(&Person::new("root")).await.code, Some(0));
    let program = scene.serve().await;
    let client = program.client().await;
    let ada = Person::new("ada");
    let registered = ada.register(&client).await;
    // Whoever registered first has the password: the address has to be theirs before it may rule.
    assert!(scene.refused(1, &["admin", "grant", "--email", &ada.email]).await.contains("--unverified"));
    assert_eq!(client.status_of(&registered.set.access_token).await, TokenStatus::Active);
    let granted = scene.shown(&["admin", "grant", "--email", &ada.email, "--unverified"]).await;
    assert_eq!(granted[0]["roles"], serde_json::json!(["admin", "user"]));
    until("the grant to be heard of", || async {
        client.status_of(&registered.set.access_token).await == TokenStatus::Revoked
    })
    .await;
    is_administrator(&client, &ada).await.expect("an administrator");

    let tokens = ada.log_in(&client).await.expect("tokens");
    let closed = scene.shown(&["users", "disable", &registered.user.id]).await;
    assert_eq!((&closed[0]["id"], &closed[0]["state"]), (&registered.user.id.as_str().into(), &"disabled".into()));
    until("the closing to be heard of", || async {
        client.status_of(&tokens.access_token).await == TokenStatus::Revoked
    })
    .await;
    ada.log_in(&client).await.expect_err("closed").is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    assert_eq!(scene.shown(&["users", "enable", &ada.email.to_uppercase()]).await[0]["state"], "active");
    ada.log_in(&client).await.expect("open again");
    assert!(scene.refused(1, &["users", "disable", "nobody@example.com"]).await.contains("no such account"));
    scene.refused(64, &["users", "disable", "nobody"]).await;
}

// promise A4
async fn the_last_administrator_stays_whoever_asks(backend: Backend) {
    let scene = Scene::new(backend).await;
    let root = Person::new("root");
    assert_eq!(scene.create(&root).await.code, Some(0));
    let refusal = scene.refused(1, &["users", "disable", &root.email]).await;
    assert!(refusal.contains("the last administrator stays"), "{refusal}");
}

async fn accounts_are_listed_and_chosen(backend: Backend) {
    let scene = Scene::new(backend).await;
    let root = Person::new("root");
    assert_eq!(scene.create(&root).await.code, Some(0));
    let program = scene.serve().await;
    let client = program.client().await;
    let (ada, bob) = (Person::new("ada"), Person::new("bob"));
    ada.register(&client).await;
    bob.register(&client).await;
    scene.shown(&["users", "disable", &bob.email]).await;
    let emails = async |arguments: &[&str]| -> Vec<String> {
        let shown = scene.shown(&[&["users", "list"], arguments].concat()).await;
        shown.iter().map(|user| user["email"].as_str().expect("an address").to_owned()).collect()
    };
    assert_eq!(emails(&[]).await, [root.email.as_str(), &ada.email, &bob.email]);
    assert_eq!(emails(&["--limit", "2"]).await, [root.email.as_str(), &ada.email]);
    assert_eq!(emails(&["--email-prefix", "ADA"]).await, [ada.email.as_str()]);
    assert_eq!(emails(&["--role", "admin"]).await, [root.email.as_str()]);
    assert_eq!(emails(&["--state", "disabled"]).await, [bob.email.as_str()]);
    let table = scene.run_with("", &["users", "list"]).await;
    let header: Vec<_> = table.out.lines().next().expect("a header").split_whitespace().collect();
    assert_eq!(header, ["ID", "EMAIL", "STATE", "ROLES", "VERIFIED", "CREATED", "NAME"]);
    assert_eq!(table.out.lines().count(), 4);
}

// promise T9
async fn keys_are_listed_rotated_and_revoked(backend: Backend) {
    let scene = Scene::new(backend).await;
    let program = scene.serve().await;
    let client = program.client().await;
    let ada = Person::new("ada");
    let old = ada.register(&client).await.set.access_token;
    let listed = scene.shown(&["keys", "list"]).await;
    assert_eq!((listed.len(), &listed[0]["state"], &listed[0]["algorithm"]), (1, &"active".into(), &"ES256".into()));
    let kid = listed[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(Jwt::parse(&old).header["kid"], kid.as_str());
    let next = scene.shown(&["keys", "rotate"]).await;
    assert_eq!(next[0]["state"], "next");
    let left = scene.shown(&["keys", "revoke", &kid]).await;
    assert_eq!((left.len(), &left[0]["id"], &left[0]["state"]), (1, &next[0]["id"], &"active".into()));
    until("the revocation to be heard of", || async { client.status_of(&old).await != TokenStatus::Active }).await;
    until("the next key to sign", || async {
        let Ok(set) = ada.log_in(&client).await else { return false };
        Jwt::parse(&set.access_token).header["kid"] == next[0]["id"]
    })
    .await;
    let published = client.get_jwks(GetJwksRequest {}).await.expect("keys").keys;
    assert!(published.iter().all(|key| key.kid != kid));
    assert!(scene.refused(1, &["keys", "revoke", &kid]).await.contains("no signing key"));
}

// promise G1
async fn the_trail_is_shown_and_followed(backend: Backend) {
    let scene = Scene::new(backend).await;
    let program = scene.serve().await;
    let client = program.client().await;
    let ada = Person::new("ada");
    let registered = ada.register(&client).await;
    let last = scene.shown(&["audit", "tail", "-n", "3"]).await;
    let kinds: Vec<_> = last.iter().map(|event| event["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds.len(), 3);
    assert!(kinds.contains(&"session_created") && kinds.contains(&"user_created"), "{kinds:?}");
    assert!(last.iter().all(|event| event["subject"] == registered.user.id.as_str() && event["source"] == "127.0.0.1"));

    let mut follower = scene.command(&["--output", "json", "audit", "tail", "-n", "1", "--follow"]);
    let mut follower = follower.spawn().expect("the binary starts");
    let mut lines = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    lines.next_line().await.expect("a line").expect("the last event");
    let stranger = client.log_in(&ada.email, "wrong lantern above the quarry").await;
    stranger.expect_err("a wrong password").is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    let line = lines.next_line().await.expect("a line").expect("what has come since");
    let event: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&event["kind"], &event["outcome"]), (&"authn_login_fail".into(), &"failure".into()));
    crate::support::process::signal(follower.id().expect("it runs"), "INT");
    let status = follower.wait().await.expect("it ends");
    assert_eq!(status.code(), Some(0));
}

on_each_backend!(
    the_first_administrator_is_made_before_and_while_the_service_runs,
    what_makes_no_administrator_is_said_and_changes_nothing,
    what_is_granted_and_closed_counts_in_the_service_that_runs,
    the_last_administrator_stays_whoever_asks,
    accounts_are_listed_and_chosen,
    keys_are_listed_rotated_and_revoked,
    the_trail_is_shown_and_followed,
);
