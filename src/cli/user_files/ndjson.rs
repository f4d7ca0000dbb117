//! Our own form: one JSON object a line, its fields named as in the contract.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::cells;
use crate::service::admin::users::user_row::UserRow;

/// A line; what is not known is a fault, so that a misspelt field is not passed over.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Line {
    /// Of the Keystead that exported it; the account gets an id of its own here.
    #[serde(rename = "id")]
    _id: IgnoredAny,
    external_id: Option<String>,
    email: String,
    email_verified: bool,
    display_name: Option<String>,
    language: Option<String>,
    state: State,
    roles: Vec<String>,
    password_hash: Option<String>,
    create_time: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Active,
    Disabled,
}

pub fn row(line: Line) -> UserRow {
    let mut row = UserRow {
        external_id: line.external_id.unwrap_or_default(),
        email: line.email,
        email_verified: line.email_verified,
        display_name: line.display_name.unwrap_or_default(),
        language: line.language.unwrap_or_default(),
        disabled: matches!(line.state, State::Disabled),
        roles: line.roles,
        password_hash: line.password_hash.unwrap_or_default(),
        ..UserRow::default()
    };
    row.created_at = cells::moment(&mut row, "create_time", &line.create_time.unwrap_or_default());
    row
}
