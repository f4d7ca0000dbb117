//! Signing keys, as administrators see them.

use super::time;
use super::violations::Violations;
use crate::domain::key::{KeyState, SigningAlgorithm, StoredKey};
use crate::grpc::pb;
use crate::service::error::ServiceResult;

/// The length of a SHA-256 thumbprint in base64url (RFC 7638, section 3.1).
const THUMBPRINT_LENGTH: usize = 43;

pub fn signing_key(key: StoredKey) -> pb::SigningKey {
    pb::SigningKey {
        id: key.id,
        algorithm: key.algorithm.map(SigningAlgorithm::name).unwrap_or_default().to_owned(),
        state: state(key.state).into(),
        create_time: Some(time::timestamp(key.created_at)),
        state_time: Some(time::timestamp(key.state_since)),
    }
}

fn state(state: KeyState) -> pb::SigningKeyState {
    match state {
        KeyState::Next => pb::SigningKeyState::Next,
        KeyState::Active => pb::SigningKeyState::Active,
        KeyState::Retiring => pb::SigningKeyState::Retiring,
    }
}

pub fn id(message: pb::RevokeSigningKeyRequest) -> ServiceResult<String> {
    let mut violations = Violations::default();
    let id = message.signing_key_id;
    let is_base64url = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if id.len() != THUMBPRINT_LENGTH || !is_base64url {
        violations.add("signing_key_id", "must be the id of a signing key: 43 characters of base64url");
    }
    violations.finish(Some(id))
}
