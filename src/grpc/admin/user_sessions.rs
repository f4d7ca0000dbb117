//! The part of `AdminService` that speaks of the sessions of accounts.

use tonic::{Request, Response, Status};

use crate::grpc::convert::sessions;
use crate::grpc::front::split_called;
use crate::grpc::pb;
use crate::service::admin::user_sessions::list::ListUserSessions;
use crate::service::admin::user_sessions::revoke::RevokeUserSessions;

/// The use cases behind it.
pub struct UserSessionsApi {
    pub list: ListUserSessions,
    pub revoke: RevokeUserSessions,
}

type Answer<T> = Result<Response<T>, Status>;

impl UserSessionsApi {
    pub async fn list_user_sessions(
        &self,
        request: Request<pb::ListUserSessionsRequest>,
    ) -> Answer<pb::ListUserSessionsResponse> {
        let (caller, _, message) = split_called(request)?;
        let listed = self.list.run(sessions::list_user_sessions(&message)?).await?;
        Ok(Response::new(pb::ListUserSessionsResponse { sessions: sessions::sessions(listed, caller.session) }))
    }

    pub async fn revoke_user_sessions(
        &self,
        request: Request<pb::RevokeUserSessionsRequest>,
    ) -> Answer<pb::RevokeUserSessionsResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.revoke.run(sessions::revoke_user_sessions(&message)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::RevokeUserSessionsResponse {}))
    }
}
