//! Creates an account without a password; its owner sets one by the link that is mailed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::caller::Initiator;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::language::Language;
use crate::domain::name::Name;
use crate::domain::ports::user_directory::UserDirectory;
use crate::domain::rights::roles_granted;
use crate::domain::role::RoleName;
use crate::domain::user::User;
use crate::domain::user_change::{Invitation, InvitationOutcome};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Creates an account without a password.
pub struct CreateUser {
    pub directory: Arc<dyn UserDirectory>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// Whose account it will be.
pub struct CreateUserRequest {
    pub email: Email,
    pub display_name: Name,
    pub language: Language,
    /// The roles beside `user`, which is always there.
    pub roles: BTreeSet<RoleName>,
}

impl CreateUser {
    pub async fn run(&self, request: CreateUserRequest, by: &Initiator) -> ServiceResult<User> {
        let context = by.context(self.clock.now());
        let invitation = Invitation {
            id: UserId::generate_at(context.at, self.entropy.as_ref()),
            email: request.email,
            display_name: request.display_name,
            language: request.language,
            roles: request.roles.into_iter().collect(),
            password_hash: None,
        };
        let told =
            |subject: Option<UserId>| AuditEvent::by_actor(AuditKind::UserCreated, subject.map(Into::into), &context);
        match self.directory.invite(&invitation, &context).await? {
            InvitationOutcome::Invited(user) => {
                let granted = roles_granted(user.id.into(), &invitation.roles, &context);
                for event in std::iter::once(told(Some(user.id))).chain(granted) {
                    security_event::log(&event, &by.origin);
                }
                Ok(user)
            }
            InvitationOutcome::EmailTaken => {
                let refused = AuditEvent { outcome: AuditOutcome::Failure, ..told(None) };
                security_event::log(&refused, &by.origin);
                Err(ServiceError::EmailTaken)
            }
            InvitationOutcome::RoleUnknown => Err(ServiceError::RoleUnknown),
        }
    }
}
