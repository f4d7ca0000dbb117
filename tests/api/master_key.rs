//! The master key is changed under a service that runs: two replicas on PostgreSQL, one on SQLite; by the real binary.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use keystead::grpc::pb::TokenStatus;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::harness::{Backend, Client, Person, Program, Servers, on_each_backend, until};

/// 32 bytes for tests alone, and other ones.
const OLD: &str = "a2V5c3RlYWQtdGVzdHMtbWFzdGVyLWtleS0zMi1ieXQ=";
const NEW: &str = "b3RoZXItdGVzdHMtbWFzdGVyLWtleS1vZi0zMi1ieXQ=";

/// What every replica is told beside its master keys.
struct Scene {
    folder: TempDir,
    servers: Servers,
}

impl Scene {
    fn command(&self, current: &str, former: &str, arguments: &[&str]) -> tokio::process::Command {
        let mut command = Program::command(self.folder.path(), &[]);
        command.env("KEYSTEAD_KEYS_MASTER_KEY", current).env("KEYSTEAD_KEYS_FORMER_MASTER_KEYS", former);
        command.env("KEYSTEAD_KEYS_RELOAD_INTERVAL", "200ms").env("KEYSTEAD_KEYS_JWKS_MAX_AGE", "1s");
        command.env("KEYSTEAD_LIMITS_PER_SOURCE_BURST", "1000000");
        command.envs(self.servers.database_url.iter().map(|url| ("KEYSTEAD_DATABASE_URL", url)));
        command.args(arguments);
        command
    }

    async fn serve(&self, current: &str, former: &str) -> Program {
        Program::launch(&mut self.command(current, former, &[])).await
    }

    /// What a command that succeeds has shown.
    async fn shown(&self, current: &str, former: &str, arguments: &[&str]) -> Vec<Value> {
        let arguments = [arguments, &["--output", "json"]].concat();
        let ended = Program::finish(&mut self.command(current, former, &arguments)).await;
        assert_eq!(ended.code, Some(0), "{}", ended.output);
        ended.output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// What the doctor says of the keys.
    async fn keys(&self, current: &str, former: &str) -> (String, String) {
        let shown = self.shown(current, former, &["doctor"]).await;
        let keys = shown.iter().find(|finding| finding["check"] == "keys").expect("a finding");
        let text = |name: &str| keys[name].as_str().expect("text").to_owned();
        (text("verdict"), text("found"))
    }
}

/// Signs in, refreshes and verifies, again and again: none of it may fail.
struct Load {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Load {
    fn on(client: Client, person: Person) -> Self {
        let (stop, rounds) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&rounds));
        let task = tokio::spawn(async move {
            let mut tokens = person.log_in(&client).await.expect("tokens");
            while !stopped.load(Ordering::SeqCst) {
                tokens = client.use_refresh_token(&tokens.refresh_token).await.expect("a successor");
                assert_eq!(client.status_of(&tokens.access_token).await, TokenStatus::Active);
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { stop, rounds, task }
    }

    async fn goes_on(&self) {
        let wanted = self.rounds.load(Ordering::SeqCst) + 20;
        until("calls to go on", || async { self.task.is_finished() || self.rounds.load(Ordering::SeqCst) >= wanted })
            .await;
        assert!(!self.task.is_finished(), "a call has failed");
    }

    async fn ends(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.expect("every call has succeeded");
    }
}

async fn stopped(program: Program) {
    program.signal("TERM");
    let (status, output) = program.end().await;
    assert_eq!(status.code(), Some(0), "{output}");
}

/// Starts a replica in the place of another: on SQLite one has to end before the next begins.
async fn in_place_of(old: Program, scene: &Scene, current: &str, former: &str) -> Program {
    if scene.servers.database_url.is_none() {
        stopped(old).await;
        return scene.serve(current, former).await;
    }
    let next = scene.serve(current, former).await;
    stopped(old).await;
    next
}

// promise S4
async fn the_master_key_is_changed_while_replicas_serve_and_the_old_one_can_go(backend: Backend) {
    let scene = Scene { folder: TempDir::new().expect("a folder"), servers: Servers::start(backend).await };
    let mut replicas = Vec::new();
    for _ in 0..backend.replicas() {
        replicas.push(scene.serve(OLD, "").await);
    }
    let ada = Person::new("ada");
    let registered = ada.register(&replicas[0].client().await).await.set;

    // One replica after the other learns of the new key. What they make meanwhile, those that know the old one alone open.
    replicas.reverse();
    let first = replicas.pop().expect("a replica");
    replicas.insert(0, in_place_of(first, &scene, NEW, OLD).await);
    scene.shown(NEW, OLD, &["keys", "rotate"]).await;
    for replica in &replicas {
        let client = replica.client().await;
        until("the next signing key", || async { published(&client).await == 2 }).await;
        ada.log_in(&client).await.expect("tokens");
    }
    if replicas.len() == 2 {
        let second = replicas.pop().expect("a replica");
        replicas.push(in_place_of(second, &scene, NEW, OLD).await);
    }
    let (verdict, found) = scene.keys(NEW, OLD).await;
    assert!(verdict == "warn" && found.contains("7 are sealed under a former master key"), "{verdict}: {found}");

    let mut loads = Vec::new();
    for replica in &replicas {
        loads.push(Load::on(replica.client().await, ada.clone()));
    }
    let done = scene.shown(NEW, OLD, &["keys", "rotate-master"]).await;
    assert_eq!(done, [json!({"resealed": 7, "current": 7, "former": 0})]);
    for load in loads {
        load.goes_on().await;
        load.ends().await;
    }
    let again = scene.shown(NEW, OLD, &["keys", "rotate-master"]).await;
    assert_eq!(again, [json!({"resealed": 0, "current": 7, "former": 0})]);
    let (verdict, found) = scene.keys(NEW, OLD).await;
    assert!(verdict == "ok" && found.contains("no former master key is needed"), "{verdict}: {found}");

    let last = replicas.pop().expect("a replica");
    let last = in_place_of(last, &scene, NEW, "").await;
    let client = last.client().await;
    assert_eq!(client.status_of(&registered.access_token).await, TokenStatus::Active, "what was signed before");
    client.use_refresh_token(&registered.refresh_token).await.expect("the session goes on");
    assert_eq!(scene.keys(NEW, "").await.0, "ok");
    let late = Program::finish(&mut scene.command(OLD, "", &[])).await;
    assert_eq!(late.code, Some(64), "{}", late.output);
    assert!(late.output.contains("keys.former_master_keys"), "{}", late.output);
}

async fn published(client: &Client) -> usize {
    client.get_jwks(keystead::grpc::pb::GetJwksRequest {}).await.expect("keys").keys.len()
}

on_each_backend!(the_master_key_is_changed_while_replicas_serve_and_the_old_one_can_go);

// promise S3
#[tokio::test]
async fn a_former_master_key_that_is_none_stops_the_start_and_is_not_told() {
    let folder = TempDir::new().expect("a folder");
    let run =
        async |folder: &Path, keys: String| Program::run(folder, &[("KEYSTEAD_KEYS_FORMER_MASTER_KEYS", &keys)]).await;
    let ended = run(folder.path(), format!("{OLD},canary-in-a-value")).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    assert!(ended.output.contains("keys.former_master_keys") && !ended.output.contains("canary"), "{}", ended.output);
    assert!(!ended.output.contains(OLD), "{}", ended.output);
}
