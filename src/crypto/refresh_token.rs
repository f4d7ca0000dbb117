//! Refresh tokens: `ksr_`, then session id, generation and an HMAC-SHA-256 over both and the session's salt.

use crate::domain::id::SessionId;
use crate::domain::session::{Session, SessionSalt};

/// A refresh token that is well-formed; whether it is real only its session's salt and key can tell.
#[derive(Clone, Copy)]
pub struct PresentedRefreshToken {
    pub session_id: SessionId,
    pub generation: u64,
    pub mac: [u8; 32],
}

impl PresentedRefreshToken {
    /// `None` for whatever is not byte for byte what [`RefreshKey::issue`] could have made.
    pub fn parse(_text: &str) -> Option<Self> {
        todo!()
    }
}

/// The secret server key behind refresh tokens.
pub struct RefreshKey {}

impl RefreshKey {
    /// The token of the session's live generation.
    pub fn issue(&self, _session: &Session) -> String {
        todo!()
    }

    /// Whether this key made the token, compared in constant time.
    #[must_use]
    pub fn authenticates(&self, _token: &PresentedRefreshToken, _salt: &SessionSalt) -> bool {
        todo!()
    }
}
