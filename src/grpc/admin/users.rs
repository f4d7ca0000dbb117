//! The part of `AdminService` that speaks of accounts and their sessions.

use tonic::{Request, Response, Status};

use crate::grpc::convert::{ids, user};
use crate::grpc::front::split_called;
use crate::grpc::pb;
use crate::service::admin::rights::delete_user::DeleteUser;
use crate::service::admin::rights::disable_user::DisableUser;
use crate::service::admin::rights::enable_user::EnableUser;

/// The use cases behind it.
pub struct UsersApi {
    pub delete: DeleteUser,
    pub disable: DisableUser,
    pub enable: EnableUser,
}

type Answer<T> = Result<Response<T>, Status>;

impl UsersApi {
    pub async fn create_user(&self, _request: Request<pb::CreateUserRequest>) -> Answer<pb::CreateUserResponse> {
        todo!()
    }

    pub async fn get_user(&self, _request: Request<pb::GetUserRequest>) -> Answer<pb::GetUserResponse> {
        todo!()
    }

    pub async fn list_users(&self, _request: Request<pb::ListUsersRequest>) -> Answer<pb::ListUsersResponse> {
        todo!()
    }

    pub async fn update_user(&self, _request: Request<pb::UpdateUserRequest>) -> Answer<pb::UpdateUserResponse> {
        todo!()
    }

    pub async fn delete_user(&self, request: Request<pb::DeleteUserRequest>) -> Answer<pb::DeleteUserResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.delete.run(ids::the_user(&message.user_id)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::DeleteUserResponse {}))
    }

    pub async fn disable_user(&self, request: Request<pb::DisableUserRequest>) -> Answer<pb::DisableUserResponse> {
        let (caller, origin, message) = split_called(request)?;
        let changed = self.disable.run(ids::the_user(&message.user_id)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::DisableUserResponse { user: Some(user::user(changed)) }))
    }

    pub async fn enable_user(&self, request: Request<pb::EnableUserRequest>) -> Answer<pb::EnableUserResponse> {
        let (caller, origin, message) = split_called(request)?;
        let changed = self.enable.run(ids::the_user(&message.user_id)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::EnableUserResponse { user: Some(user::user(changed)) }))
    }

    pub async fn require_password_reset(
        &self,
        _request: Request<pb::RequirePasswordResetRequest>,
    ) -> Answer<pb::RequirePasswordResetResponse> {
        todo!()
    }

    pub async fn list_user_sessions(
        &self,
        _request: Request<pb::ListUserSessionsRequest>,
    ) -> Answer<pb::ListUserSessionsResponse> {
        todo!()
    }

    pub async fn revoke_user_sessions(
        &self,
        _request: Request<pb::RevokeUserSessionsRequest>,
    ) -> Answer<pb::RevokeUserSessionsResponse> {
        todo!()
    }
}
