//! Keycloak: users of a realm's export (`kc.sh export`), with PBKDF2 or Argon2.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::cells;
use crate::service::admin::users::user_row::UserRow;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct User {
    id: String,
    email: String,
    email_verified: bool,
    enabled: Option<bool>,
    first_name: String,
    last_name: String,
    created_timestamp: Option<i64>,
    attributes: Attributes,
    credentials: Vec<Credential>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    locale: Vec<String>,
}

/// Its secret and its method are documents within texts.
#[derive(Deserialize)]
struct Credential {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "secretData")]
    secret: Option<String>,
    #[serde(rename = "credentialData")]
    method: Option<String>,
}

#[derive(Deserialize)]
struct Secret {
    value: String,
    salt: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Method {
    algorithm: String,
    hash_iterations: u32,
    #[serde(default)]
    additional_parameters: ArgonParameters,
}

/// Lists of one text each.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ArgonParameters {
    r#type: Vec<String>,
    version: Vec<String>,
    memory: Vec<String>,
    parallelism: Vec<String>,
}

pub fn row(user: User) -> UserRow {
    let mut row = UserRow {
        external_id: user.id,
        email: user.email,
        email_verified: user.email_verified,
        display_name: format!("{} {}", user.first_name, user.last_name).trim().to_owned(),
        language: user.attributes.locale.into_iter().next().unwrap_or_default(),
        disabled: user.enabled == Some(false),
        ..UserRow::default()
    };
    row.created_at = user.created_timestamp.and_then(|at| cells::millis(&mut row, "create_time", at));
    if let Some(password) = user.credentials.iter().find(|credential| credential.kind == "password") {
        match hash(password) {
            Some(hash) => row.password_hash = hash,
            None => row.fault("credentials", "must hold a password by PBKDF2 or Argon2"),
        }
    }
    row
}

/// The hash as a PHC string: base64 without its padding.
fn hash(password: &Credential) -> Option<String> {
    let secret: Secret = document(password.secret.as_ref())?;
    let method: Method = document(password.method.as_ref())?;
    let (salt, value) = (secret.salt.trim_end_matches('='), secret.value.trim_end_matches('='));
    let iterations = method.hash_iterations;
    let recipe = match method.algorithm.as_str() {
        "pbkdf2" => format!("pbkdf2-sha1$i={iterations}"),
        "pbkdf2-sha256" | "pbkdf2-sha512" => format!("{}$i={iterations}", method.algorithm),
        "argon2" => {
            let argon = method.additional_parameters;
            let [kind, memory, lanes] = [argon.r#type.first()?, argon.memory.first()?, argon.parallelism.first()?];
            let version = if argon.version.first()? == "1.0" { 16 } else { 19 };
            format!("argon2{kind}$v={version}$m={memory},t={iterations},p={lanes}")
        }
        _ => return None,
    };
    Some(format!("${recipe}${salt}${value}"))
}

/// A document within a text.
fn document<T: DeserializeOwned>(text: Option<&String>) -> Option<T> {
    serde_json::from_str(text?).ok()
}
