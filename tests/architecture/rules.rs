//! The walls as data, and the faults that one file has against them.
//!
//! Knows the rules, not where the files lie.

use super::source::{Reference, Source};

/// What a room may name, beside itself. Test code may name the in-memory store as well.
pub const WALLS: &[(&str, &[&str])] = &[
    ("app", EVERYTHING),
    ("cli", EVERYTHING),
    ("lib", &[]),
    ("main", EVERYTHING),
    ("config", EVERYTHING), // their settings alone: see `is_settings`
    ("telemetry", &[]),
    ("grpc", &["service", "domain", "net"]),
    ("http", &["service", "domain", "net"]),
    ("net", &[]),
    ("service", &["crypto", "domain"]),
    ("store", &["domain"]),
    ("outbound", &["domain"]),
    ("crypto", &["domain"]),
    ("domain", &[]),
];

const EVERYTHING: &[&str] =
    &["app", "cli", "config", "telemetry", "grpc", "http", "net", "service", "store", "outbound", "crypto", "domain"];

/// Crates that only the rooms beside them may name; the application's own rooms may name them too.
const CRATES: &[(&str, &[&str])] = &[
    ("keystead_verifier", &["service", "crypto", "outbound"]),
    ("tonic", &["grpc"]),
    ("tonic_types", &["grpc"]),
    ("prost", &["grpc"]),
    ("prost_types", &["grpc"]),
    ("axum", &["http"]),
    ("sea_orm", &["store"]),
    ("sea_orm_migration", &["store"]),
    ("sqlx", &["store"]),
    ("deadpool_redis", &["store"]),
    ("lettre", &["outbound"]),
    ("jsonwebtoken", &["crypto"]),
    ("argon2", &["crypto"]),
    ("opentelemetry", &[]),
    ("opentelemetry_sdk", &[]),
    ("opentelemetry_otlp", &[]),
    ("tracing_opentelemetry", &[]),
    ("rustls", &["grpc", "http", "store", "outbound"]),
];

/// The types of which the rooms' settings are made, and which `config` therefore makes.
const SETTINGS_VALUES: &[&str] = &["DatabaseUrl", "Delivery", "Format", "Level", "ProviderKind", "Subjects"];

const APPLICATION: &[&str] = &["main", "cli", "app", "config", "telemetry"];
/// Lines that no file passes.
pub const LONGEST_FILE: usize = 400;
/// Parts of a path below which nothing lies in `src/`: `src/store/db/entity/user.rs` has five.
pub const DEEPEST_PATH: usize = 5;

/// One file of the house.
pub struct File<'a> {
    /// Relative to the repository, with forward slashes.
    pub path: &'a str,
    pub text: &'a str,
    /// Whether the file is compiled for tests only.
    pub is_test: bool,
}

/// Every fault of one file, in words that name the file.
pub fn faults(file: &File) -> Vec<String> {
    let source = Source::parse(file.text);
    let room = room(file.path);
    let mut faults = shape(file);
    if let Some(room) = room {
        faults.extend(source.own.iter().filter_map(|reference| own_fault(room, reference, file.is_test)));
        faults.extend(source.roots.iter().filter_map(|root| crate_fault(room, root, file.is_test)));
        faults.extend(root_faults(file.path, room, &source));
    }
    if source.has_super_super {
        faults.push("climbs by `super::super`".to_owned());
    }
    if source.visible_modules.iter().any(|module| module == "entity") {
        faults.push("shows `entity` outside its folder".to_owned());
    }
    faults.sort();
    faults.dedup();
    faults.into_iter().map(|fault| format!("{}: {fault}", file.path)).collect()
}

/// The room a file belongs to: the first part below `src/`; the migrations belong to the store.
pub fn room(path: &str) -> Option<&str> {
    if path.starts_with("migrations/") {
        return Some("store");
    }
    let below = path.strip_prefix("src/")?;
    Some(below.split('/').next()?.trim_end_matches(".rs"))
}

fn shape(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = file.text.lines().count();
    if lines > LONGEST_FILE {
        faults.push(format!("has {lines} lines; {LONGEST_FILE} is the limit"));
    }
    if !file.text.starts_with("//!") {
        faults.push("does not open with `//!`".to_owned());
    }
    if file.path.starts_with("src/") && file.path.split('/').count() > DEEPEST_PATH {
        faults.push(format!("lies deeper than {DEEPEST_PATH} parts"));
    }
    faults
}

fn own_fault(room: &str, reference: &Reference, is_test: bool) -> Option<String> {
    let target = reference.parts.first()?.as_str();
    let path = reference.parts.join("::");
    let Some((_, allowed)) = WALLS.iter().find(|(name, _)| *name == room) else {
        return Some(format!("`{room}` is no room that the table knows"));
    };
    let tested = is_test || reference.in_test;
    let memory_in_test = tested && path.starts_with("store::memory");
    if target != room && !allowed.contains(&target) && !memory_in_test {
        return Some(format!("`{room}` may not name `crate::{path}`"));
    }
    if room == "config" && target != room && !tested && !is_settings(reference) {
        return Some(format!("`config` may name `Settings` alone, not `crate::{path}`"));
    }
    None
}

/// A room's settings: what is called so, the faults they find, the values they are made of, and the domain's words.
fn is_settings(reference: &Reference) -> bool {
    let is_domain = reference.parts.first().is_some_and(|room| room == "domain");
    let names_settings = |part: &String| {
        part.ends_with("Settings") || part == "SettingsFault" || SETTINGS_VALUES.contains(&part.as_str())
    };
    is_domain || reference.parts.iter().any(names_settings)
}

fn crate_fault(room: &str, named: &Reference, is_test: bool) -> Option<String> {
    let name = named.parts.first()?.as_str();
    let (_, rooms) = CRATES.iter().find(|(known, _)| *known == name)?;
    let welcome = rooms.contains(&room) || APPLICATION.contains(&room) || is_test || named.in_test;
    (!welcome).then(|| format!("`{room}` may not name the crate `{name}`"))
}

/// A room's root must not reach its neighbours by `super::`, and the crate's root shows nobody's names as its own.
fn root_faults(path: &str, room: &str, source: &Source) -> Vec<String> {
    let is_room_root = path == format!("src/{room}.rs") || path == format!("src/{room}/mod.rs");
    let mut faults = Vec::new();
    if is_room_root && source.has_outer_super {
        faults.push("a room's root reaches above itself by `super::`".to_owned());
    }
    if path == "src/lib.rs" && source.has_reexport {
        faults.push("re-exports at the crate's root".to_owned());
    }
    faults
}
