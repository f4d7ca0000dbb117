//! Cryptography: password hashing, signing, server keys, and the tokens made with them.
//!
//! May import `domain` and the verifier crate. Must not know a store, a protocol or a use case.

pub mod challenge_token;
pub mod enrollment_token;
pub mod jwk;
pub mod key_ring;
pub mod lookup;
pub mod master_keys;
pub mod oauth_token;
pub mod one_time_token;
pub mod page_token;
pub mod password_hasher;
pub mod pkce;
mod random_token;
pub mod recovery_code;
pub mod refresh_token;
pub mod seal;
mod server_key;
pub mod service_secret;
mod signing_key;
#[cfg(test)]
mod testing;
pub mod totp;
