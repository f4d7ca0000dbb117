//! The roles that there are.

use std::sync::Arc;

use keystead::domain::audit::{AuditKind, AuditOutcome};
use keystead::domain::ports::roles::{MAX_ROLES, RoleCreation, RoleDeletion};
use keystead::domain::rights::{RightsChange, RightsOutcome};
use keystead::domain::role::{Role, RoleDescription, RoleName};

use crate::backend::Backend;

pub fn role_name(text: &str) -> RoleName {
    RoleName::parse(text).expect("a role's name")
}

pub async fn create(backend: &Backend, name: &str) -> RoleCreation {
    let description = RoleDescription::parse("Pays the bills.").expect("a description");
    let role = Role { name: role_name(name), description, created_at: backend.now() };
    backend.roles.create(&role, &backend.context()).await.expect("the store answers")
}

async fn names(backend: &Backend) -> Vec<String> {
    let roles = backend.roles.list().await.expect("the store answers");
    roles.into_iter().map(|role| role.name.to_string()).collect()
}

async fn delete(backend: &Backend, name: &str) -> RoleDeletion {
    backend.roles.delete(&role_name(name), &backend.context()).await.expect("the store answers")
}

pub async fn three_roles_are_there_from_the_start(backend: Arc<Backend>) {
    assert_eq!(names(&backend).await, ["admin", "user", "verifier"]);
}

pub async fn a_role_is_created_once(backend: Arc<Backend>) {
    assert_eq!(create(&backend, "billing").await, RoleCreation::Created);
    assert_eq!(create(&backend, "billing").await, RoleCreation::Taken);
    assert_eq!(create(&backend, "admin").await, RoleCreation::Taken);
    let roles = backend.roles.list().await.expect("the store answers");
    let billing = roles.iter().find(|role| role.name.as_str() == "billing").expect("the role");
    assert_eq!((billing.description.as_str(), billing.created_at), ("Pays the bills.", backend.now()));
    assert_eq!(backend.told(AuditKind::RoleCreated, AuditOutcome::Success).await, 1);
}

pub async fn there_are_a_thousand_roles_at_most(backend: Arc<Backend>) {
    let built_in = backend.roles.list().await.expect("the store answers").len() as u64;
    for number in built_in..MAX_ROLES {
        assert_eq!(create(&backend, &format!("role-{number}")).await, RoleCreation::Created);
    }
    assert_eq!(create(&backend, "one-more").await, RoleCreation::TooMany);
    assert_eq!(names(&backend).await.len() as u64, MAX_ROLES);
    assert_eq!(delete(&backend, "role-500").await, RoleDeletion::Deleted);
    assert_eq!(create(&backend, "one-more").await, RoleCreation::Created);
}

pub async fn a_role_goes_once_nobody_has_it(backend: Arc<Backend>) {
    assert_eq!(delete(&backend, "billing").await, RoleDeletion::Unknown);
    assert_eq!(create(&backend, "billing").await, RoleCreation::Created);
    let ada = backend.user("ada@example.com").await;
    let (grant, revoke) = (RightsChange::Grant(role_name("billing")), RightsChange::Revoke(role_name("billing")));
    assert!(matches!(backend.change(&ada, &grant).await, RightsOutcome::Changed { .. }));
    assert_eq!(delete(&backend, "billing").await, RoleDeletion::InUse);
    assert!(matches!(backend.change(&ada, &revoke).await, RightsOutcome::Changed { .. }));
    assert_eq!(delete(&backend, "billing").await, RoleDeletion::Deleted);
    assert_eq!(names(&backend).await, ["admin", "user", "verifier"]);
    assert_eq!(backend.told(AuditKind::RoleDeleted, AuditOutcome::Success).await, 1);
}

pub async fn a_built_in_role_does_not_go(backend: Arc<Backend>) {
    for name in ["admin", "user", "verifier"] {
        assert_eq!(delete(&backend, name).await, RoleDeletion::Unknown);
    }
    assert_eq!(names(&backend).await.len(), 3);
}

pub async fn no_grant_outlives_the_role_that_it_races(backend: Arc<Backend>) {
    for round in 0..8 {
        let name = format!("role-{round}");
        assert_eq!(create(&backend, &name).await, RoleCreation::Created);
        let ada = backend.user(&format!("ada{round}@example.com")).await;
        let grant = RightsChange::Grant(role_name(&name));
        let (granted, deleted) = tokio::join!(backend.change(&ada, &grant), delete(&backend, &name));
        match deleted {
            RoleDeletion::Deleted => assert_eq!(granted, RightsOutcome::RoleUnknown),
            RoleDeletion::InUse => assert!(matches!(granted, RightsOutcome::Changed { .. })),
            RoleDeletion::Unknown => panic!("the role was there"),
        }
    }
}
