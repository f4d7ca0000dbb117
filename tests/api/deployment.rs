//! The image and the manifests against the real binary: their settings are ones it knows, their probes paths it answers.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;
use tonic::transport::Endpoint;

use crate::harness::{Backend, MASTER_KEY, Person, Program, Servers, http_get};
use crate::tls::Pki;

type Variables = BTreeMap<String, String>;

fn repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of the repository")
}

fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    name.starts_with("KEYSTEAD_").then(|| (name.to_owned(), value.to_owned()))
}

/// What the image sets, with free ports and data in the folder.
fn image(folder: &Path) -> Variables {
    let text = repository("Dockerfile");
    let lines = text.lines().map(|line| line.trim_start_matches("ENV").trim_end_matches('\\').trim());
    let mut variables: Variables = lines.filter_map(variable).collect();
    assert_eq!(variables.len(), 3, "{variables:?}");
    for (name, port) in [("KEYSTEAD_GRPC_LISTEN", ":50051"), ("KEYSTEAD_HTTP_LISTEN", ":8080")] {
        let listen = variables.get_mut(name).expect("an address");
        *listen = format!("{}:0", listen.strip_suffix(port).expect("the port that the manifests name"));
    }
    variables.insert("KEYSTEAD_DATA_DIRECTORY".to_owned(), folder.join("data").display().to_string());
    variables
}

/// What a pod of the overlay is told.
fn pod(overlay: &str, folder: &Path) -> Variables {
    let mut variables = image(folder);
    for file in ["k8s/base/settings.env".to_owned(), format!("k8s/overlays/{overlay}/settings.env")] {
        variables.extend(repository(&file).lines().filter_map(variable));
    }
    variables
}

fn command(folder: &Path, variables: &Variables) -> tokio::process::Command {
    let mut command = Program::command(folder, &[]);
    command.env_clear().envs(variables);
    command
}

/// The number after this key in the text of a manifest.
fn number(manifest: &str, key: &str) -> u64 {
    let value = manifest.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "));
    value.expect("the key").parse().expect("a number")
}

fn seconds(variables: &Variables, name: &str) -> u64 {
    variables[name].strip_suffix('s').expect("a span in seconds").parse().expect("a number")
}

async fn assert_probes_answer(program: &Program) {
    let manifest = repository("k8s/base/deployment.yaml");
    let probed = manifest.lines().filter_map(|line| line.trim().strip_prefix("path: "));
    let probed: Vec<_> = probed.collect();
    assert_eq!(probed, ["/startupz", "/readyz", "/livez"]);
    for path in probed {
        assert_eq!(http_get(program.http, path, &[]).await.status, 200, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_image_alone_serves_no_clear_text_to_a_network() {
    let folder = TempDir::new().expect("a folder");
    let ended = Program::finish(&mut command(folder.path(), &image(folder.path()))).await;
    assert_eq!(ended.code, Some(64), "{}", ended.output);
    assert!(ended.output.contains("needs TLS, or allow_cleartext"), "{}", ended.output);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_of_the_overlay_for_trying_out_serves_with_its_settings_and_answers_its_probes() {
    let folder = TempDir::new().expect("a folder");
    let program = Program::launch(&mut command(folder.path(), &pod("dev", folder.path()))).await;
    assert_probes_answer(&program).await;
    Person::new("pod").register(&program.client().await).await;
    assert!(folder.path().join("data/keystead.sqlite").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_in_production_serves_by_tls_with_nothing_but_its_settings_and_secrets_and_writes_no_file() {
    let (folder, pki) = (TempDir::new().expect("a folder"), Pki::new());
    let servers = Servers::start(Backend::PostgresRedis).await;
    let secrets = [
        ("database-url", servers.database_url.clone().expect("a URL")),
        ("redis-url", servers.redis.as_ref().expect("a server").url()),
        ("smtp-url", "smtp://localhost:25?tls=required".to_owned()),
        ("master-key", MASTER_KEY.to_owned()),
    ];
    let mounted = folder.path().join("secrets");
    fs::create_dir(&mounted).expect("a folder");
    for (name, value) in secrets {
        fs::write(mounted.join(name), value).expect("a written file");
        fs::set_permissions(mounted.join(name), fs::Permissions::from_mode(0o600)).expect("a mode");
    }
    let mut variables = pod("production", folder.path());
    for value in variables.values_mut() {
        let mounts = [("/run/secrets/keystead-tls/", pki.path("")), ("/run/secrets/keystead/", mounted.clone())];
        for (mount, place) in mounts {
            if let Some(name) = value.strip_prefix(mount) {
                *value = place.join(name).display().to_string();
            }
        }
    }
    assert!(!variables.values().any(|value| value.starts_with("/run/")), "{variables:?}");
    let program = Program::launch(&mut command(folder.path(), &variables)).await;
    assert_probes_answer(&program).await;
    let endpoint = Endpoint::from_shared(format!("https://localhost:{}", program.grpc.port())).expect("a URL");
    endpoint.tls_config(pki.trust()).expect("TLS").connect().await.expect("a handshake");
    assert!(!folder.path().join("data").exists(), "its root file system is read-only");
}

// promise N7
#[test]
fn a_pod_may_take_as_long_as_its_calls_and_its_drain() {
    let manifest = repository("k8s/base/deployment.yaml");
    for overlay in ["dev", "production"] {
        let variables = pod(overlay, Path::new(""));
        let drain = seconds(&variables, "KEYSTEAD_DRAIN_TIMEOUT");
        assert!(drain > 30, "the longest call (grpc.max_deadline)");
        let whole = seconds(&variables, "KEYSTEAD_DRAIN_DELAY") + drain;
        assert!(number(&manifest, "terminationGracePeriodSeconds") > whole);
    }
}
