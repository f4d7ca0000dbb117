//! Files of values between commas, their names in the first line (RFC 4180), and our own columns.

use std::io::BufRead;

use csv::{ReaderBuilder, StringRecord};

use super::{FileRow, Rows, cells, unreadable};
use crate::app::start_error::StartError;
use crate::service::admin::users::user_row::UserRow;

/// Our own columns, in the order in which they are written. All but the address may be missing.
pub const COLUMNS: &Columns = &Columns {
    needed: &["email"],
    known: Some(&[
        "id",
        "external_id",
        "email",
        "email_verified",
        "display_name",
        "language",
        "state",
        "roles",
        "password_hash",
        "create_time",
    ]),
};

/// What columns a file has.
pub struct Columns {
    pub needed: &'static [&'static str],
    /// `None`: what is not known is passed over.
    pub known: Option<&'static [&'static str]>,
}

/// A record by the names of its columns; what is missing is empty.
pub struct Record<'r> {
    names: &'r StringRecord,
    values: &'r StringRecord,
}

impl Record<'_> {
    pub fn text(&self, name: &str) -> String {
        self.get(name).to_owned()
    }

    pub fn get(&self, name: &str) -> &str {
        let place = self.names.iter().position(|column| column == name);
        place.and_then(|place| self.values.get(place)).unwrap_or_default()
    }
}

/// A row of each record. Fails where the columns are not those that there should be.
pub fn rows(
    file: impl BufRead + 'static,
    columns: &Columns,
    row: fn(&Record<'_>) -> UserRow,
) -> Result<Rows, StartError> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(file);
    let names = reader.headers().map_err(|_quoting| unreadable("its first line is no names of columns"))?.clone();
    columns.check(&names)?;
    let read = move |(number, values): (u64, csv::Result<StringRecord>)| {
        let row = match values {
            Ok(values) if values.len() == names.len() => row(&Record { names: &names, values: &values }),
            Ok(_) => UserRow::at_fault("", "must have as many values as the first line has names"),
            Err(error) if matches!(error.kind(), csv::ErrorKind::Io(_)) => return Err(unreadable(error)),
            Err(_quoting) => UserRow::at_fault("", "must be text in UTF-8"),
        };
        Ok(FileRow { number, row })
    };
    Ok(Box::new((1..).zip(reader.into_records()).map(read)))
}

impl Columns {
    fn check(&self, names: &StringRecord) -> Result<(), StartError> {
        if let Some(missing) = self.needed.iter().find(|needed| !names.iter().any(|name| name == **needed)) {
            return Err(StartError::Failed(format!("the file has no column `{missing}`")));
        }
        let is_known = |name: &str| self.known.is_none_or(|known| known.contains(&name));
        match names.iter().position(|name| !is_known(name)) {
            Some(place) => {
                Err(StartError::Failed(format!("column {} of the file has no name that is known", place + 1)))
            }
            None => Ok(()),
        }
    }
}

pub fn row(record: &Record<'_>) -> UserRow {
    let mut row = UserRow {
        external_id: record.text("external_id"),
        email: record.text("email"),
        display_name: record.text("display_name"),
        language: record.text("language"),
        roles: record.get("roles").split_ascii_whitespace().map(str::to_owned).collect(),
        password_hash: record.text("password_hash"),
        ..UserRow::default()
    };
    row.email_verified = cells::truth(&mut row, "email_verified", record.get("email_verified"));
    row.created_at = cells::moment(&mut row, "create_time", record.get("create_time"));
    match record.get("state") {
        "" | "active" => {}
        "disabled" => row.disabled = true,
        _ => row.fault("state", "must be `active` or `disabled`"),
    }
    row
}
