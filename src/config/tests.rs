//! Settings as an operator gets them wrong, and right.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use super::Settings;
use super::fault::Faults;
use super::raw::{RawSettings, variable};
use super::reader::Reader;
use super::reference;
use super::sources::Sources;
use super::{kubernetes, raw};
use crate::store::db::DatabaseUrl;

const MASTER_KEY: &str = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LTEyMzQ=";

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Settings, Faults> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Settings::load(Sources { file: Some(file.to_owned()), exposed: None, environment })
}

fn faults(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let faults = load(file, environment).expect_err("faults");
    faults.0.iter().map(ToString::to_string).collect()
}

fn secret_file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    (folder, path)
}

#[test]
fn nothing_set_is_enough() {
    let settings = load("", &[]).unwrap();
    assert_eq!(settings.database.store.url, DatabaseUrl::new("sqlite://keystead-data/keystead.sqlite"));
    assert!(settings.redis.is_none() && settings.master_key.is_none());
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "[tokens]\naccess_lifetime = \"5m\"\naudiences = [\"keystead\", \"shop\"]\n[sessions]\ngrace = \"1s\"";
    let settings = load(file, &[("KEYSTEAD_TOKENS_ACCESS_LIFETIME", "2m")]).unwrap();
    assert_eq!(settings.service.tokens.access_lifetime, Duration::from_mins(2));
    assert_eq!(settings.service.sessions.grace, Duration::from_secs(1));
    assert_eq!(settings.service.tokens.audiences, ["keystead", "shop"]);
}

#[test]
fn what_is_not_said_of_proxies_before_http_is_as_before_grpc() {
    let grpc = "grpc.trusted_proxies = [\"10.0.0.0/8\"]\ngrpc.forwarded_header = \"forwarded\"\n";
    let settings = load(grpc, &[]).unwrap();
    assert_eq!(settings.http.trusted_proxies, settings.grpc.trusted_proxies);
    assert_eq!(settings.http.forwarded_header, settings.grpc.forwarded_header);
    let settings = load(&format!("{grpc}http.trusted_proxies = []"), &[]).unwrap();
    assert!(settings.http.trusted_proxies.is_empty() && !settings.grpc.trusted_proxies.is_empty());
}

#[test]
fn an_empty_variable_is_as_good_as_not_set() {
    let settings = load("sessions.max_per_user = 7", &[("KEYSTEAD_SESSIONS_MAX_PER_USER", "")]).unwrap();
    assert_eq!(settings.service.sessions.max_per_user, 7);
}

#[test]
fn every_fault_is_named_at_once_in_both_spellings_and_without_its_value() {
    let file =
        "[grpc]\nlisten = \"canary-1\"\nlissten = \"canary-2\"\n[passwords]\nmemory_kib = 1024\n[log]\nlevel = []";
    let found = faults(
        file,
        &[
            ("KEYSTEAD_DATABASE_URL", "mysql://canary-3"),
            ("KEYSTEAD_KEYS_MASTER_KEY", "canary-4"),
            ("KEYSTEAD_SESSION_GRACE", "canary-5"),
            ("KEYSTEAD_NOTHING_LIKE_IT", "canary-6"),
        ],
    );
    assert_eq!(
        found,
        [
            "grpc.listen (KEYSTEAD_GRPC_LISTEN): expected an address and a port, like 127.0.0.1:50051 or [::1]:50051",
            "database.url (KEYSTEAD_DATABASE_URL): must start with sqlite:// or postgres://",
            "keys.master_key (KEYSTEAD_KEYS_MASTER_KEY): expected 32 random bytes in base64, as `openssl rand -base64 \
             32` makes them",
            "passwords.memory_kib (KEYSTEAD_PASSWORDS_MEMORY_KIB): expected a whole number from 19456 to 1048576",
            "log.level (KEYSTEAD_LOG_LEVEL): expected error, warn, info, debug or trace",
            "grpc.lissten: is not a setting; did you mean grpc.listen?",
            "KEYSTEAD_NOTHING_LIKE_IT: is not a setting",
            "KEYSTEAD_SESSION_GRACE: is not a setting; did you mean KEYSTEAD_SESSIONS_GRACE?",
        ]
    );
}

#[test]
fn a_file_that_is_no_toml_is_told_by_its_line() {
    assert_eq!(faults("a = 1\nb = canary", &[]), ["the file: is not valid TOML at line 2"]);
}

// promise P4
#[test]
fn hashing_weaker_than_promised_stops_the_start() {
    for variable in ["KEYSTEAD_PASSWORDS_MEMORY_KIB", "KEYSTEAD_PASSWORDS_PASSES", "KEYSTEAD_PASSWORDS_LANES"] {
        let value = if variable.ends_with("KIB") { "19455" } else { "0" };
        assert_eq!(faults("", &[(variable, value)]).len(), 1, "{variable}");
    }
    assert_eq!(faults("passwords.passes = 1", &[]).len(), 1);
}

// promise S5
#[test]
fn authorities_of_the_database_come_before_those_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let (all, own) = (folder.path().join("all.pem"), folder.path().join("own.pem"));
    for file in [&all, &own] {
        fs::write(file, rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap().cert.pem()).unwrap();
    }
    let read = |own: Option<&PathBuf>, query: &str| {
        let own = own.map(|own| format!("database.ca_file = '{}'\n", own.display())).unwrap_or_default();
        let url = format!("postgres://keystead@localhost/keystead?sslmode=verify-full{query}");
        let file =
            format!("keys.master_key = '{MASTER_KEY}'\ntls.ca_file = '{}'\n{own}database.url = '{url}'", all.display());
        load(&file, &[]).unwrap().database.store.ca_file
    };
    assert_eq!(read(None, ""), Some(all.clone()));
    assert_eq!(read(Some(&own), ""), Some(own));
    assert_eq!(read(None, "&sslrootcert=other.pem"), None, "the URL's own");
}

#[test]
fn postgres_needs_a_master_key() {
    let found = faults("database.url = \"postgres://keystead@localhost/keystead\"", &[]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("keys.master_key (KEYSTEAD_KEYS_MASTER_KEY): is needed with PostgreSQL"), "{found:?}");
}

#[test]
fn a_secret_comes_from_a_file_without_its_line_break() {
    let (_folder, path) = secret_file(&format!("{MASTER_KEY}\r\n"), 0o600);
    let settings = load("", &[("KEYSTEAD_KEYS_MASTER_KEY_FILE", path.to_str().unwrap())]).unwrap();
    assert_eq!(*settings.master_key.unwrap().0, *b"canary-canary-canary-canary-1234");
}

// promise S3
#[test]
fn a_secret_file_that_others_can_read_stops_the_start() {
    for mode in [0o604, 0o640, 0o644, 0o660] {
        let (_folder, path) = secret_file(MASTER_KEY, mode);
        let found = faults("", &[("KEYSTEAD_KEYS_MASTER_KEY_FILE", path.to_str().unwrap())]);
        assert_eq!(found.len(), 1, "{mode:o}");
        assert!(found[0].contains("keys.master_key_file") && found[0].contains("can read"), "{found:?}");
        let found = faults("", &[("KEYSTEAD_GRPC_TLS_KEY_FILE", path.to_str().unwrap())]);
        assert!(found[0].contains("grpc.tls_key_file") && found[0].contains("can read"), "{found:?}");
    }
}

#[test]
fn a_secret_given_twice_is_a_fault_but_the_environment_wins_over_the_file() {
    let (_folder, path) = secret_file(MASTER_KEY, 0o400);
    let path = path.to_str().unwrap();
    let both = [("KEYSTEAD_KEYS_MASTER_KEY_FILE", path), ("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY)];
    assert!(faults("", &both)[0].contains("is set twice"));
    assert!(load("keys.master_key = \"nonsense\"", &both[..1]).is_ok());
}

// promise S1
#[test]
fn no_secret_is_in_the_debug_form() {
    let settings = load(
        "",
        &[
            ("KEYSTEAD_DATABASE_URL", "postgres://user:canary-a@localhost/keystead"),
            ("KEYSTEAD_REDIS_URL", "redis://:canary-b@cache"),
            ("KEYSTEAD_KEYS_MASTER_KEY", MASTER_KEY),
            ("KEYSTEAD_PASSWORDS_PEPPER", "canary-c-canary-c"),
            ("KEYSTEAD_MAIL_SMTP_URL", "smtp://user:canary-d@mail"),
        ],
    );
    let shown = format!("{:?}", settings.unwrap());
    let bytes = format!("{:?}", b"canary").trim_matches(['[', ']']).to_owned();
    for secret in ["canary", MASTER_KEY, &bytes] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn what_kubernetes_injects_is_passed_over() {
    let injected = [
        ("KEYSTEAD_SERVICE_HOST", "10.0.0.11"),
        ("KEYSTEAD_PORT", "tcp://10.0.0.11:50051"),
        ("KEYSTEAD_GRPC_SERVICE_PORT_GRPC", "50051"),
    ];
    assert!(load("", &injected).is_ok());
    assert_eq!(faults("", &[("KEYSTEAD_PORT", "50051")]).len(), 1);
}

#[test]
fn no_setting_looks_like_what_kubernetes_injects_and_no_two_share_a_variable() {
    let mut reader = Reader::new(RawSettings::default());
    drop(Settings::read(&mut reader));
    let mut names: Vec<String> = reader.declarations().iter().map(|setting| variable(&setting.path)).collect();
    for name in &names {
        assert!(name.starts_with(raw::PREFIX));
        for value in ["50051", "10.0.0.1", "tcp", "tcp://10.0.0.1:50051"] {
            assert!(!kubernetes::is_injected(name, value), "{name}");
        }
    }
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_page_of_settings_is_in_step_with_the_code() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/settings.md")).unwrap();
    assert!(page == reference::markdown(), "write docs/settings.md anew: cargo run -- settings > docs/settings.md");
}

// promise S3
#[test]
fn a_settings_file_that_others_can_read_holds_no_secret() {
    let exposed = Some("names a file that others can read (mode 0644): only its owner may (chmod 600)".to_owned());
    let with_secret = Some(format!("[keys]\nmaster_key = \"{MASTER_KEY}\""));
    let sources = Sources { file: with_secret, exposed: exposed.clone(), environment: Vec::new() };
    let faults = Settings::load(sources).expect_err("a fault").to_string();
    assert!(faults.contains("keys.master_key") && faults.contains("others can read"), "{faults}");
    assert!(!faults.contains(MASTER_KEY));
    let without = Some("[sessions]\ngrace = \"1s\"".to_owned());
    assert!(Settings::load(Sources { file: without, exposed, environment: Vec::new() }).is_ok());
}

#[test]
fn a_secret_is_the_same_text_directly_and_from_a_file() {
    let pepper = " pepper with spaces ";
    let (_folder, path) = secret_file(&format!("{pepper}\n"), 0o600);
    let file = load("", &[("KEYSTEAD_PASSWORDS_PEPPER_FILE", &path.display().to_string())]).unwrap();
    let direct = load("", &[("KEYSTEAD_PASSWORDS_PEPPER", &format!("{pepper}\n"))]).unwrap();
    assert_eq!(direct.passwords.pepper, file.passwords.pepper);
    assert_eq!(direct.passwords.pepper.unwrap().as_slice(), pepper.as_bytes());
}

#[test]
fn an_empty_section_is_known_by_its_name() {
    assert!(load("[tokens]", &[]).is_ok());
    let faults = faults("[databse]", &[]);
    assert!(faults.len() == 1 && faults[0].contains("databse"), "{faults:?}");
}

const PROVIDERS: &str = "[oauth.providers.google]\nkind = \"google\"\nclient_id = \"id\"\nclient_secret = \"canary\"\n\
    redirects = [\"https://app.example.com/signed-in\"]\n";

#[test]
fn providers_are_named_by_their_tables_in_the_file_and_in_variables() {
    let environment = [
        ("KEYSTEAD_OAUTH_PROVIDERS_COMPANY_KIND", "oidc"),
        ("KEYSTEAD_OAUTH_PROVIDERS_COMPANY_ISSUER", "https://idp.example.com"),
        ("KEYSTEAD_OAUTH_PROVIDERS_COMPANY_CLIENT_ID", "id"),
        ("KEYSTEAD_OAUTH_PROVIDERS_COMPANY_CLIENT_SECRET", "canary"),
        ("KEYSTEAD_OAUTH_PROVIDERS_COMPANY_REDIRECTS", "https://a.example/x,com.example.app:/y"),
        ("KEYSTEAD_OAUTH_PROVIDERS_GOOGLE_CLIENT_ID", "other"),
        ("KEYSTEAD_HTTP_PUBLIC_URL", "https://auth.example.com/"),
    ];
    let settings = load(PROVIDERS, &environment).unwrap();
    let [company, google] = &*settings.oidc.providers else { panic!("two providers") };
    assert_eq!((company.name.as_str(), company.issuer.as_str()), ("company", "https://idp.example.com"));
    assert_eq!((&*google.client_id, google.issuer.as_str()), ("other", "https://accounts.google.com"));
    assert_eq!(company.callback, "https://auth.example.com/oauth/company/callback");
    assert_eq!(settings.service.federation.redirects[&company.name], ["https://a.example/x", "com.example.app:/y"]);
    assert!(!format!("{settings:?}").contains("canary"));
}

// promises O5, O8
#[test]
fn every_fault_of_a_provider_is_named_at_once() {
    let file = "[oauth.providers.my-idp]\nkind = \"saml\"\nissuer = \"http://idp.example.com\"\nclient_idd = \"x\"\n\
        redirects = [\"https://app.example.com/#canary\"]\n[oauth.providers.empty]";
    let found = faults(file, &[]);
    for part in [
        "oauth.providers.my-idp (",
        "oauth.providers.my-idp.kind (",
        "oauth.providers.my-idp.issuer (",
        "oauth.providers.my-idp.client_id (",
        "oauth.providers.my-idp.client_secret (",
        "oauth.providers.my-idp.redirects (",
        "oauth.providers.my-idp.client_idd: is not a setting; did you mean oauth.providers.my-idp.client_id?",
        "oauth.providers.empty.kind (",
        "oauth.providers.empty.redirects (",
    ] {
        assert_eq!(found.iter().filter(|fault| fault.starts_with(part)).count(), 1, "{part}: {found:?}");
    }
    assert!(!found.concat().contains("canary"));
}
