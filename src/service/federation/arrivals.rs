//! Brings whoever has signed in at a provider to their account, or to one that is made for them.

use std::sync::Arc;

use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::{Clock, Entropy};
use crate::domain::id::{IdentityId, UserId};
use crate::domain::identity::{Adoption, Arrival, ExternalIdentity, ProviderName};
use crate::domain::origin::Origin;
use crate::domain::ports::AuditContext;
use crate::domain::ports::identities::Identities;
use crate::domain::rights::sessions_ended;
use crate::domain::user::{User, UserState};
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::error::ServiceError;
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// Brings arrivals to accounts.
pub struct Arrivals {
    pub identities: Arc<dyn Identities>,
    pub guard: Arc<SecretGuard>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Whether accounts may be made.
    pub may_register: bool,
    /// Whether nobody learns by an address of theirs who has an account.
    pub hides_accounts: bool,
}

/// Somebody who may sign in.
#[derive(Clone)]
pub struct Arrived {
    pub user: User,
    pub is_new: bool,
}

/// Whom nobody is signed in as, and why.
pub struct Unwelcome {
    pub subject: Option<UserId>,
    pub error: ServiceError,
}

impl From<ServiceError> for Unwelcome {
    fn from(error: ServiceError) -> Self {
        Self { subject: None, error }
    }
}

impl Arrivals {
    pub async fn welcome(&self, external: &ExternalIdentity, origin: &Origin) -> Result<Arrived, Unwelcome> {
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        let arrival = self.arrival(external, &context);
        let provider = &external.provider;
        let unwelcome = |error| Err(Unwelcome { subject: None, error });
        match self.identities.adopt(&arrival, &context).await.map_err(ServiceError::from)? {
            Adoption::Known(user) => active(user, false),
            Adoption::Linked(user) => {
                log(AuditKind::IdentityLinked, &user, provider, origin);
                active(user, false)
            }
            Adoption::Reclaimed { user, revocations, ended } => {
                self.revoker.tell(&revocations).await;
                log(AuditKind::AccountReclaimed, &user, provider, origin);
                log(AuditKind::IdentityLinked, &user, provider, origin);
                security_event::log_all(&sessions_ended(user.id, &ended, &context), origin);
                active(user, false)
            }
            Adoption::Created(user) => {
                log(AuditKind::UserCreated, &user, provider, origin);
                log(AuditKind::IdentityLinked, &user, provider, origin);
                active(user, true)
            }
            // As a password of a closed account: what is wrong is not said.
            Adoption::Disabled(id) => Err(Unwelcome { subject: Some(id), error: ServiceError::InvalidCredentials }),
            // Anybody can have a provider tell any address that it does not vouch for.
            Adoption::AccountExists if self.hides_accounts && !external.is_vouched_for() => {
                unwelcome(ServiceError::ProviderEmailNotVerified)
            }
            Adoption::AccountExists => unwelcome(ServiceError::AccountExists),
            Adoption::EmailNotVerified => unwelcome(ServiceError::ProviderEmailNotVerified),
            Adoption::RegistrationClosed => unwelcome(ServiceError::RegistrationClosed),
        }
    }

    fn arrival(&self, external: &ExternalIdentity, context: &AuditContext) -> Arrival {
        let entropy = self.entropy.as_ref();
        let account_key = external.email.as_ref().map(|told| self.guard.attempt_keys(&told.email, &context.origin));
        Arrival {
            external: external.clone(),
            identity_id: IdentityId::generate_at(context.at, entropy),
            user_id: UserId::generate_at(context.at, entropy),
            account_key: account_key.map(|keys| keys.account).unwrap_or_default(),
            may_register: self.may_register,
            revocations_expire_at: self.issuer.revocations_expire_at(context.at),
        }
    }
}

fn active(user: User, is_new: bool) -> Result<Arrived, Unwelcome> {
    if user.state == UserState::Active {
        return Ok(Arrived { user, is_new });
    }
    Err(Unwelcome { subject: Some(user.id), error: ServiceError::InvalidCredentials })
}

fn log(kind: AuditKind, user: &User, provider: &ProviderName, origin: &Origin) {
    let event = security_event::event_of(kind, AuditOutcome::Success, user.id, None);
    security_event::log(&AuditEvent { detail: Some(provider.to_string()), ..event }, origin);
}
