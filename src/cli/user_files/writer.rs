//! Writes accounts in our own forms, as an import reads them.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Format;
use super::csv_form::COLUMNS;
use crate::cli::output::moment;
use crate::domain::user::{PasswordHash, ROLE_USER, UserState};
use crate::domain::user_transfer::{ExportedUser, ExternalId};

/// Writes one account after the other.
pub enum UserWriter<W: Write> {
    Ndjson(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> UserWriter<W> {
    pub fn new(format: Format, out: W) -> io::Result<Self> {
        match format {
            Format::Ndjson => Ok(Self::Ndjson(out)),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(COLUMNS.known.unwrap_or_default())?;
                Ok(Self::Csv(Box::new(writer)))
            }
        }
    }

    pub fn write(&mut self, exported: &ExportedUser) -> io::Result<()> {
        let fields = fields(exported);
        match self {
            Self::Ndjson(out) => {
                let object: serde_json::Map<_, _> =
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                writeln!(out, "{}", Value::Object(object))
            }
            Self::Csv(writer) => Ok(writer.write_record(fields.iter().map(|(_, value)| cell(value)))?),
        }
    }

    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Ndjson(out) => out.flush(),
            Self::Csv(writer) => writer.flush(),
        }
    }
}

/// In the order of the columns. The role `user` is everybody's, and not told.
fn fields(exported: &ExportedUser) -> [(&'static str, Value); 10] {
    let user = &exported.user;
    let state = match user.state {
        UserState::Active => "active",
        UserState::Disabled => "disabled",
    };
    let roles: Vec<_> = user.roles.iter().filter(|role| *role != ROLE_USER).collect();
    [
        ("id", json!(user.id.to_string())),
        ("external_id", json!(exported.external_id.as_ref().map(ExternalId::as_str))),
        ("email", json!(user.email.as_str())),
        ("email_verified", json!(user.email_verified)),
        ("display_name", json!(user.display_name.as_str())),
        ("language", json!(user.language.as_str())),
        ("state", json!(state)),
        ("roles", json!(roles)),
        ("password_hash", json!(exported.password_hash.as_ref().map(PasswordHash::as_str))),
        ("create_time", moment(user.created_at)),
    ]
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
