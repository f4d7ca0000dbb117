//! The part of `AdminService` that speaks of accounts and their sessions.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use crate::grpc::convert::{admin_users, ids, second_factor, user};
use crate::grpc::front::split_called;
use crate::grpc::pb;
use crate::service::admin::rights::delete_user::DeleteUser;
use crate::service::admin::rights::disable_user::DisableUser;
use crate::service::admin::rights::enable_user::EnableUser;
use crate::service::admin::users::create::CreateUser;
use crate::service::admin::users::get::GetUser;
use crate::service::admin::users::list::ListUsers;
use crate::service::admin::users::require_reset::RequirePasswordReset;
use crate::service::admin::users::reset_mfa::ResetUserMfa;
use crate::service::admin::users::update::UpdateUser;
use crate::service::second_factor::describer::DescribedUser;

/// The use cases behind it.
pub struct UsersApi {
    pub create: CreateUser,
    pub get: GetUser,
    pub list: ListUsers,
    pub update: UpdateUser,
    pub delete: Arc<DeleteUser>,
    pub disable: DisableUser,
    pub enable: EnableUser,
    pub require_reset: RequirePasswordReset,
    pub reset_mfa: ResetUserMfa,
}

type Answer<T> = Result<Response<T>, Status>;

impl UsersApi {
    pub async fn create_user(&self, request: Request<pb::CreateUserRequest>) -> Answer<pb::CreateUserResponse> {
        let (caller, origin, message) = split_called(request)?;
        let created = self.create.run(admin_users::create(&message)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::CreateUserResponse { user: Some(user::user(created)) }))
    }

    pub async fn get_user(&self, request: Request<pb::GetUserRequest>) -> Answer<pb::GetUserResponse> {
        let (_, _, message) = split_called(request)?;
        let DescribedUser { user: found, factor } = self.get.run(ids::the_user(&message.user_id)?).await?;
        let second_factor = Some(second_factor::standing(factor));
        Ok(Response::new(pb::GetUserResponse { user: Some(user::user(found)), second_factor }))
    }

    pub async fn list_users(&self, request: Request<pb::ListUsersRequest>) -> Answer<pb::ListUsersResponse> {
        let (caller, _, message) = split_called(request)?;
        let page = self.list.run(admin_users::list(message)?, caller.id).await?;
        Ok(Response::new(admin_users::list_response(page)))
    }

    pub async fn update_user(&self, request: Request<pb::UpdateUserRequest>) -> Answer<pb::UpdateUserResponse> {
        let (caller, origin, message) = split_called(request)?;
        let updated = self.update.run(admin_users::update(message)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::UpdateUserResponse { user: Some(user::user(updated)) }))
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
        request: Request<pb::RequirePasswordResetRequest>,
    ) -> Answer<pb::RequirePasswordResetResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.require_reset.run(ids::the_user(&message.user_id)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::RequirePasswordResetResponse {}))
    }

    pub async fn reset_user_mfa(&self, request: Request<pb::ResetUserMfaRequest>) -> Answer<pb::ResetUserMfaResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.reset_mfa.run(ids::the_user(&message.user_id)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::ResetUserMfaResponse {}))
    }
}
