//! Reads typed settings out of raw ones; remembers every setting that was asked for, and every fault.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::fault::{Fault, Faults};
use super::form::Form;
use super::raw::{Raw, RawSettings, variable};
use super::secret::{Secret, check_private, read_secret_file, without_line_break};

/// A setting that the code knows: a row of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    pub path: String,
    pub expected: &'static str,
    /// As it would be written; `None` where there is none.
    pub default: Option<String>,
    pub meaning: &'static str,
}

/// Reads settings. A faulty one gives its default, so that the reading goes on and finds the other faults.
pub struct Reader {
    raw: RawSettings,
    declarations: Vec<Declaration>,
    faults: Vec<Fault>,
}

impl Reader {
    pub fn new(raw: RawSettings) -> Self {
        Self { raw, declarations: Vec::new(), faults: Vec::new() }
    }

    /// A setting with a default.
    pub fn value<T: Form>(&mut self, path: &str, default: T, meaning: &'static str) -> T {
        self.checked(path, default, T::EXPECTED, |_| true, meaning)
    }

    /// A setting with a default that must pass a check; `expected` tells form and check together.
    pub fn checked<T: Form>(
        &mut self,
        path: &str,
        default: T,
        expected: &'static str,
        check: impl Fn(&T) -> bool,
        meaning: &'static str,
    ) -> T {
        self.declare(path, expected, Some(default.show()), meaning);
        let raw = self.raw.take(path);
        self.parsed(path, raw, expected, check).unwrap_or(default)
    }

    /// A setting that may be left out.
    pub fn optional<T: Form>(&mut self, path: &str, meaning: &'static str) -> Option<T> {
        self.declare(path, T::EXPECTED, None, meaning);
        let raw = self.raw.take(path);
        self.parsed(path, raw, T::EXPECTED, |_| true)
    }

    /// A file that holds a private key: it must be there, and nobody else's to read.
    pub fn private_file(&mut self, path: &str, meaning: &'static str) -> Option<PathBuf> {
        let file: PathBuf = self.optional(path, meaning)?;
        match check_private(&file) {
            Ok(()) => Some(file),
            Err(problem) => {
                self.fault(path, problem);
                None
            }
        }
    }

    /// A secret, given directly or, by `<path>_file`, in a file.
    pub fn secret(&mut self, path: &str, expected: &'static str, meaning: &'static str) -> Option<Secret> {
        let file_path = format!("{path}_file");
        self.declare(path, expected, None, meaning);
        self.declare(&file_path, PathBuf::EXPECTED, None, "The same, read from a file that only its owner can read.");
        let in_settings_file = self.raw.file.contains_key(path);
        match self.raw.take_either(path, &file_path) {
            (None, None) => None,
            (Some(raw), None) => self.direct_secret(path, raw, expected, in_settings_file),
            (None, Some(raw)) => self.secret_file(&file_path, raw),
            (Some(_), Some(_)) => {
                self.fault(path, format!("is set twice: also by {}", variable(&file_path)));
                None
            }
        }
    }

    /// The same text as from a file of its own: only a line break at its end is none of it.
    fn direct_secret(&mut self, path: &str, raw: Raw, expected: &str, in_settings_file: bool) -> Option<Secret> {
        if let Some(problem) = self.raw.exposed.clone().filter(|_| in_settings_file) {
            self.fault(
                path,
                format!("stands in a file of settings that {}", problem.trim_start_matches("names a file that ")),
            );
        }
        let Raw::Text(text) = raw else {
            self.fault(path, format!("expected {expected}"));
            return None;
        };
        let secret = without_line_break(&text);
        if secret.is_empty() {
            self.fault(path, format!("expected {expected}"));
            return None;
        }
        Some(Secret::new(secret))
    }

    fn secret_file(&mut self, path: &str, raw: Raw) -> Option<Secret> {
        let file: PathBuf = self.parsed(path, Some(raw), PathBuf::EXPECTED, |_| true)?;
        read_secret_file(&file).map_err(|problem| self.fault(path, problem)).ok()
    }

    /// The names that were written below a table, each for a thing of its own: `a.b.NAME.setting`. In a variable the name
    /// ends at the next `_`, so that it must have none.
    pub fn names(&self, table: &str) -> BTreeSet<String> {
        let (in_file, in_environment) = (format!("{table}."), format!("{}_", variable(table)));
        let of_file = self.raw.file.keys().filter_map(|path| path.strip_prefix(&in_file)?.split('.').next());
        let of_environment =
            self.raw.environment.keys().filter_map(|name| Some(name.strip_prefix(&in_environment)?.split_once('_')?.0));
        of_file.map(str::to_owned).chain(of_environment.map(str::to_lowercase)).collect()
    }

    /// Declares what a thing of such a table can be set to, though there may be none.
    pub fn describe(&mut self, read: impl FnOnce(&mut Self)) {
        let mut scratch = Self::new(RawSettings::default());
        read(&mut scratch);
        self.declarations.append(&mut scratch.declarations);
    }

    /// Whether a fault of the setting has been noted.
    pub fn is_at_fault(&self, path: &str) -> bool {
        self.faults.iter().any(|fault| fault.is_of(path))
    }

    /// Notes a fault that only several settings together show.
    pub fn fault(&mut self, path: &str, problem: impl Into<String>) {
        self.faults.push(Fault::of_setting(path, problem));
    }

    fn declare(&mut self, path: &str, expected: &'static str, default: Option<String>, meaning: &'static str) {
        self.declarations.push(Declaration { path: path.to_owned(), expected, default, meaning });
    }

    fn parsed<T: Form>(
        &mut self,
        path: &str,
        raw: Option<Raw>,
        expected: &str,
        check: impl Fn(&T) -> bool,
    ) -> Option<T> {
        let value = T::from_raw(&raw?).filter(check);
        if value.is_none() {
            self.fault(path, format!("expected {expected}"));
        }
        value
    }

    /// Every setting that was asked for, in order.
    pub fn declarations(&self) -> &[Declaration] {
        &self.declarations
    }

    /// Fails if there was any fault; what nobody asked for is one too.
    pub fn finish(mut self) -> Result<(), Faults> {
        let known: Vec<&str> = self.declarations.iter().map(|declaration| declaration.path.as_str()).collect();
        let is_section = |key: &&String| {
            known.iter().any(|path| path.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with('.')))
        };
        let strange = self.raw.file.iter().filter(|(key, raw)| !(matches!(raw, Raw::Shapeless) && is_section(key)));
        let unknown_keys = strange.map(|(key, _)| unknown(key, &known, str::to_owned));
        let unknown_variables = self.raw.environment.keys().map(|name| unknown(name, &known, variable));
        let unknown: Vec<Fault> = unknown_keys.chain(unknown_variables).collect();
        self.faults.extend(unknown);
        if self.faults.is_empty() { Ok(()) } else { Err(Faults(self.faults)) }
    }
}

fn unknown(name: &str, known: &[&str], spell: impl Fn(&str) -> String) -> Fault {
    let nearest = known.iter().map(|path| spell(path)).min_by_key(|candidate| edits(name, candidate));
    let near = nearest.filter(|candidate| edits(name, candidate) * 4 <= candidate.len());
    let hint = near.map_or_else(String::new, |candidate| format!("; did you mean {candidate}?"));
    Fault::of(name, format!("is not a setting{hint}"))
}

/// The least number of characters to insert, remove or replace (Levenshtein).
fn edits(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
