//! Lists the caller's open sessions.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::caller::Caller;
use crate::domain::clock::Clock;
use crate::domain::ports::Sessions;
use crate::domain::session::Session;
use crate::service::error::ServiceResult;

/// Lists the caller's open sessions.
pub struct ListSessions {
    pub sessions: Arc<dyn Sessions>,
    pub clock: Arc<dyn Clock>,
}

impl ListSessions {
    /// The one used last first.
    pub async fn run(&self, caller: &Caller) -> ServiceResult<Vec<Session>> {
        Ok(self.sessions.list(owner(caller)?, self.clock.now()).await?)
    }
}
