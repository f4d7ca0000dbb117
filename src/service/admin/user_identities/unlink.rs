//! Takes an identity from an account at an administrator's word.

use std::sync::Arc;

use crate::domain::caller::Initiator;
use crate::service::error::ServiceResult;
use crate::service::federation::unlinker::{UnlinkRequest, Unlinker};

/// Takes an identity from an account, the last way to sign in too: its owner asks for a reset by mail. Every session ends.
pub struct UnlinkUserIdentity {
    pub unlinker: Arc<Unlinker>,
}

impl UnlinkUserIdentity {
    /// Allowed on oneself, as a required reset is: the caller's own session ends too.
    pub async fn run(&self, request: UnlinkRequest, by: &Initiator) -> ServiceResult<()> {
        self.unlinker.unlink(request, None, by).await
    }
}
