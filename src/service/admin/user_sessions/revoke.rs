//! Ends one session of an account, or all of them.

use std::sync::Arc;

use crate::domain::caller::Initiator;
use crate::domain::id::{SessionId, UserId};
use crate::domain::ports::Users;
use crate::domain::session::EndScope;
use crate::service::auth::session_ender::SessionEnder;
use crate::service::error::{ServiceError, ServiceResult};

/// Ends one session of an account, or all of them.
pub struct RevokeUserSessions {
    pub users: Arc<dyn Users>,
    pub ender: Arc<SessionEnder>,
}

/// Whose sessions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokeUserSessionsRequest {
    pub user: UserId,
    /// The one session; `None` means all of them, be there any or none.
    pub session: Option<SessionId>,
}

impl RevokeUserSessions {
    pub async fn run(&self, request: RevokeUserSessionsRequest, by: &Initiator) -> ServiceResult<()> {
        let RevokeUserSessionsRequest { user, session } = request;
        self.users.find(user).await?.ok_or(ServiceError::UserUnknown)?;
        let scope = session.map_or(EndScope::All, EndScope::This);
        let ended = self.ender.end(user, scope, by).await?;
        if ended == 0 && session.is_some() { Err(ServiceError::SessionUnknown) } else { Ok(()) }
    }
}
