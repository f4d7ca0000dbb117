//! The first start and the next ones, of the real binary: what it makes, what it says, and what it refuses.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use keystead::grpc::pb::{GetJwksRequest, TokenStatus};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::harness::{Backend, Client, MASTER_KEY, Person, Program, Servers};

/// What no output may ever hold.
const CANARY: &str = "canary-in-a-value";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

fn folder() -> TempDir {
    TempDir::new().expect("a folder")
}

/// The binary in the folder, with nothing set but free ports.
fn unset(folder: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Program::command(folder, variables);
    command.current_dir(folder).env_remove("KEYSTEAD_DATA_DIRECTORY");
    command
}

async fn terminated(program: Program) -> Option<i32> {
    program.signal("TERM");
    program.end().await.0.code()
}

/// Every file below the folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

async fn key_ids(client: &Client) -> Vec<String> {
    let answer = client.get_jwks(GetJwksRequest {}).await.expect("the keys");
    answer.keys.into_iter().map(|key| key.kid).collect()
}

// promise S3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_set_is_enough_and_the_next_start_finds_what_the_first_has_made() {
    let folder = folder();
    let first = Program::launch(&mut unset(folder.path(), &[])).await;
    let client = first.client().await;
    let tokens = Person::new("first").register(&client).await;
    let keys = key_ids(&client).await;
    let data = folder.path().join("keystead-data");
    assert_eq!(mode(&data), 0o700);
    let made = files(&data);
    for name in ["master.key", "keystead.sqlite"] {
        assert!(made.contains(&data.join(name)), "{made:?}");
    }
    for path in &made {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is made elsewhere");
    assert_eq!(terminated(first).await, Some(0));
    let second = Program::launch(&mut unset(folder.path(), &[])).await;
    let client = second.client().await;
    assert_eq!(client.status_of(&tokens.set.access_token).await, TokenStatus::Active);
    assert_eq!(key_ids(&client).await, keys);
    client.use_refresh_token(&tokens.set.refresh_token).await.expect("the session goes on");
}

// promise P7
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_makes_no_account() {
    let folder = folder();
    let program = Program::launch(&mut unset(folder.path(), &[])).await;
    let client = program.client().await;
    for name in ["admin", "root", "administrator", "keystead"] {
        for password in ["", name, "password", "changeme"] {
            client.log_in(&format!("{name}@localhost"), password).await.expect_err("there is no account");
        }
    }
    let person = Person { email: "admin@example.com".to_owned(), ..Person::new("admin") };
    let registered = person.register(&client).await;
    assert_eq!(registered.user.roles, ["user"], "the first account is one like any other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_for_human_eyes_tells_every_place_and_a_call_to_try() {
    let folder = folder();
    let mut command = unset(folder.path(), &[("KEYSTEAD_LOG_FORMAT", "text")]);
    let mut program = command.stderr(Stdio::null()).spawn().expect("the binary starts");
    let mut lines = BufReader::new(program.stdout.take().expect("a pipe")).lines();
    let mut told = String::new();
    while !told.contains("AuthService/Register") {
        told += &lines.next_line().await.expect("text").expect("more lines");
        told += "\n";
    }
    for word in ["gRPC", "HTTP", "jwks.json", "SQLite", "memory", "keystead-data", "clear text", "grpcurl -plaintext"] {
        assert!(told.contains(word), "{word} is missing: {told}");
    }
    let address = told.lines().find_map(|line| line.trim().strip_prefix("gRPC")).expect("an address");
    let address = address.split_whitespace().next().expect("an address");
    assert!(!told.contains(":0 "), "the ports are those that were bound: {told}");
    let client = Client::connect(address.parse().expect("an address")).await;
    client.get_jwks(GetJwksRequest {}).await.expect("the keys");
}

// promise S3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_setting_at_fault_is_named_at_once_and_no_value_is_told() {
    let folder = folder();
    let file = folder.path().join("keystead.toml");
    let text =
        format!("[grpc]\nlissten = '{CANARY}-1'\n[sessions]\ngrace = '{CANARY}-2'\n[canary]\nx = '{CANARY}-3'\n");
    fs::write(&file, text).expect("a written file");
    let variables = [
        ("KEYSTEAD_CONFIG", file.to_str().expect("a path")),
        ("KEYSTEAD_DATABASE_URL", "mysql://canary-in-a-value"),
        ("KEYSTEAD_KEYS_MASTER_KEY", CANARY),
        ("KEYSTEAD_TOKEN_ISSUER", CANARY),
    ];
    let ended = Program::finish(&mut unset(folder.path(), &variables)).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    for name in
        ["grpc.lissten", "sessions.grace", "canary.x", "database.url", "keys.master_key", "KEYSTEAD_TOKEN_ISSUER"]
    {
        assert!(ended.output.contains(name), "{name} is missing: {}", ended.output);
    }
    assert!(!ended.output.contains(CANARY), "{}", ended.output);
    assert!(!folder.path().join("keystead-data").exists(), "nothing is made before the settings are good");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_kubernetes_injects_for_services_of_our_name_stops_nothing() {
    let folder = folder();
    let mut command = unset(folder.path(), &[]);
    for (service, port) in [("KEYSTEAD", "50051"), ("KEYSTEAD_GRPC", "50051"), ("KEYSTEAD_HTTP", "8080")] {
        let link = format!("tcp://10.0.0.11:{port}");
        for (suffix, value) in [
            ("SERVICE_HOST", "10.0.0.11"),
            ("SERVICE_PORT", port),
            ("SERVICE_PORT_GRPC", port),
            ("PORT", &link),
            (&format!("PORT_{port}_TCP"), &link),
            (&format!("PORT_{port}_TCP_PROTO"), "tcp"),
            (&format!("PORT_{port}_TCP_PORT"), port),
            (&format!("PORT_{port}_TCP_ADDR"), "10.0.0.11"),
        ] {
            command.env(format!("{service}_{suffix}"), value);
        }
    }
    let program = Program::launch(&mut command).await;
    program.client().await.get_jwks(GetJwksRequest {}).await.expect("the keys");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_without_a_master_key_is_refused_with_what_to_do() {
    let folder = folder();
    let variables = [("KEYSTEAD_DATABASE_URL", "postgres://keystead@127.0.0.1:1/keystead?sslmode=disable")];
    let ended = Program::finish(&mut unset(folder.path(), &variables)).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    for word in ["KEYSTEAD_KEYS_MASTER_KEY", "openssl rand -base64 32", "PostgreSQL"] {
        assert!(ended.output.contains(word), "{}", ended.output);
    }
}

// promise S3
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_key_that_others_can_read_stops_the_start() {
    let folder = folder();
    let key = folder.path().join("named.key");
    fs::write(&key, MASTER_KEY).expect("a written file");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    let variables = [("KEYSTEAD_KEYS_MASTER_KEY_FILE", key.to_str().expect("a path"))];
    let named = Program::finish(&mut unset(folder.path(), &variables)).await;
    let first = Program::launch(&mut unset(folder.path(), &[])).await;
    assert_eq!(terminated(first).await, Some(0));
    let made = folder.path().join("keystead-data/master.key");
    fs::set_permissions(&made, fs::Permissions::from_mode(0o604)).expect("a mode");
    let own = Program::finish(&mut unset(folder.path(), &[])).await;
    for ended in [named, own] {
        assert_eq!(ended.code, Some(64), "{}", ended.output);
        assert!(ended.output.contains("others can read") && ended.output.contains("chmod 600"), "{}", ended.output);
        assert!(!ended.output.contains(MASTER_KEY), "{}", ended.output);
    }
}

// promise P5
#[tokio::test]
async fn hashing_that_cannot_fit_into_the_memory_stops_the_start() {
    let folder = folder();
    let greedy = [("KEYSTEAD_PASSWORDS_THREADS", "256"), ("KEYSTEAD_PASSWORDS_MEMORY_KIB", "1048576")];
    let ended = Program::run(folder.path(), &greedy).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    assert!(ended.output.contains("hashing would take 262144 MiB"), "{}", ended.output);
}

// promise D2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_start_at_once_on_an_empty_postgres_come_up_with_the_same_keys() {
    let servers = Servers::start(Backend::PostgresRedis).await;
    let url = servers.database_url.as_deref().expect("PostgreSQL");
    let variables = [("KEYSTEAD_DATABASE_URL", url), ("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY)];
    let folders = [folder(), folder(), folder()];
    let [one, two, three] = &folders;
    let (one, two, three) = tokio::join!(
        Program::start(one.path(), &variables),
        Program::start(two.path(), &variables),
        Program::start(three.path(), &variables),
    );
    let clients = [one.client().await, two.client().await, three.client().await];
    let tokens = Person::new("everywhere").register(&clients[0]).await;
    let keys = key_ids(&clients[0]).await;
    assert!(!keys.is_empty());
    for client in &clients {
        assert_eq!(key_ids(client).await, keys);
        assert_eq!(client.status_of(&tokens.set.access_token).await, TokenStatus::Active);
    }
}

// promise D2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrating_is_a_command_of_its_own_where_it_is_not_done_at_the_start() {
    let servers = Servers::start(Backend::PostgresRedis).await;
    let url = servers.database_url.as_deref().expect("PostgreSQL");
    let folder = folder();
    let variables = [
        ("KEYSTEAD_DATABASE_URL", url),
        ("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY),
        ("KEYSTEAD_DATABASE_MIGRATE_AT_START", "false"),
    ];
    let early = Program::run(folder.path(), &variables).await;
    assert_eq!(early.code, Some(1), "{}", early.output);
    assert!(early.output.contains("keystead migrate"), "{}", early.output);
    let migrate = || async { Program::finish(Program::command(folder.path(), &variables).arg("migrate")).await };
    let (first, second) = tokio::join!(migrate(), migrate());
    for ended in [first, second, migrate().await] {
        assert_eq!(ended.code, Some(0), "{}", ended.output);
    }
    let program = Program::start(folder.path(), &variables).await;
    Person::new("late").register(&program.client().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_tells_what_it_knows_and_refuses_the_rest() {
    let folder = folder();
    let path = folder.path();
    let run =
        |arguments: &'static [&'static str]| async move { Program::finish(unset(path, &[]).args(arguments)).await };
    let help = run(&["--help"]).await;
    assert_eq!(help.code, Some(0), "{}", help.output);
    for word in ["serve", "migrate", "settings", "--config"] {
        assert!(help.output.contains(word), "{}", help.output);
    }
    let version = run(&["--version"]).await;
    assert_eq!((version.code, version.output.trim()), (Some(0), concat!("keystead ", env!("CARGO_PKG_VERSION"))));
    for arguments in [&["--nonsense"][..], &["nonsense"], &["serve", "more"], &["--config"]] {
        let ended = run(arguments).await;
        assert_eq!(ended.code, Some(64), "{arguments:?}: {}", ended.output);
        assert!(ended.output.contains("--help"), "{arguments:?}: {}", ended.output);
    }
    let missing = run(&["--config", "nowhere.toml"]).await;
    assert_eq!(missing.code, Some(64), "{}", missing.output);
    assert!(missing.output.contains("nowhere.toml"), "{}", missing.output);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0, "none of this makes a file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_named_and_ends_the_start() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    for (variable, words) in
        [("KEYSTEAD_GRPC_LISTEN", ["gRPC address", "in use"]), ("KEYSTEAD_HTTP_LISTEN", ["HTTP address", "in use"])]
    {
        let folder = folder();
        let ended = Program::finish(&mut unset(folder.path(), &[(variable, &address)])).await;
        assert_eq!(ended.code, Some(1), "{}", ended.output);
        assert!(words.iter().all(|word| ended.output.contains(word)), "{}", ended.output);
        assert!(ended.output.contains(&address), "{}", ended.output);
    }
}
