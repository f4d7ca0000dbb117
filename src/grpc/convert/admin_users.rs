//! What administrators ask of accounts.

use std::collections::BTreeSet;

use super::violations::Violations;
use super::{ids, mask, pages, profile, time, user};
use crate::domain::email::Email;
use crate::domain::email_prefix::EmailPrefix;
use crate::domain::language::Language;
use crate::domain::name::Name;
use crate::domain::ports::profiles::ProfileChange;
use crate::domain::role::RoleName;
use crate::domain::user::UserState;
use crate::domain::user_change::{MAX_ROLES, UserUpdate};
use crate::domain::user_list::{UserFilter, UserOrder};
use crate::grpc::pb;
use crate::service::admin::users::create::CreateUserRequest;
use crate::service::admin::users::list::{ListUsersRequest, UserPage};
use crate::service::error::ServiceResult;

/// What an administrator may change of an account; roles and state have methods of their own.
const UPDATABLE: &[&str] = &["display_name", "language", "email", "email_verified"];

pub fn create(message: &pb::CreateUserRequest) -> ServiceResult<CreateUserRequest> {
    let mut violations = Violations::default();
    let email = violations.check("email", Email::parse(&message.email));
    let display_name = violations.check("display_name", Name::parse(&message.display_name));
    let roles = roles(&message.roles, &mut violations);
    let language = violations.check("language", Language::parse(&message.language));
    let parsed =
        (|| Some(CreateUserRequest { email: email?, display_name: display_name?, language: language?, roles }))();
    violations.finish(parsed)
}

fn roles(names: &[String], violations: &mut Violations) -> BTreeSet<RoleName> {
    if names.len() > MAX_ROLES {
        violations.add("roles", &format!("must be at most {MAX_ROLES}"));
        return BTreeSet::new();
    }
    let parse = |(place, name): (usize, &String)| violations.check(&format!("roles[{place}]"), RoleName::parse(name));
    names.iter().enumerate().filter_map(parse).collect()
}

pub fn list(message: pb::ListUsersRequest) -> ServiceResult<ListUsersRequest> {
    let mut violations = Violations::default();
    let filter = filter(&message.filter.unwrap_or_default(), &mut violations);
    let order = violations.check("order", order(message.order));
    let page_size = pages::size(message.page_size, &mut violations);
    let page_token = message.page_token;
    let parsed = (|| Some(ListUsersRequest { filter: filter?, order: order?, page_size, page_token }))();
    violations.finish(parsed)
}

pub fn list_response(page: UserPage) -> pb::ListUsersResponse {
    pb::ListUsersResponse {
        users: page.users.into_iter().map(user::user).collect(),
        next_page_token: page.next_page_token.unwrap_or_default(),
    }
}

/// The mask alone says which values count; those of other fields are not looked at.
pub fn update(message: pb::UpdateUserRequest) -> ServiceResult<UserUpdate> {
    let mut violations = Violations::default();
    let wanted = message.user.unwrap_or_default();
    let id = ids::user("user.id", &wanted.id, &mut violations);
    let named = mask::paths(message.update_mask.as_ref(), UPDATABLE, &mut violations);
    let is_named = |path| named.contains(&path);
    let profile = ProfileChange {
        email_verified: is_named("email_verified").then_some(wanted.email_verified),
        ..profile::change(&wanted, &named, &mut violations)
    };
    let email = is_named("email").then(|| violations.check("user.email", Email::parse(&wanted.email))).flatten();
    let id = violations.finish(id)?;
    Ok(UserUpdate { id, profile, email, expected: user::expected(&wanted.etag)? })
}

/// The filter of an export.
pub fn exported(message: pb::ExportUsersRequest) -> ServiceResult<UserFilter> {
    let mut violations = Violations::default();
    let filter = filter(&message.filter.unwrap_or_default(), &mut violations);
    violations.finish(filter)
}

fn filter(message: &pb::UserFilter, violations: &mut Violations) -> Option<UserFilter> {
    let email_prefix = violations.check("filter.email_prefix", EmailPrefix::parse(&message.email_prefix));
    let role = Some(message.role.as_str()).filter(|role| !role.is_empty());
    let role = role.and_then(|role| violations.check("filter.role", RoleName::parse(role)));
    let state = violations.check("filter.state", state(message.state));
    let created_from = time::moment("filter.created_from", message.created_from.as_ref(), violations);
    let created_until = time::moment("filter.created_until", message.created_until.as_ref(), violations);
    Some(UserFilter { email_prefix: email_prefix?, role, state: state?, created_from, created_until })
}

fn state(number: i32) -> Result<Option<UserState>, &'static str> {
    match pb::UserState::try_from(number) {
        Ok(pb::UserState::Unspecified) => Ok(None),
        Ok(pb::UserState::Active) => Ok(Some(UserState::Active)),
        Ok(pb::UserState::Disabled) => Ok(Some(UserState::Disabled)),
        Err(_) => Err("must be one of the values of UserState"),
    }
}

fn order(number: i32) -> Result<UserOrder, &'static str> {
    match pb::UserOrder::try_from(number) {
        Ok(pb::UserOrder::Unspecified | pb::UserOrder::CreateTime) => Ok(UserOrder::Created),
        Ok(pb::UserOrder::CreateTimeDesc) => Ok(UserOrder::CreatedDescending),
        Ok(pb::UserOrder::Email) => Ok(UserOrder::Email),
        Ok(pb::UserOrder::EmailDesc) => Ok(UserOrder::EmailDescending),
        Err(_) => Err("must be one of the values of UserOrder"),
    }
}

#[cfg(test)]
mod tests;
