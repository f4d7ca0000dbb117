//! Supabase: the table `auth.users` as CSV.

use super::cells;
use super::csv_form::{Columns, Record};
use crate::service::admin::users::user_row::UserRow;

/// The columns that are looked at and must be there; what else the table has is passed over.
pub const COLUMNS: &Columns = &Columns { needed: &["id", "email", "encrypted_password"], known: None };

pub fn row(record: &Record<'_>) -> UserRow {
    let mut row = UserRow {
        external_id: record.text("id"),
        email: record.text("email"),
        email_verified: !record.get("email_confirmed_at").is_empty(),
        display_name: display_name(record.get("raw_user_meta_data")),
        // Supabase opens an account again when the ban is over; here an administrator does.
        disabled: !record.get("banned_until").is_empty(),
        password_hash: record.text("encrypted_password"),
        ..UserRow::default()
    };
    row.created_at = cells::moment(&mut row, "create_time", record.get("created_at"));
    if !record.get("deleted_at").is_empty() {
        row.fault("deleted_at", "says that the account has been deleted");
    }
    row
}

/// The name that the owner or a provider has given, if any.
fn display_name(meta_data: &str) -> String {
    let data: serde_json::Value = serde_json::from_str(meta_data).unwrap_or_default();
    let name = ["full_name", "name"].iter().find_map(|key| data.get(key)?.as_str());
    name.unwrap_or_default().to_owned()
}
