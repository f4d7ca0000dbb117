//! The part of `AdminService` that speaks of accounts and their sessions.

use tonic::{Request, Response, Status};

use crate::grpc::pb;

/// The use cases behind it.
pub struct UsersApi {}

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

    pub async fn delete_user(&self, _request: Request<pb::DeleteUserRequest>) -> Answer<pb::DeleteUserResponse> {
        todo!()
    }

    pub async fn disable_user(&self, _request: Request<pb::DisableUserRequest>) -> Answer<pb::DisableUserResponse> {
        todo!()
    }

    pub async fn enable_user(&self, _request: Request<pb::EnableUserRequest>) -> Answer<pb::EnableUserResponse> {
        todo!()
    }

    pub async fn require_password_reset(
        &self,
        _request: Request<pb::RequirePasswordResetRequest>,
    ) -> Answer<pb::RequirePasswordResetResponse> {
        todo!()
    }
}
