//! The part of `AdminService` that speaks of roles.

use tonic::{Request, Response, Status};

use crate::grpc::pb;

/// The use cases behind it.
pub struct RolesApi {}

type Answer<T> = Result<Response<T>, Status>;

impl RolesApi {
    pub async fn create_role(&self, _request: Request<pb::CreateRoleRequest>) -> Answer<pb::CreateRoleResponse> {
        todo!()
    }

    pub async fn list_roles(&self, _request: Request<pb::ListRolesRequest>) -> Answer<pb::ListRolesResponse> {
        todo!()
    }

    pub async fn delete_role(&self, _request: Request<pb::DeleteRoleRequest>) -> Answer<pb::DeleteRoleResponse> {
        todo!()
    }

    pub async fn grant_role(&self, _request: Request<pb::GrantRoleRequest>) -> Answer<pb::GrantRoleResponse> {
        todo!()
    }

    pub async fn revoke_role(&self, _request: Request<pb::RevokeRoleRequest>) -> Answer<pb::RevokeRoleResponse> {
        todo!()
    }
}
