//! Roles and state of accounts, by an administrator's word: who sees the change, where, and how soon.

use keystead::grpc::pb::{
    CreateRoleRequest, DeleteRoleRequest, DeleteUserRequest, DisableUserRequest, EnableUserRequest, GrantRoleRequest,
    ListRolesRequest, RevokeRoleRequest, TokenStatus, User, UserState,
};
use tonic::Code;

use crate::harness::token::Jwt;
use crate::harness::{Backend, Client, Keystead, Person, Setup, on_each_backend, until};

pub fn disable(user: &User) -> DisableUserRequest {
    DisableUserRequest { user_id: user.id.clone() }
}

pub fn enable(user: &User) -> EnableUserRequest {
    EnableUserRequest { user_id: user.id.clone() }
}

pub fn grant(user: &User, role: &str) -> GrantRoleRequest {
    GrantRoleRequest { user_id: user.id.clone(), role: role.to_owned() }
}

pub fn revoke(user: &User, role: &str) -> RevokeRoleRequest {
    RevokeRoleRequest { user_id: user.id.clone(), role: role.to_owned() }
}

fn roles_in(access_token: &str) -> Vec<String> {
    let roles = Jwt::parse(access_token).claims["roles"].as_array().expect("roles").clone();
    roles.iter().map(|role| role.as_str().expect("a name").to_owned()).collect()
}

async fn role(admin: &Client, name: &str) {
    let request = CreateRoleRequest { name: name.to_owned(), description: "For a test.".to_owned() };
    let role = admin.create_role(request).await.expect("a role").role.expect("the role");
    assert_eq!((role.name.as_str(), role.built_in), (name, false));
}

/// Revocations travel: the bound is the poll's, and patience more than that.
async fn is_refused(client: &Client, access_token: &str) {
    until("the revocation to arrive", || async { client.status_of(access_token).await == TokenStatus::Revoked }).await;
}

// promises T8, R8
async fn a_granted_role_reaches_tokens_already_issued_and_the_next_refresh(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &here).await;
    role(&admin, "billing").await;
    let ada = Person::new("ada");
    let registered = ada.register(&there).await;
    let changed = admin.grant_role(grant(&registered.user, "billing")).await.expect("granted").user.expect("the user");
    assert_eq!(changed.roles, ["billing", "user"]);
    assert_ne!(changed.etag, registered.user.etag);
    assert_eq!(here.status_of(&registered.set.access_token).await, TokenStatus::Revoked, "at once where it was done");
    is_refused(&there, &registered.set.access_token).await;
    let next = there.use_refresh_token(&registered.set.refresh_token).await.expect("the session goes on");
    assert_eq!(roles_in(&next.access_token), ["billing", "user"]);
    assert_eq!(here.status_of(&next.access_token).await, TokenStatus::Active);

    let changed = admin.revoke_role(revoke(&registered.user, "billing")).await.expect("revoked").user;
    assert_eq!(changed.expect("the user").roles, ["user"]);
    assert_eq!(here.status_of(&next.access_token).await, TokenStatus::Revoked);
    is_refused(&there, &next.access_token).await;
    let last = there.use_refresh_token(&next.refresh_token).await.expect("the session goes on");
    assert_eq!(roles_in(&last.access_token), ["user"]);
}

async fn what_is_so_already_changes_nothing(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let ada = Person::new("ada").register(&client).await;
    let granted = admin.grant_role(grant(&ada.user, "user")).await.expect("as it was").user.expect("the user");
    let revoked = admin.revoke_role(revoke(&ada.user, "verifier")).await.expect("as it was").user.expect("the user");
    let enabled = admin.enable_user(enable(&ada.user)).await.expect("as it was").user.expect("the user");
    for user in [granted, revoked, enabled] {
        assert_eq!(user, ada.user);
    }
    assert_eq!(client.status_of(&ada.set.access_token).await, TokenStatus::Active);
    let rows = keystead.rows().await;
    for kind in ["authz_role_granted", "authz_role_revoked", "user_enabled"] {
        assert_eq!(rows.events(kind).await, 0, "{kind}");
    }
}

// promises T8, R8
async fn a_disabled_account_is_shut_out_everywhere_until_it_is_enabled(backend: Backend) {
    let keystead = Setup::on(backend).replicas(backend.replicas()).start().await;
    let [here, there] = keystead.pair().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &here).await;
    let person = Person::new("ada");
    let ada = person.register(&there).await;
    let closed = admin.disable_user(disable(&ada.user)).await.expect("closed").user.expect("the user");
    assert_eq!(closed.state(), UserState::Disabled);
    assert_eq!(here.status_of(&ada.set.access_token).await, TokenStatus::Revoked, "at once where it was done");
    is_refused(&there, &ada.set.access_token).await;
    for client in [&here, &there] {
        client
            .use_refresh_token(&ada.set.refresh_token)
            .await
            .expect_err("no refresh")
            .is(Code::Unauthenticated, "INVALID_TOKEN");
        person.log_in(client).await.expect_err("no login").is(Code::Unauthenticated, "INVALID_CREDENTIALS");
    }
    let open = admin.enable_user(enable(&ada.user)).await.expect("open").user.expect("the user");
    assert_eq!(open.state(), UserState::Active);
    for client in [&here, &there] {
        assert_eq!(client.status_of(&ada.set.access_token).await, TokenStatus::Revoked, "what was out stays refused");
        client
            .use_refresh_token(&ada.set.refresh_token)
            .await
            .expect_err("its session has ended")
            .is(Code::Unauthenticated, "INVALID_TOKEN");
    }
    let fresh = person.log_in(&there).await.expect("tokens");
    assert_eq!(here.status_of(&fresh.access_token).await, TokenStatus::Active);
}

// promise A4
async fn administrators_do_not_demote_themselves_and_the_last_one_stays(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, root) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let own = [
        admin.revoke_role(revoke(&root, "admin")).await.map(drop),
        admin.disable_user(disable(&root)).await.map(drop),
        admin.delete_user(DeleteUserRequest { user_id: root.id.clone() }).await.map(drop),
    ];
    for answer in own {
        answer.expect_err("not oneself").is(Code::FailedPrecondition, "SELF_DEMOTION");
    }
    // A service account or the command line may try it too: the store has the last word, which its own suite asks for.
    assert_eq!(keystead.rows().await.events("user_disabled").await, 0);
    admin.list_roles(ListRolesRequest {}).await.expect("still an administrator");
}

async fn roles_are_created_listed_and_deleted(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, _) = Person::new("root").register_as_administrator(&keystead, &client).await;
    role(&admin, "billing:read").await;
    let roles = admin.list_roles(ListRolesRequest {}).await.expect("roles").roles;
    let told: Vec<_> = roles.iter().map(|role| (role.name.as_str(), role.built_in)).collect();
    assert_eq!(told, [("admin", true), ("billing:read", false), ("user", true), ("verifier", true)]);
    assert!(roles.iter().all(|role| !role.description.is_empty()));

    let again = CreateRoleRequest { name: "billing:read".to_owned(), ..CreateRoleRequest::default() };
    admin.create_role(again).await.expect_err("taken").is(Code::AlreadyExists, "ROLE_TAKEN");
    let ada = Person::new("ada").register(&client).await.user;
    admin.grant_role(grant(&ada, "billing:read")).await.expect("granted");
    let delete = |name: &str| DeleteRoleRequest { name: name.to_owned() };
    admin.delete_role(delete("billing:read")).await.expect_err("held").is(Code::FailedPrecondition, "ROLE_IN_USE");
    admin.revoke_role(revoke(&ada, "billing:read")).await.expect("revoked");
    admin.delete_role(delete("billing:read")).await.expect("gone");
    admin.delete_role(delete("billing:read")).await.expect_err("gone already").is(Code::NotFound, "ROLE_UNKNOWN");
    admin.grant_role(grant(&ada, "billing:read")).await.expect_err("gone").is(Code::NotFound, "ROLE_UNKNOWN");
    for built_in in ["user", "admin", "verifier"] {
        let failure = admin.delete_role(delete(built_in)).await.expect_err("built in");
        failure.is(Code::FailedPrecondition, "ROLE_BUILT_IN");
    }
    let failure = admin.revoke_role(revoke(&ada, "user")).await.expect_err("everybody's");
    failure.is(Code::FailedPrecondition, "ROLE_BUILT_IN");
}

async fn what_is_no_role_and_nobody_is_told_apart(backend: Backend) {
    let keystead = Keystead::start(backend).await;
    let client = keystead.client().await;
    let (admin, root) = Person::new("root").register_as_administrator(&keystead, &client).await;
    let nobody = User { id: "0190163d-8694-739b-aea5-966c26f8ad91".to_owned(), ..User::default() };
    let no_id = User { id: "nobody".to_owned(), ..User::default() };
    admin.grant_role(grant(&nobody, "admin")).await.expect_err("nobody").is(Code::NotFound, "USER_UNKNOWN");
    admin.disable_user(disable(&nobody)).await.expect_err("nobody").is(Code::NotFound, "USER_UNKNOWN");
    admin.enable_user(enable(&nobody)).await.expect_err("nobody").is(Code::NotFound, "USER_UNKNOWN");
    let delete = |user: &User| DeleteUserRequest { user_id: user.id.clone() };
    admin.delete_user(delete(&nobody)).await.expect_err("nobody").is(Code::NotFound, "USER_UNKNOWN");
    for failure in [
        admin.grant_role(grant(&no_id, "Admin")).await.map(drop),
        admin.grant_role(grant(&root, "' OR 1=1 --")).await.map(drop),
        admin.disable_user(disable(&no_id)).await.map(drop),
        admin.delete_user(delete(&no_id)).await.map(drop),
        admin.create_role(CreateRoleRequest { name: "Upper".to_owned(), description: "x".repeat(201) }).await.map(drop),
    ] {
        failure.expect_err("no id, no name").is(Code::InvalidArgument, "INVALID_FIELDS");
    }
}

on_each_backend!(
    a_granted_role_reaches_tokens_already_issued_and_the_next_refresh,
    what_is_so_already_changes_nothing,
    a_disabled_account_is_shut_out_everywhere_until_it_is_enabled,
    administrators_do_not_demote_themselves_and_the_last_one_stays,
    roles_are_created_listed_and_deleted,
    what_is_no_role_and_nobody_is_told_apart,
);
