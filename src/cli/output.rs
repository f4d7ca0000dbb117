//! How results are shown: a table for people, or one JSON object a line for scripts.

use std::io::Write;

use clap::ValueEnum;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::app::start_error::StartError;
use crate::domain::clock::Timestamp;

/// How results are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A table for people.
    #[default]
    Table,
    /// One JSON object a line, for scripts.
    Json,
}

/// One result: its fields in the order in which a table shows them.
pub type Record = Vec<(&'static str, Value)>;

impl Output {
    /// Shows the records; of none a table shows nothing at all.
    pub fn show(self, records: Vec<Record>) -> Result<(), StartError> {
        let text = match self {
            Self::Table => table(&records, true),
            Self::Json => lines(records),
        };
        write(text.as_bytes())
    }

    /// Shows records that go on where others have ended.
    pub fn show_more(self, records: Vec<Record>) -> Result<(), StartError> {
        let text = match self {
            Self::Table => table(&records, false),
            Self::Json => lines(records),
        };
        write(text.as_bytes())
    }
}

fn table(records: &[Record], with_header: bool) -> String {
    let Some(first) = records.first() else { return String::new() };
    let mut table = Table::new();
    table.load_style(NOTHING);
    if with_header {
        table.set_header(first.iter().map(|(name, _)| name.to_uppercase()));
    }
    for record in records {
        table.add_row(record.iter().map(|(_, value)| cell(value)));
    }
    format!("{}\n", table.trim_fmt())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

fn lines(records: Vec<Record>) -> String {
    let mut text = String::new();
    for record in records {
        let object: Map<_, _> = record.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        text.push_str(&Value::Object(object).to_string());
        text.push('\n');
    }
    text
}

/// A reader that has gone away, as `head` does, is no fault of the command's.
pub fn write(bytes: &[u8]) -> Result<(), StartError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(StartError::Failed(format!("the result cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// A moment by RFC 3339, in UTC.
pub fn moment(at: Timestamp) -> Value {
    let nanos = i128::from(at.as_millis()) * 1_000_000;
    let text = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok().and_then(|at| at.format(&Rfc3339).ok());
    text.map_or(Value::Null, Value::String)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        vec![
            vec![("id", "a".into()), ("roles", serde_json::json!(["admin", "user"])), ("at", Value::Null)],
            vec![("id", "bb".into()), ("roles", serde_json::json!([])), ("at", moment(Timestamp::from_millis(1_500)))],
        ]
    }

    #[test]
    fn a_table_has_a_column_for_each_field() {
        let table = table(&records(), true);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines, [vec!["ID", "ROLES", "AT"], vec!["a", "admin,user"], vec!["bb", "1970-01-01T00:00:01.5Z"]]);
        assert_eq!(super::table(&[], true), "");
        assert!(!super::table(&records(), false).contains("ROLES"));
    }

    #[test]
    fn json_is_one_object_a_line() {
        let text = lines(records());
        let objects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(objects[0], serde_json::json!({"id": "a", "roles": ["admin", "user"], "at": null}));
        assert_eq!(objects.len(), 2);
    }
}
