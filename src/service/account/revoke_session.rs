//! Ends one of the caller's sessions.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::caller::Caller;
use crate::domain::id::SessionId;
use crate::domain::origin::Origin;
use crate::domain::session::EndScope;
use crate::service::auth::session_ender::SessionEnder;
use crate::service::error::{ServiceError, ServiceResult};

/// Ends one of the caller's sessions.
pub struct RevokeSession {
    pub ender: Arc<SessionEnder>,
}

impl RevokeSession {
    /// A session of somebody else's is as unknown as one that never was; the caller's current one may end too.
    pub async fn run(&self, session: SessionId, caller: &Caller, origin: &Origin) -> ServiceResult<()> {
        let ended = self.ender.end(owner(caller)?, EndScope::This(session), &caller.initiates(origin)).await?;
        if ended == 0 { Err(ServiceError::SessionUnknown) } else { Ok(()) }
    }
}
