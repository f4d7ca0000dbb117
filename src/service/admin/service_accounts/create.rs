//! Creates a service account, and its first secret.

use std::sync::Arc;

use super::WithSecret;
use crate::crypto::service_secret;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::id::ServiceAccountId;
use crate::domain::name::Name;
use crate::domain::ports::service_accounts::ServiceAccounts;
use crate::domain::rights::roles_granted;
use crate::domain::role::RoleName;
use crate::domain::service_account::{NewServiceAccount, ServiceAccountCreation};
use crate::service::error::{FieldViolation, ServiceError, ServiceResult};
use crate::service::security_event;

/// Creates a service account, and its first secret.
pub struct CreateServiceAccount {
    pub accounts: Arc<dyn ServiceAccounts>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The audiences that tokens of this service may be meant for.
    pub audiences: Vec<String>,
}

/// The service account that shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateServiceAccountRequest {
    pub display_name: Name,
    pub audiences: Vec<String>,
    pub roles: Vec<RoleName>,
}

impl CreateServiceAccount {
    pub async fn run(&self, request: CreateServiceAccountRequest, by: &Initiator) -> ServiceResult<WithSecret> {
        self.check_audiences(&request.audiences)?;
        let context = by.context(self.clock.now());
        let secret = service_secret::mint(self.entropy.as_ref());
        let new = NewServiceAccount {
            id: ServiceAccountId::generate_at(context.at, self.entropy.as_ref()),
            display_name: request.display_name,
            audiences: request.audiences,
            roles: request.roles,
            secret: secret.hash,
        };
        match self.accounts.create(new, &context).await? {
            ServiceAccountCreation::RoleUnknown => Err(ServiceError::RoleUnknown),
            ServiceAccountCreation::Created(account) => {
                let subject = account.id.into();
                let created = AuditEvent::by_actor(AuditKind::ServiceAccountCreated, Some(subject), &context);
                for event in std::iter::once(created).chain(roles_granted(subject, &account.roles, &context)) {
                    security_event::log(&event, &by.origin);
                }
                Ok(WithSecret { account, secret: secret.text })
            }
        }
    }

    fn check_audiences(&self, wanted: &[String]) -> ServiceResult<()> {
        let unknown = wanted.iter().enumerate().filter(|(_, audience)| !self.audiences.contains(audience));
        let violations: Vec<_> = unknown
            .map(|(index, _)| FieldViolation {
                field: format!("audiences[{index}]"),
                description: "must be one of the configured audiences".to_owned(),
            })
            .collect();
        if violations.is_empty() { Ok(()) } else { Err(ServiceError::InvalidFields(violations)) }
    }
}
