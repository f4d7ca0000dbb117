//! Lists the open sessions of an account.

use std::sync::Arc;

use crate::domain::clock::Clock;
use crate::domain::id::UserId;
use crate::domain::ports::{Sessions, Users};
use crate::domain::session::Session;
use crate::service::error::{ServiceError, ServiceResult};

/// Lists the open sessions of an account.
pub struct ListUserSessions {
    pub users: Arc<dyn Users>,
    pub sessions: Arc<dyn Sessions>,
    pub clock: Arc<dyn Clock>,
}

impl ListUserSessions {
    /// The one used last first.
    pub async fn run(&self, user: UserId) -> ServiceResult<Vec<Session>> {
        self.users.find(user).await?.ok_or(ServiceError::UserUnknown)?;
        Ok(self.sessions.list(user, self.clock.now()).await?)
    }
}
