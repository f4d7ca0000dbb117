//! What of a flow rests in the database and nobody may read there, bound to its state.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::seal::{SealError, SealingKey};
use crate::domain::clock::Entropy;
use crate::domain::one_time_token::TokenHash;

/// What we have sent the browser to the provider with.
#[derive(Serialize, Deserialize)]
pub struct Secrets {
    pub verifier: String,
    pub nonce: String,
}

/// What the browser has brought back.
#[derive(Serialize, Deserialize)]
pub struct Answer {
    pub code: String,
    pub issuer: Option<String>,
}

impl Secrets {
    pub fn seal(&self, state: TokenHash, key: &SealingKey, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        seal(self, "secrets", state, key, entropy)
    }

    pub fn open(sealed: &[u8], state: TokenHash, key: &SealingKey) -> Result<Self, SealError> {
        open(sealed, "secrets", state, key)
    }
}

impl Answer {
    pub fn seal(&self, state: TokenHash, key: &SealingKey, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        seal(self, "answer", state, key, entropy)
    }

    pub fn open(sealed: &[u8], state: TokenHash, key: &SealingKey) -> Result<Self, SealError> {
        open(sealed, "answer", state, key)
    }
}

fn seal(
    value: &impl Serialize,
    what: &str,
    state: TokenHash,
    key: &SealingKey,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, SealError> {
    let plain = Zeroizing::new(serde_json::to_vec(value).map_err(|_| SealError)?);
    Ok(key.seal(&context(what, state), &plain, entropy))
}

fn open<T: for<'a> Deserialize<'a>>(
    sealed: &[u8],
    what: &str,
    state: TokenHash,
    key: &SealingKey,
) -> Result<T, SealError> {
    serde_json::from_slice(&key.open(&context(what, state), sealed)?).map_err(|_| SealError)
}

/// Neither part of a flow opens as the other, nor as that of another flow.
fn context(what: &str, state: TokenHash) -> String {
    format!("keystead oauth {what} {}", URL_SAFE_NO_PAD.encode(state.0))
}
