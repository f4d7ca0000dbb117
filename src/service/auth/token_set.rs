//! The tokens of a session, as they are handed to a client.

use std::fmt;

use crate::domain::clock::Timestamp;
use crate::domain::id::SessionId;

/// What a successful sign-in or refresh gives.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSet {
    pub access_token: String,
    pub refresh_token: String,
    pub access_token_expires_at: Timestamp,
    pub refresh_token_expires_at: Timestamp,
    pub session_id: SessionId,
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenSet").field("session_id", &self.session_id).finish_non_exhaustive()
    }
}

/// The access token of a service account; it has no refresh token.
pub struct ServiceToken {
    pub access_token: String,
    pub expires_at: Timestamp,
    /// A session of the token's own.
    pub session: SessionId,
}
