//! Where settings come from: one file, and the environment over it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::fault::{Fault, Faults};
use super::kubernetes;
use super::raw::{PREFIX, Raw, RawSettings, flatten};
use super::secret::check_private;

/// The variable that names the file, where the command line does not.
pub const FILE_VARIABLE: &str = "KEYSTEAD_CONFIG";

/// The text of the file, and the variables. No `Debug`: both may hold secrets.
#[derive(Clone, Default)]
pub struct Sources {
    pub file: Option<String>,
    /// Why the file is no place for a secret, where others can read it.
    pub exposed: Option<String>,
    /// Those without our prefix are passed over.
    pub environment: Vec<(String, String)>,
}

impl Sources {
    /// The process's environment, and the file that the command line or `KEYSTEAD_CONFIG` names.
    pub fn of_process(file: Option<PathBuf>) -> Result<Self, Faults> {
        let (environment, mut faults) = process_environment();
        let named = environment.iter().find(|(name, value)| name == FILE_VARIABLE && !value.is_empty());
        let path = file.or_else(|| named.map(|(_, value)| PathBuf::from(value)));
        let file = path.as_deref().map(read_file).transpose().unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        let exposed = path.and_then(|path| check_private(&path).err());
        if faults.is_empty() { Ok(Self { file, exposed, environment }) } else { Err(Faults(faults)) }
    }

    /// Parses the file; keeps our variables. One that is empty is as good as not set, and what Kubernetes injects for
    /// a Service of our name is none of ours.
    pub(super) fn into_raw(self) -> Result<RawSettings, Faults> {
        let file = self.file.as_deref().map(parse_file).transpose()?.unwrap_or_default();
        let ours = |(name, value): &(String, String)| {
            name.starts_with(PREFIX)
                && name != FILE_VARIABLE
                && !value.is_empty()
                && !kubernetes::is_injected(name, value)
        };
        let environment =
            self.environment.into_iter().filter(ours).map(|(name, value)| (name, Raw::Text(value))).collect();
        Ok(RawSettings { file, exposed: self.exposed, environment })
    }
}

/// The one place that reads the environment.
fn process_environment() -> (Vec<(String, String)>, Vec<Fault>) {
    let mut variables = Vec::new();
    let mut faults = Vec::new();
    // `vars` would panic at the first variable, of whomever, that is not Unicode.
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else { continue };
        if !name.starts_with(PREFIX) {
            continue;
        }
        match value.into_string() {
            Ok(value) => variables.push((name, value)),
            Err(_) => faults.push(Fault::of(name, "expected text in UTF-8")),
        }
    }
    (variables, faults)
}

fn read_file(path: &Path) -> Result<String, Fault> {
    std::fs::read_to_string(path)
        .map_err(|error| Fault::of(format!("the file {}", path.display()), format!("cannot be read: {}", error.kind())))
}

/// A syntax error is told by its line alone: the parser's own words quote what stands there.
fn parse_file(text: &str) -> Result<BTreeMap<String, Raw>, Fault> {
    match text.parse::<toml::Table>() {
        Ok(table) => Ok(flatten(table)),
        Err(error) => {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
            Err(Fault::of("the file", format!("is not valid TOML at line {line}")))
        }
    }
}
