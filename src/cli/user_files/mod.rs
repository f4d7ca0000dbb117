//! The files that accounts come in and leave by: our own two forms, and what four other services export.
//!
//! Each form makes rows of a file, one after the other, so that a file of any length is read in little memory (but for
//! the forms that are one JSON document). A row that cannot be read is a row at fault, and not the end of the file.

mod auth0;
mod cells;
mod csv_form;
mod document;
pub mod firebase;
mod keycloak;
mod lines;
mod ndjson;
mod supabase;
#[cfg(test)]
mod tests;
pub mod writer;

use std::io::BufRead;

use clap::ValueEnum;

use self::firebase::HashConfig;
use crate::app::start_error::StartError;
use crate::service::admin::users::user_row::UserRow;

/// Our own forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line.
    #[default]
    Ndjson,
    /// Values between commas, their names in the first line (RFC 4180).
    Csv,
}

/// The services whose exports are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// A realm's export, or a list of users.
    Keycloak,
    /// One JSON object a line, of an export job or of password hashes.
    Auth0,
    /// `firebase auth:export --format=json`.
    Firebase,
    /// The table `auth.users` as CSV.
    Supabase,
}

/// What a file is.
pub enum Form {
    Own(Format),
    Keycloak,
    Auth0,
    Firebase(HashConfig),
    Supabase,
}

/// A row, and its place in the file.
pub struct FileRow {
    /// From 1: the line, where a row is a line; else the row, not counting names of columns.
    pub number: u64,
    pub row: UserRow,
}

/// The rows of a file; an error ends them.
pub type Rows = Box<dyn Iterator<Item = Result<FileRow, StartError>>>;

impl Form {
    /// Reads the rows. Fails where the file as a whole is not what it should be.
    pub fn rows(self, file: impl BufRead + 'static) -> Result<Rows, StartError> {
        match self {
            Self::Own(Format::Ndjson) => Ok(lines::rows(file, ndjson::row)),
            Self::Own(Format::Csv) => csv_form::rows(file, csv_form::COLUMNS, csv_form::row),
            Self::Auth0 => Ok(lines::rows(file, auth0::row)),
            Self::Supabase => csv_form::rows(file, supabase::COLUMNS, supabase::row),
            Self::Keycloak => document::rows(file, keycloak::row),
            Self::Firebase(config) => document::rows(file, move |user| firebase::row(user, &config)),
        }
    }
}

fn unreadable(error: impl std::fmt::Display) -> StartError {
    StartError::Failed(format!("the file cannot be read: {error}"))
}
