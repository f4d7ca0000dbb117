//! Files that are one JSON document: a list of users, alone or as `users` of an object.

use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;

use super::{FileRow, Rows};
use crate::app::start_error::StartError;
use crate::service::admin::users::user_row::UserRow;

#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Users(Vec<Value>),
    Export { users: Vec<Value> },
}

/// A row of each user.
pub fn rows<T, R>(file: impl BufRead, row: R) -> Result<Rows, StartError>
where
    T: serde::de::DeserializeOwned + 'static,
    R: Fn(T) -> UserRow + 'static,
{
    let fault = "the file is no JSON document with a list of users";
    let document = serde_json::from_reader(file).map_err(|_quoting| StartError::Failed(fault.to_owned()))?;
    let (Document::Users(users) | Document::Export { users }) = document;
    let read = move |(number, user): (u64, Value)| {
        // A list would be taken for the values of the fields.
        let user = Some(user).filter(Value::is_object).and_then(|user| serde_json::from_value(user).ok());
        let row = user.map_or_else(malformed, &row);
        Ok(FileRow { number, row })
    };
    Ok(Box::new((1..).zip(users).map(read)))
}

fn malformed() -> UserRow {
    UserRow::at_fault("", "must be a user as that service exports them")
}
