//! The part of `AdminService` that speaks of roles.

use tonic::{Request, Response, Status};

use crate::grpc::convert::{roles, user};
use crate::grpc::front::split_called;
use crate::grpc::pb;
use crate::service::admin::rights::grant_role::GrantRole;
use crate::service::admin::rights::revoke_role::RevokeRole;
use crate::service::admin::roles::create::CreateRole;
use crate::service::admin::roles::delete::DeleteRole;
use crate::service::admin::roles::list::ListRoles;

/// The use cases behind it.
pub struct RolesApi {
    pub create: CreateRole,
    pub list: ListRoles,
    pub delete: DeleteRole,
    pub grant: GrantRole,
    pub revoke: RevokeRole,
}

type Answer<T> = Result<Response<T>, Status>;

impl RolesApi {
    pub async fn create_role(&self, request: Request<pb::CreateRoleRequest>) -> Answer<pb::CreateRoleResponse> {
        let (caller, origin, message) = split_called(request)?;
        let role = self.create.run(roles::create(&message)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::CreateRoleResponse { role: Some(roles::role(&role)) }))
    }

    pub async fn list_roles(&self, _request: Request<pb::ListRolesRequest>) -> Answer<pb::ListRolesResponse> {
        let roles = self.list.run().await?.iter().map(roles::role).collect();
        Ok(Response::new(pb::ListRolesResponse { roles }))
    }

    pub async fn delete_role(&self, request: Request<pb::DeleteRoleRequest>) -> Answer<pb::DeleteRoleResponse> {
        let (caller, origin, message) = split_called(request)?;
        self.delete.run(&roles::delete(&message)?, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::DeleteRoleResponse {}))
    }

    pub async fn grant_role(&self, request: Request<pb::GrantRoleRequest>) -> Answer<pb::GrantRoleResponse> {
        let (caller, origin, message) = split_called(request)?;
        let (id, role) = roles::of_user(&message.user_id, &message.role)?;
        let changed = self.grant.run(id, role, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::GrantRoleResponse { user: Some(user::user(changed)) }))
    }

    pub async fn revoke_role(&self, request: Request<pb::RevokeRoleRequest>) -> Answer<pb::RevokeRoleResponse> {
        let (caller, origin, message) = split_called(request)?;
        let (id, role) = roles::of_user(&message.user_id, &message.role)?;
        let changed = self.revoke.run(id, role, &caller.initiates(&origin)).await?;
        Ok(Response::new(pb::RevokeRoleResponse { user: Some(user::user(changed)) }))
    }
}
