//! Every fault of a message is told at once, and a mask alone says what counts.

use prost_types::{FieldMask, Timestamp};

use super::*;
use crate::service::error::ServiceError;

const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

fn fields<T>(answer: ServiceResult<T>) -> Vec<String> {
    let Err(ServiceError::InvalidFields(violations)) = answer else { panic!("a message at fault was taken") };
    violations.into_iter().map(|violation| violation.field).collect()
}

fn updating(paths: &[&str], user: pb::User) -> pb::UpdateUserRequest {
    let paths = paths.iter().map(|path| (*path).to_owned()).collect();
    pb::UpdateUserRequest { user: Some(user), update_mask: Some(FieldMask { paths }) }
}

#[test]
fn a_creation_names_every_field_at_fault() {
    let message = pb::CreateUserRequest {
        email: "no address".to_owned(),
        display_name: "a\nb".to_owned(),
        roles: vec!["admin".to_owned(), "Admin".to_owned(), String::new()],
        language: "e".to_owned(),
    };
    assert_eq!(fields(create(&message)), ["email", "display_name", "roles[1]", "roles[2]", "language"]);
    let roles = vec!["a".to_owned(); MAX_ROLES + 1];
    let message = pb::CreateUserRequest { email: "a@example.com".to_owned(), roles, ..Default::default() };
    assert_eq!(fields(create(&message)), ["roles"]);
}

#[test]
fn a_role_named_twice_counts_once() {
    let roles = ["admin", "user", "admin"].map(str::to_owned).to_vec();
    let message = pb::CreateUserRequest { email: "a@example.com".to_owned(), roles, ..Default::default() };
    let names: Vec<_> = create(&message).unwrap().roles.into_iter().map(|role| role.to_string()).collect();
    assert_eq!(names, ["admin", "user"]);
}

#[test]
fn a_list_names_every_field_at_fault() {
    let moment = Timestamp { seconds: 0, nanos: -1 };
    let filter = pb::UserFilter {
        email_prefix: "\0".to_owned(),
        role: "Admin".to_owned(),
        state: 3,
        created_from: Some(moment),
        created_until: Some(moment),
    };
    let message = pb::ListUsersRequest { filter: Some(filter), order: 5, page_size: -1, page_token: String::new() };
    let expected = [
        "filter.email_prefix",
        "filter.role",
        "filter.state",
        "filter.created_from",
        "filter.created_until",
        "order",
        "page_size",
    ];
    assert_eq!(fields(list(message)), expected);
}

#[test]
fn a_list_without_wishes_is_of_everybody() {
    let request = list(pb::ListUsersRequest::default()).unwrap();
    assert_eq!((request.filter, request.order), (UserFilter::default(), UserOrder::Created));
    assert_eq!((request.page_size, request.page_token.as_str()), (50, ""));
}

// promise A3
#[test]
fn only_what_the_mask_names_is_looked_at() {
    let wanted = pb::User {
        id: ID.to_owned(),
        email: "no address".to_owned(),
        email_verified: true,
        display_name: "a\nb".to_owned(),
        language: "e".to_owned(),
        ..Default::default()
    };
    let update = super::update(updating(&["email_verified"], wanted.clone())).unwrap();
    assert_eq!(update.profile, ProfileChange { email_verified: Some(true), ..ProfileChange::default() });
    assert_eq!((update.email, update.expected), (None, None));
    let all = ["email", "email_verified", "display_name", "language"];
    assert_eq!(fields(super::update(updating(&all, wanted))), ["user.display_name", "user.language", "user.email"]);
}

// promise A3
#[test]
fn roles_and_state_are_not_updated() {
    let wanted = || pb::User { id: ID.to_owned(), ..Default::default() };
    for path in ["roles", "state", "id", "etag", "create_time", "update_time", "password", "*", ""] {
        assert_eq!(fields(super::update(updating(&[path], wanted()))), ["update_mask"], "{path}");
    }
    assert_eq!(fields(super::update(pb::UpdateUserRequest::default())), ["user.id", "update_mask"]);
}

#[test]
fn an_etag_that_was_never_given_is_no_accounts() {
    let wanted = |etag: &str| pb::User { id: ID.to_owned(), etag: etag.to_owned(), ..Default::default() };
    let update = |etag| super::update(updating(&["language"], wanted(etag)));
    assert!(matches!(update("*"), Err(ServiceError::EtagMismatch)));
    assert_eq!(update("\"a\"").unwrap().expected.map(|revision| revision.0), Some(10));
}
