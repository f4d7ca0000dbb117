//! Creates an administrator with a password, for the operator who has no administrator to ask (promise P7).

use std::sync::Arc;

use crate::crypto::password_hasher::PasswordHasher;
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::language::Language;
use crate::domain::name::Name;
use crate::domain::password::{Password, PasswordPolicy};
use crate::domain::ports::user_directory::UserDirectory;
use crate::domain::role::RoleName;
use crate::domain::user::{ROLE_ADMIN, User};
use crate::domain::user_change::{Invitation, InvitationOutcome};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Creates an administrator with a password. Not for callers: nobody sets another's password over the wire.
pub struct CreateAdministrator {
    pub directory: Arc<dyn UserDirectory>,
    pub hasher: Arc<PasswordHasher>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub policy: PasswordPolicy,
}

/// Whose account it will be.
pub struct CreateAdministratorRequest {
    pub email: Email,
    pub display_name: Name,
    pub password: Password,
}

impl CreateAdministrator {
    pub async fn run(&self, request: CreateAdministratorRequest, by: &Initiator) -> ServiceResult<User> {
        let CreateAdministratorRequest { email, display_name, password } = request;
        let fault = self.policy.check(&password, &email);
        fault.map_err(|fault| ServiceError::invalid_field("password", &fault.to_string()))?;
        let password_hash = self.hasher.reserve(by.origin.deadline)?.hash(password).await?;
        let context = by.context(self.clock.now());
        let invitation = Invitation {
            id: UserId::generate_at(context.at, self.entropy.as_ref()),
            email,
            display_name,
            language: Language::default(),
            roles: RoleName::parse(ROLE_ADMIN).into_iter().collect(),
            password_hash: Some(password_hash),
        };
        match self.directory.invite(&invitation, &context).await? {
            InvitationOutcome::Invited(user) => {
                let created = AuditEvent::by_actor(AuditKind::UserCreated, Some(user.id.into()), &context);
                security_event::log(&created, &by.origin);
                Ok(user)
            }
            InvitationOutcome::EmailTaken => Err(ServiceError::EmailTaken),
            InvitationOutcome::RoleUnknown => Err(ServiceError::RoleUnknown),
        }
    }
}
