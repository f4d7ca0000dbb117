//! Secrets among the settings, and the files that hold them.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use zeroize::Zeroizing;

/// A setting that nobody may see: erased from memory when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// Reads a secret from its file, without the line break at its end.
pub fn read_secret_file(path: &Path) -> Result<Secret, String> {
    check_private(path)?;
    let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| unreadable(&error))?);
    let secret = without_line_break(&text);
    if secret.is_empty() { Err("names an empty file".to_owned()) } else { Ok(Secret::new(secret)) }
}

/// A secret as it was written: editors and shells end it with a line break, anything else belongs to it.
pub fn without_line_break(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

/// Refuses a file that others can read, and one of our own that our group can.
///
/// The group may read a file of somebody else's: so Kubernetes hands secrets to a process that is not root (`fsGroup`).
pub fn check_private(path: &Path) -> Result<(), String> {
    let file = fs::metadata(path).map_err(|error| unreadable(&error))?;
    let process = fs::metadata("/proc/self").map_or(file.uid(), |process| process.uid());
    let forbidden = if file.uid() == process { 0o077 } else { 0o027 };
    if file.mode() & forbidden == 0 {
        Ok(())
    } else {
        Err(format!(
            "names a file that others can read (mode {:04o}): only its owner may (chmod 600)",
            file.mode() & 0o7777
        ))
    }
}

fn unreadable(error: &std::io::Error) -> String {
    format!("names a file that cannot be read: {}", error.kind())
}
