//! Every form, by files as those services write them, and by files that nobody should write.

use std::io::{BufReader, Cursor};

use super::*;
use crate::crypto::password_hasher::{Machine, PasswordHasher, PasswordVerdict, Settings};
use crate::domain::clock::Timestamp;
use crate::domain::deadline::Deadline;
use crate::domain::manual_clock::{CountingEntropy, ManualClock};
use crate::domain::password::Password;
use crate::domain::user::PasswordHash;

const PASSWORD: &str = "correct horse battery staple";
/// Makes a form, as often as it is asked.
type Maker = fn() -> Form;
/// When every account of the files was created.
const CREATED: Option<Timestamp> = Some(Timestamp::from_millis(1_680_674_828_123));

fn rows(form: Form, file: &[u8]) -> Vec<(u64, UserRow)> {
    let rows = form.rows(BufReader::new(Cursor::new(file.to_vec()))).expect("a file of that form");
    rows.map(|row| row.map(|row| (row.number, row.row)).expect("a readable file")).collect()
}

fn firebase_config() -> HashConfig {
    HashConfig::parse(include_str!("fixtures/firebase_hash_config.txt")).expect("parameters")
}

/// Whether the hash is that of the password, by the service's own hasher.
async fn is_of_the_password(hash: &str) -> bool {
    let machine = Machine { processors: 1, quota: None, memory: None };
    let clock = std::sync::Arc::new(ManualClock::new(Timestamp::default()));
    let hasher =
        PasswordHasher::start(&Settings::default(), &machine, std::sync::Arc::new(CountingEntropy::new()), clock);
    let hasher = hasher.expect("threads");
    let stored = PasswordHash::new(hash);
    assert!(hasher.can_check(&stored), "{hash}");
    let password = Password::parse(PASSWORD).expect("a password");
    let verdict = hasher.reserve(Deadline::NEVER).expect("a place").verify(password, Some(stored)).await;
    matches!(verdict, Ok(PasswordVerdict::Right { rehash: Some(_) }))
}

/// What a row says, but for its hash and its time.
fn told(row: &UserRow) -> (&str, &str, bool, &str, bool) {
    (&row.external_id, &row.email, row.email_verified, &row.display_name, row.disabled)
}

fn faults(row: &UserRow) -> Vec<&str> {
    row.faults.iter().map(|fault| fault.field.as_str()).collect()
}

// promise P4
#[tokio::test]
async fn a_realm_of_keycloak_comes_in_with_every_kind_of_its_hashes() {
    let rows = rows(Form::Keycloak, include_bytes!("fixtures/keycloak.json"));
    assert_eq!(rows.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    let rows: Vec<UserRow> = rows.into_iter().map(|(_, row)| row).collect();
    let ada = ("8a2f0c1e-5b7d-4c3a-9e1f-000000000001", "ada@example.com", true, "Ada Lovelace", false);
    assert_eq!((told(&rows[0]), rows[0].language.as_str(), rows[0].created_at), (ada, "de", CREATED));
    let bob = ("8a2f0c1e-5b7d-4c3a-9e1f-000000000002", "bob@example.com", false, "", true);
    assert_eq!(told(&rows[1]), bob);
    for row in &rows[..4] {
        assert!(row.faults.is_empty() && is_of_the_password(&row.password_hash).await, "{}", row.email);
    }
    assert_eq!((rows[4].password_hash.as_str(), faults(&rows[4])), ("", vec![]));
    assert_eq!(faults(&rows[5]), ["credentials"]);
    assert_eq!(rows[6].email, "", "a service account is no person");
    assert!(rows.iter().all(|row| row.roles.is_empty()), "roles are not carried over");
}

// promise P4
#[tokio::test]
async fn lines_of_auth0_come_in_with_and_without_hashes() {
    let rows = rows(Form::Auth0, include_bytes!("fixtures/auth0.ndjson"));
    assert_eq!(rows.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2, 3, 5], "a blank line is no row");
    let rows: Vec<UserRow> = rows.into_iter().map(|(_, row)| row).collect();
    assert_eq!(told(&rows[0]), ("auth0|60425dc43519d90068f82973", "ada@example.com", false, "", false));
    assert!(is_of_the_password(&rows[0].password_hash).await);
    let bob = ("google-oauth2|103547991597142817347", "bob@example.com", true, "Bob", true);
    assert_eq!((told(&rows[1]), rows[1].created_at, rows[1].password_hash.as_str()), (bob, CREATED, ""));
    assert_eq!(rows[2].display_name, "", "an address is no name");
    assert_eq!(faults(&rows[3]), [""]);
}

// promise P4
#[tokio::test]
async fn users_of_firebase_come_in_with_the_parameters_of_their_project() {
    let rows = rows(Form::Firebase(firebase_config()), include_bytes!("fixtures/firebase.json"));
    let rows: Vec<UserRow> = rows.into_iter().map(|(_, row)| row).collect();
    let ada = ("WLRVtbcaN1YtmLAqRGuPUlh2Rtn1", "ada@example.com", true, "Ada Lovelace", false);
    assert_eq!((told(&rows[0]), rows[0].created_at), (ada, CREATED));
    assert!(is_of_the_password(&rows[0].password_hash).await);
    let bob = ("pVq0xGZ1Zv9mB7nD3kYcR2tLs8e2", "bob@example.com", false, "Bob", true);
    assert_eq!((told(&rows[1]), rows[1].password_hash.as_str()), (bob, ""));
    assert_eq!(faults(&rows[2]), ["create_time"]);
}

#[test]
fn parameters_of_firebase_that_are_none_are_refused() {
    let sound = include_str!("fixtures/firebase_hash_config.txt");
    for name in ["algorithm", "base64_signer_key", "base64_salt_separator", "rounds", "mem_cost"] {
        let fault = HashConfig::parse(&sound.replace(name, "other")).err().expect("a refusal");
        assert!(fault.contains(name), "{fault}");
    }
    assert!(HashConfig::parse(&sound.replace("SCRYPT", "BCRYPT")).is_err());
}

// promise P4
#[tokio::test]
async fn the_table_of_supabase_comes_in() {
    let rows = rows(Form::Supabase, include_bytes!("fixtures/supabase.csv"));
    let rows: Vec<UserRow> = rows.into_iter().map(|(_, row)| row).collect();
    let ada = ("5f1c5f0e-1111-4222-8333-000000000001", "ada@example.com", true, "Lovelace, Ada", false);
    assert_eq!((told(&rows[0]), rows[0].created_at), (ada, CREATED));
    assert!(is_of_the_password(&rows[0].password_hash).await);
    let bob = ("5f1c5f0e-1111-4222-8333-000000000002", "bob@example.com", false, "Bob", true);
    assert_eq!((told(&rows[1]), rows[1].password_hash.as_str(), faults(&rows[1])), (bob, "", vec![]));
    assert_eq!(faults(&rows[2]), ["deleted_at"]);
}

#[test]
fn our_own_forms_say_the_same() {
    let line = br#"{"id":"x","external_id":"7","email":"ada@example.com","email_verified":true,"display_name":"Ada, \"L\"","language":"de","state":"disabled","roles":["billing","shop"],"password_hash":"$2b$","create_time":"2023-04-05T06:07:08.123Z"}"#;
    let csv = b"id,external_id,email,email_verified,display_name,language,state,roles,password_hash,create_time\r\n\
        x,7,ada@example.com,true,\"Ada, \"\"L\"\"\",de,disabled,billing shop,$2b$,2023-04-05T06:07:08.123Z\r\n";
    for (form, file) in [(Format::Ndjson, &line[..]), (Format::Csv, &csv[..])] {
        let rows = rows(Form::Own(form), file);
        let (number, row) = &rows[0];
        assert_eq!((rows.len(), *number, told(row)), (1, 1, ("7", "ada@example.com", true, "Ada, \"L\"", true)));
        assert_eq!((row.language.as_str(), row.password_hash.as_str(), row.created_at), ("de", "$2b$", CREATED));
        assert_eq!((row.roles.clone(), faults(row)), (vec!["billing".to_owned(), "shop".to_owned()], vec![]));
    }
}

#[test]
fn a_line_at_fault_is_a_row_at_fault_and_quotes_nothing() {
    let long = format!("{{\"email\":\"{}\"}}", "canary".repeat(200_000));
    let lines = ["{\"email\":\"canary@example.com\",\"emial\":1}", "[\"canary\"]", "canary", "\"canary", &long];
    let file = format!("{}\n{{\"email\":\"ada@example.com\"}}", lines.join("\n"));
    let rows = rows(Form::Own(Format::Ndjson), file.as_bytes());
    assert_eq!(rows.len(), lines.len() + 1);
    for (number, row) in &rows[..lines.len()] {
        assert_eq!(row.faults.len(), 1, "line {number}");
        assert!(!row.faults[0].description.contains("canary"), "line {number}");
    }
    assert_eq!((rows[5].0, rows[5].1.email.as_str()), (6, "ada@example.com"), "the next line is whole");
}

#[test]
fn a_record_at_fault_is_a_row_at_fault() {
    let file = b"email,state\nada@example.com,gone\nbob@example.com\ncem@example.com,active,more\n\xff,active\ndee@example.com,active\n";
    let rows = rows(Form::Own(Format::Csv), file);
    let told: Vec<_> = rows.iter().map(|(number, row)| (*number, faults(row))).collect();
    assert_eq!(told, [(1, vec!["state"]), (2, vec![""]), (3, vec![""]), (4, vec![""]), (5, vec![])]);
}

#[test]
fn a_file_that_is_no_such_file_is_refused_as_a_whole() {
    let refused = |form: Form, file: &'static str| form.rows(Cursor::new(file)).err().is_some();
    assert!(refused(Form::Own(Format::Csv), "mail,state\n"));
    assert!(refused(Form::Own(Format::Csv), "email,passwort\n"));
    assert!(refused(Form::Supabase, "id,email\n"));
    for document in ["", "{}", "{\"users\": 1}", "[", "1"] {
        assert!(refused(Form::Keycloak, document), "{document}");
        assert!(refused(Form::Firebase(firebase_config()), document), "{document}");
    }
    assert!(!refused(Form::Keycloak, "[]"));
}

#[test]
fn a_list_in_the_place_of_a_user_is_a_row_at_fault() {
    let list = br#"[["id", "canary@example.com", true, true, "", "", 1, {}, []], {"email": "ada@example.com"}]"#;
    let rows = rows(Form::Keycloak, list);
    let told: Vec<_> = rows.iter().map(|(_, row)| (row.email.as_str(), faults(row))).collect();
    assert_eq!(told, [("", vec![""]), ("ada@example.com", vec![])]);
}

/// Whatever the bytes, every form ends, with rows or with an error, and without a panic.
#[test]
fn mangled_files_break_nothing() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(below).expect("small")).expect("small")
    };
    let files: [(Maker, &[u8]); 6] = [
        (|| Form::Own(Format::Ndjson), include_bytes!("fixtures/auth0.ndjson")),
        (|| Form::Own(Format::Csv), b"email,state,create_time\nada@example.com,active,2023-04-05T06:07:08Z\n"),
        (|| Form::Keycloak, include_bytes!("fixtures/keycloak.json")),
        (|| Form::Auth0, include_bytes!("fixtures/auth0.ndjson")),
        (|| Form::Firebase(firebase_config()), include_bytes!("fixtures/firebase.json")),
        (|| Form::Supabase, include_bytes!("fixtures/supabase.csv")),
    ];
    let tokens: [&[u8]; 12] =
        [b"\"", b"{", b"}", b"[", b"]", b",", b"\n", b"\0", b"\xff", b"-9223372036854775808", b"1e999", b"\\u0000"];
    for (form, file) in files {
        for _ in 0..300 {
            let mut mangled = file.to_vec();
            for _ in 0..=next(4) {
                let (at, token) = (next(mangled.len()), tokens[next(tokens.len())]);
                let end = (at + next(20)).min(mangled.len());
                mangled.splice(at..end, token.iter().copied());
            }
            if let Ok(rows) = form().rows(Cursor::new(mangled)) {
                assert!(rows.take(10_000).count() < 10_000, "a file has an end");
            }
        }
    }
}
