//! Roles, and who has them.

use super::violations::Violations;
use super::{ids, time};
use crate::domain::id::UserId;
use crate::domain::role::{Role, RoleDescription, RoleName};
use crate::grpc::pb;
use crate::service::admin::roles::create::CreateRoleRequest;
use crate::service::error::ServiceResult;

pub fn role(role: &Role) -> pb::Role {
    pb::Role {
        name: role.name.to_string(),
        description: role.description.as_str().to_owned(),
        built_in: role.name.is_built_in(),
        create_time: Some(time::timestamp(role.created_at)),
    }
}

pub fn create(message: &pb::CreateRoleRequest) -> ServiceResult<CreateRoleRequest> {
    let mut violations = Violations::default();
    let name = violations.check("name", RoleName::parse(&message.name));
    let description = violations.check("description", RoleDescription::parse(&message.description));
    violations.finish((|| Some(CreateRoleRequest { name: name?, description: description? }))())
}

pub fn delete(message: &pb::DeleteRoleRequest) -> ServiceResult<RoleName> {
    let mut violations = Violations::default();
    let name = violations.check("name", RoleName::parse(&message.name));
    violations.finish(name)
}

pub fn of_user(user_id: &str, role: &str) -> ServiceResult<(UserId, RoleName)> {
    let mut violations = Violations::default();
    let id = ids::user("user_id", user_id, &mut violations);
    let role = violations.check("role", RoleName::parse(role));
    violations.finish(id.zip(role))
}
