//! The files that accounts come in by.

use std::io::Cursor;

use keystead::cli::user_files::firebase::HashConfig;
use keystead::cli::user_files::{Form, Format};
use keystead::domain::clock::Timestamp;
use keystead::service::admin::users::user_row::UserRow;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const FIREBASE: &str = "algorithm: SCRYPT,\nbase64_signer_key: QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=,\n\
                        base64_salt_separator: Bw==,\nrounds: 8,\nmem_cost: 14,\n";

/// The rows; the file has an end, and no more rows than bytes.
fn rows(form: Form, bytes: &[u8]) -> Vec<UserRow> {
    let Ok(rows) = form.rows(Cursor::new(bytes.to_vec())) else { return Vec::new() };
    let mut place = 0;
    let rows = rows.map_while(Result::ok).map(|row| {
        assert!(row.number > place, "a number that was told already");
        place = row.number;
        row.row
    });
    let rows: Vec<UserRow> = rows.take(bytes.len() + 1).collect();
    assert!(rows.len() <= bytes.len(), "more rows than bytes");
    rows
}

/// What was read without a fault is, written in the other of our forms, read the same.
fn is_the_same_in(format: Format, row: &UserRow) {
    let at = row.created_at.map(Timestamp::as_millis).unwrap_or_default();
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000);
    // Other years have no form, and are refused later; in CSV roles with spaces have none.
    let Ok(at) = at else { return };
    let has_a_form = (1..=9_999).contains(&at.year())
        && row.roles.iter().all(|role| !role.is_empty() && !role.contains(char::is_whitespace));
    if !row.faults.is_empty() || !has_a_form {
        return;
    }
    let time = row.created_at.map(|_| at.format(&Rfc3339).expect("a time")).unwrap_or_default();
    let (state, verified) = (if row.disabled { "disabled" } else { "active" }, row.email_verified);
    let (roles, names) = (
        row.roles.join(" "),
        "external_id,email,email_verified,display_name,language,state,roles,password_hash,create_time",
    );
    let file = match format {
        Format::Ndjson => json!({
            "external_id": row.external_id, "email": row.email, "email_verified": verified, "display_name": row.display_name,
            "language": row.language, "state": state, "roles": row.roles, "password_hash": row.password_hash, "create_time": time,
        })
        .to_string()
        .into_bytes(),
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let verified = verified.to_string();
            let values: [&str; 9] = [
                &row.external_id, &row.email, &verified, &row.display_name, &row.language, state, &roles, &row.password_hash, &time,
            ];
            writer.write_record(names.split(',')).expect("names");
            writer.write_record(values).expect("values");
            writer.into_inner().expect("a file")
        }
    };
    let again = rows(Form::Own(format), &file);
    assert_eq!(again.len(), 1, "one row");
    assert!(told(&again[0]) == told(row), "the other form says something else");
}

fn told(row: &UserRow) -> impl PartialEq {
    let texts = [&row.external_id, &row.email, &row.display_name, &row.language, &row.password_hash].map(Clone::clone);
    let faults: Vec<String> = row.faults.iter().map(|fault| fault.field.clone()).collect();
    (texts, row.email_verified, row.disabled, row.roles.clone(), row.created_at, faults)
}

/// Lines of our own form and of Auth0's.
pub fn ndjson(bytes: &[u8]) {
    let lines = bytes.split(|&byte| byte == b'\n').count();
    for form in [Form::Own(Format::Ndjson), Form::Auth0] {
        let rows = rows(form, bytes);
        assert!(rows.len() <= lines, "more rows than lines");
        for row in &rows {
            is_the_same_in(Format::Csv, row);
        }
    }
}

/// Records of our own form and of Supabase's.
pub fn csv(bytes: &[u8]) {
    for form in [Form::Own(Format::Csv), Form::Supabase] {
        for row in rows(form, bytes) {
            is_the_same_in(Format::Ndjson, &row);
        }
    }
}

/// Documents of Keycloak and of Firebase.
pub fn documents(bytes: &[u8]) {
    let config = HashConfig::parse(FIREBASE).expect("parameters");
    for form in [Form::Keycloak, Form::Firebase(config)] {
        for row in rows(form, bytes) {
            is_the_same_in(Format::Ndjson, &row);
        }
    }
}
