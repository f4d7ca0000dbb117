//! Tells a real refresh token from a forged one, for every call that takes one.

use std::sync::Arc;
use std::time::Duration;

use super::secret_guard::SecretGuard;
use crate::crypto::refresh_token::PresentedRefreshToken;
use crate::domain::origin::Origin;
use crate::domain::ports::Sessions;
use crate::domain::session::SessionOfUser;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// When to try again where the ring lacks the key that a session's row names.
const MISSING_KEY_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A refresh token that this service has issued, though perhaps long ago, and what it belongs to.
pub struct AuthenticToken {
    pub generation: u64,
    pub owner: SessionOfUser,
}

/// Finds the session of a refresh token and checks the token's HMAC, before anybody may call it a replay.
pub struct TokenReader {
    pub sessions: Arc<dyn Sessions>,
    pub keys: Arc<LiveKeys>,
    pub guard: Arc<SecretGuard>,
}

impl TokenReader {
    /// `None` for a token that was never issued. It counts against the source's budget; a real one does not, so that
    /// a source over its budget still refreshes.
    pub async fn read(&self, text: &str, origin: &Origin) -> ServiceResult<Option<AuthenticToken>> {
        if let Some(token) = PresentedRefreshToken::parse(text)
            && let Some(owner) = self.sessions.find(token.session_id).await?
            && self.is_authentic(&token, &owner)?
        {
            return Ok(Some(AuthenticToken { generation: token.generation, owner }));
        }
        self.guard.admit_source(origin).await?;
        Ok(None)
    }

    fn is_authentic(&self, token: &PresentedRefreshToken, owner: &SessionOfUser) -> ServiceResult<bool> {
        let ring = self.keys.ring();
        // A ring that lacks the key is older than the row: no verdict on the token.
        let key = ring
            .refresh_key(&owner.session.refresh_key_id)
            .ok_or(ServiceError::DependencyUnavailable { retry_after: MISSING_KEY_RETRY_AFTER })?;
        Ok(key.authenticates(token, &owner.session.salt))
    }
}
