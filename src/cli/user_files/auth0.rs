//! Auth0: the lines of a job that exports users, or of the export of password hashes that its support makes.
//!
//! The one has no hashes; the other names users by `_id`, which is the second half of their `user_id`. A file that joins
//! both is understood too.

use serde::Deserialize;

use super::cells;
use crate::service::admin::users::user_row::UserRow;

/// What the ids of users of an Auth0 database begin with.
const DATABASE_PREFIX: &str = "auth0|";

#[derive(Deserialize)]
pub struct Line {
    user_id: Option<String>,
    #[serde(rename = "_id")]
    object_id: Option<ObjectId>,
    email: Option<String>,
    email_verified: Option<bool>,
    name: Option<String>,
    blocked: Option<bool>,
    created_at: Option<String>,
    #[serde(rename = "passwordHash", alias = "password_hash")]
    password_hash: Option<String>,
}

#[derive(Deserialize)]
struct ObjectId {
    #[serde(rename = "$oid")]
    oid: String,
}

pub fn row(line: Line) -> UserRow {
    let by_object = line.object_id.map(|id| format!("{DATABASE_PREFIX}{}", id.oid));
    let email = line.email.unwrap_or_default();
    // Auth0 shows the address as the name of whoever has given none.
    let display_name = line.name.filter(|name| *name != email).unwrap_or_default();
    let mut row = UserRow {
        external_id: line.user_id.or(by_object).unwrap_or_default(),
        email,
        email_verified: line.email_verified.unwrap_or_default(),
        display_name,
        disabled: line.blocked.unwrap_or_default(),
        password_hash: line.password_hash.unwrap_or_default(),
        ..UserRow::default()
    };
    row.created_at = cells::moment(&mut row, "create_time", &line.created_at.unwrap_or_default());
    row
}
