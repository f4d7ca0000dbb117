//! Settings as they were written, before anybody knows what they mean.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// What every variable of ours begins with.
pub const PREFIX: &str = "KEYSTEAD_";

/// The variable of a setting: `database.url` is `KEYSTEAD_DATABASE_URL`.
pub fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_uppercase())
}

/// A value as it was written. It has no `Debug`: it may be a secret.
#[derive(Clone)]
pub enum Raw {
    Text(String),
    List(Vec<String>),
    /// What no setting can be: a list of lists, a list of tables.
    Shapeless,
}

/// Every value that was written: of the file by path, of the environment by variable.
#[derive(Default)]
pub struct RawSettings {
    pub file: BTreeMap<String, Raw>,
    /// Why the file is no place for a secret.
    pub exposed: Option<String>,
    pub environment: BTreeMap<String, Raw>,
}

impl RawSettings {
    /// Takes a setting out of both; the environment wins.
    pub fn take(&mut self, path: &str) -> Option<Raw> {
        let written = self.file.remove(path);
        self.environment.remove(&variable(path)).or(written)
    }

    /// Takes a setting and its alternative out of both. What the environment says of either wins over the file.
    pub fn take_either(&mut self, path: &str, alternative: &str) -> (Option<Raw>, Option<Raw>) {
        let written = (self.file.remove(path), self.file.remove(alternative));
        let handed = (self.environment.remove(&variable(path)), self.environment.remove(&variable(alternative)));
        if handed.0.is_some() || handed.1.is_some() { handed } else { written }
    }
}

/// The leaves of a table, each by its dotted path.
pub fn flatten(table: Table) -> BTreeMap<String, Raw> {
    let mut leaves = BTreeMap::new();
    flatten_into(&mut leaves, "", table);
    leaves
}

fn flatten_into(leaves: &mut BTreeMap<String, Raw>, prefix: &str, table: Table) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            // A section without a setting is known by its name alone.
            Value::Table(inner) if inner.is_empty() => {
                leaves.insert(path, Raw::Shapeless);
            }
            Value::Table(inner) => flatten_into(leaves, &path, inner),
            Value::Array(values) => {
                let texts: Option<Vec<String>> = values.into_iter().map(text).collect();
                leaves.insert(path, texts.map_or(Raw::Shapeless, Raw::List));
            }
            leaf
            @ (Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_)) => {
                leaves.insert(path, text(leaf).map_or(Raw::Shapeless, Raw::Text));
            }
        }
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(flag) => Some(flag.to_string()),
        Value::Datetime(moment) => Some(moment.to_string()),
        Value::Array(_) | Value::Table(_) => None,
    }
}
