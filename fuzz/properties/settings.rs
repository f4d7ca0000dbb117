//! Settings, from a file and from the environment.

use std::sync::OnceLock;

use keystead::config::Settings;
use keystead::config::reference::markdown;
use keystead::config::sources::Sources;

use super::{halves, text};

/// What stands in every value that is tried, and in no fault.
const CANARY: &str = "canary7f3a";

/// The variables, as the reference names them; those that name files are left out, and nothing is read from a disk.
fn variables() -> &'static [String] {
    static VARIABLES: OnceLock<Vec<String>> = OnceLock::new();
    VARIABLES.get_or_init(|| {
        let page = markdown();
        let words = page.split('`').filter(|word| word.starts_with("KEYSTEAD_") && !word.contains('…'));
        words.filter(|word| !word.ends_with("FILE")).map(str::to_owned).collect()
    })
}

/// Whatever stands in the file, it is taken or refused with a fault that is told.
pub fn file(bytes: &[u8]) {
    // Settings that name a file would be read from the disk of whoever runs this.
    if text(bytes).contains("file") || text(bytes).contains("\\u") {
        return;
    }
    let load = || Settings::load(Sources { file: Some(text(bytes).to_owned()), ..Sources::default() });
    match (load(), load()) {
        (Ok(settings), Ok(again)) => assert_eq!(format!("{settings:?}"), format!("{again:?}")),
        (Err(faults), Err(again)) => assert!(!faults.to_string().is_empty() && faults.to_string() == again.to_string()),
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("the same file is taken and refused"),
    }
}

/// The number of a variable and its value, on each line.
///
/// Promise S1: no fault quotes a value.
pub fn value(bytes: &[u8]) {
    let lines = bytes.split(|&byte| byte == b'\n').take(8);
    let environment: Vec<(String, String)> = lines
        .filter_map(|line| {
            let (name, value) = line.split_first()?;
            let (before, after) = halves(value, b'|');
            let name = &variables()[usize::from(*name) % variables().len()];
            Some((name.clone(), format!("{}{CANARY}{}", text(before), text(after))))
        })
        .collect();
    if let Err(faults) = Settings::load(Sources { environment, ..Sources::default() }) {
        assert!(!faults.to_string().contains(CANARY), "a fault quotes a value: {faults}");
    }
}
