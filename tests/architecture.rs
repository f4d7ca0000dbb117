//! The walls of the house: who may name whom, how long and how deep a file may be.
//!
//! The table is data in `architecture/rules.rs`; `architecture/source.rs` reads the files. A fault names its file.

#![cfg(test)]

#[path = "architecture/rules.rs"]
mod rules;
#[path = "architecture/source.rs"]
mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rules::{File, faults};
use source::Source;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Every Rust file below the folders, by its path from the repository's root.
fn files_below(folders: &[&str]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| Path::new(ROOT).join(folder)).collect();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(ROOT).expect("a path below the root").to_str().expect("UTF-8").to_owned();
                files.insert(name, fs::read_to_string(&path).expect("a readable file"));
            }
        }
    }
    files
}

/// The files that a `#[cfg(test)] mod name;` compiles for tests only, and what lies below them.
fn test_only(files: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files {
        let folder = match path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix("/lib.rs")) {
            Some(folder) => folder,
            None => path.trim_end_matches(".rs"),
        };
        found.extend(Source::parse(text).test_modules.iter().map(|name| format!("{folder}/{name}")));
    }
    found
}

fn is_test(path: &str, test_only: &[String]) -> bool {
    test_only.iter().any(|module| path == format!("{module}.rs") || path.starts_with(&format!("{module}/")))
}

fn faults_of(path: &str, text: &str) -> Vec<String> {
    faults(&File { path, text, is_test: false })
}

#[test]
fn every_file_keeps_the_walls() {
    let files = files_below(&["src", "migrations", "verifier/src"]);
    assert!(files.contains_key("src/lib.rs"), "the files were not found");
    let test_only = test_only(&files);
    let found: Vec<String> = files
        .iter()
        .flat_map(|(path, text)| faults(&File { path, text, is_test: is_test(path, &test_only) }))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn tests_keep_the_sizes_too() {
    let found: Vec<String> =
        files_below(&["tests", "benches", "fuzz"]).iter().flat_map(|(path, text)| faults_of(path, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn half_of_the_files_are_short_and_nine_of_ten_are_not_long() {
    let mut lines: Vec<usize> =
        files_below(&["src", "migrations", "verifier/src"]).values().map(|text| text.lines().count()).collect();
    lines.sort_unstable();
    let (median, ninth) = (lines[lines.len() / 2], lines[lines.len() * 9 / 10]);
    assert!(median <= 100, "half of the files are longer than {median} lines; 100 is the limit");
    assert!(ninth <= 250, "one file of ten is longer than {ninth} lines; 250 is the limit");
}

#[test]
fn the_verifier_does_no_io_and_asks_no_clock() {
    for (path, text) in files_below(&["verifier/src"]) {
        // The published vectors that its tests judge are files.
        if path.ends_with("tests.rs") {
            continue;
        }
        for banned in ["std::fs", "std::net", "std::env", "SystemTime::now", "Instant::now", "tokio::"] {
            assert!(!text.contains(banned), "{path} names {banned}");
        }
    }
}

#[test]
fn every_room_in_the_tree_stands_in_the_table() {
    for path in files_below(&["src"]).keys() {
        let room = rules::room(path).expect("a room");
        assert!(rules::WALLS.iter().any(|(name, _)| *name == room), "{path}: `{room}` is no room of the table");
    }
}

/// Each line: the file, its text after the opening comment, and a part of the fault that must be found.
const OFFENCES: &[(&str, &str, &str)] = &[
    ("src/service/auth/login.rs", "use crate::store::db::Users;", "may not name `crate::store::db::Users`"),
    ("src/service/a.rs", "use crate::{domain::user::User, grpc::status};", "may not name `crate::grpc::status`"),
    ("src/grpc/a.rs", "use crate::{domain::{id::UserId, user}, store::{db as d, memory}};", "`crate::store::memory`"),
    ("src/domain/user.rs", "fn f() -> crate::service::error::ServiceError { todo!() }", "`domain` may not name"),
    ("src/crypto/seal.rs", "use crate::outbound::mail::Smtp;", "`crypto` may not name"),
    ("src/store/redis/pool.rs", "use crate::crypto::seal::Seal;", "`store` may not name"),
    ("migrations/m1_users.rs", "use crate::service::error::ServiceError;", "`store` may not name"),
    ("src/telemetry.rs", "use crate::domain::clock::Clock;", "`telemetry` may not name"),
    ("src/config.rs", "use crate::grpc::server::bind;", "`config` may name `Settings` alone"),
    ("src/outbound/mail/smtp.rs", "use crate::config::Config;", "`outbound` may not name"),
    ("src/service/a.rs", "use super::super::token::verify;", "climbs by `super::super`"),
    ("src/grpc/mod.rs", "use super::store::db;", "reaches above itself"),
    ("src/lib.rs", "pub use crate::service::error::ServiceError;", "re-exports at the crate's root"),
    ("src/lib.rs", "pub use domain::user::User;", "re-exports at the crate's root"),
    ("src/store/db/mod.rs", "pub(crate) mod entity;", "shows `entity`"),
    ("src/domain/user.rs", "fn f(status: tonic::Status) {}", "the crate `tonic`"),
    ("src/service/a.rs", "use sea_orm::EntityTrait;", "the crate `sea_orm`"),
    ("src/http/a.rs", "use keystead_verifier::Verifier;", "the crate `keystead_verifier`"),
    ("src/grpc/a.rs", "use keystead_verifier::Verdict;", "the crate `keystead_verifier`"),
    ("src/grpc/a.rs", "use opentelemetry::trace::Span;", "the crate `opentelemetry`"),
    ("src/a/b/c/d/e.rs", "", "lies deeper"),
    ("src/helpers/a.rs", "use crate::domain::user;", "no room that the table knows"),
];

#[test]
fn each_offence_is_seen() {
    for (path, text, expected) in OFFENCES {
        let found = faults_of(path, &format!("//! A room.\n{text}\n"));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{path}: {text}: saw only {found:?}");
    }
    assert!(faults_of("src/domain/a.rs", "pub struct A;")[0].contains("does not open with"));
    assert!(faults_of("src/domain/a.rs", &"//!\n".repeat(401))[0].contains("401 lines"));
}

/// What looks like an offence and is none.
const GOOD: &[(&str, &str)] = &[
    ("src/service/auth/login.rs", "use crate::{crypto::seal, domain::user::User};\nuse keystead_verifier::Verifier;"),
    ("src/domain/user.rs", "// use crate::store;\n/* crate::store */ const A: &str = \"crate::store\";"),
    ("src/domain/user.rs", "const A: &str = r#\"crate::store \"quoted\" \"#; const B: char = '\"';"),
    ("src/service/a.rs", "#[cfg(test)]\nmod tests { use super::*; use crate::store::memory::Memory; }"),
    ("src/grpc/mod.rs", "pub(crate) mod status; #[cfg(test)] mod tests { use super::status; }"),
    ("src/config.rs", "use crate::grpc::Settings;\nuse crate::http::settings::HttpSettings;"),
    ("src/app.rs", "use crate::store::db::connect;\nuse tonic::transport::Server;"),
    ("src/store/db/mod.rs", "mod entity;\npub mod users;"),
];

#[test]
fn what_is_allowed_is_not_refused() {
    for (path, text) in GOOD {
        assert_eq!(faults_of(path, &format!("//! A room.\n{text}\n")), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn what_tests_may_name_the_code_beside_them_may_not() {
    let text = "//! A.\n#[cfg(test)]\nmod tests { use crate::store::memory::M; }\nuse crate::store::memory::N;\n";
    let found = faults_of("src/service/a.rs", text);
    assert_eq!(found, ["src/service/a.rs: `service` may not name `crate::store::memory::N`"]);
}
