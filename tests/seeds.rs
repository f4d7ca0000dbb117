//! The seeds of the fuzzer, each on the property that it was found for or begins from: what once broke stays mended.

#![cfg(test)]

#[path = "../fuzz/properties/mod.rs"]
mod properties;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use properties::{Property, TARGETS, named};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut entries: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    entries.sort_unstable();
    entries
}

/// The seeds of a property that break it.
fn broken(name: &str, property: Property) -> Vec<String> {
    let seeds = entries(&folder().join(name));
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let breaks = |seed: &PathBuf| {
        let bytes = fs::read(seed).expect("a seed");
        catch_unwind(|| property(&bytes)).is_err()
    };
    seeds.iter().filter(|seed| breaks(seed)).map(|seed| seed.display().to_string()).collect()
}

// promises L4, O3, O8, P4, R1, S1, V1
#[test]
fn every_seed_keeps_its_property() {
    let broken: Vec<String> = TARGETS.iter().flat_map(|&(name, property)| broken(name, property)).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_folder_of_seeds_belongs_to_a_property() {
    for folder in entries(&folder()) {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(named(name).is_some(), "{name}");
    }
}
