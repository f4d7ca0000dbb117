//! Checks the secret of a service account, for every call that takes one.

use std::sync::Arc;

use crate::crypto::service_secret;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::id::ServiceAccountId;
use crate::domain::origin::Origin;
use crate::domain::ports::service_accounts::ServiceAccounts;
use crate::domain::ports::{AuditContext, AuditLog};
use crate::domain::service_account::ServiceAccount;
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Checks the secret of a service account.
pub struct ServiceAuthenticator {
    pub accounts: Arc<dyn ServiceAccounts>,
    pub audit: Arc<dyn AuditLog>,
    pub guard: Arc<SecretGuard>,
    pub clock: Arc<dyn Clock>,
}

impl ServiceAuthenticator {
    /// The account as the database has it now. A wrong secret spends the budget of its source and is recorded, with the
    /// name of the call; a right one spends nothing, so that a source that strangers share is not shut out. `None` is an
    /// id that no account can have.
    pub async fn run(
        &self,
        id: Option<ServiceAccountId>,
        secret: &str,
        call: &'static str,
        origin: &Origin,
    ) -> ServiceResult<ServiceAccount> {
        if let (Some(id), Some(hash)) = (id, service_secret::parse(secret))
            && let Some(account) = self.accounts.find_by_secret(id, &hash, self.clock.now()).await?
        {
            return Ok(account);
        }
        self.guard.admit_source(origin).await?;
        self.refuse(call, origin).await
    }

    /// Whose account it was meant to be is not said: the secret proves nothing.
    async fn refuse<T>(&self, call: &'static str, origin: &Origin) -> ServiceResult<T> {
        let failed = AuditEvent {
            detail: Some(call.to_owned()),
            ..security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure)
        };
        security_event::log(&failed, origin);
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        self.audit.record(failed, &context).await?;
        Err(ServiceError::InvalidCredentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::service_secret::mint;
    use crate::service::testing::{World, origin};

    const CALL: &str = "Introspect";

    async fn run(world: &World, id: Option<ServiceAccountId>, secret: &str) -> ServiceResult<ServiceAccount> {
        world.service_authenticator().run(id, secret, CALL, &origin(1)).await
    }

    // promise G1
    #[tokio::test]
    async fn a_wrong_secret_is_told_with_the_call_and_without_the_account() {
        let world = World::new().await;
        let (account, right) = world.service_account(&[]).await;
        let wrong = mint(world.entropy.as_ref()).text;
        for (id, secret) in [(None, right.as_str()), (Some(account.id), "kss_"), (Some(account.id), wrong.as_str())] {
            let before = world.store.audit_events().len();
            assert_eq!(run(&world, id, secret).await.err(), Some(ServiceError::InvalidCredentials));
            let events = world.store.audit_events();
            let [(event, context)] = &events[before..] else { panic!("{events:?}") };
            assert_eq!((event.kind, event.outcome), (AuditKind::LoginFailed, AuditOutcome::Failure));
            assert_eq!((event.detail.as_deref(), event.subject, event.actor), (Some(CALL), None, None));
            assert_eq!((context.at, context.origin, context.actor), (world.clock.now(), origin(1), None));
        }
    }

    // promise L1
    #[tokio::test]
    async fn wrong_secrets_spend_the_budget_of_their_source_and_the_right_one_passes_beyond_it() {
        let world = World::new().await;
        let (account, right) = world.service_account(&[]).await;
        for _ in 0..world.settings.limits.per_source.burst {
            assert_eq!(run(&world, Some(account.id), "kss_").await.err(), Some(ServiceError::InvalidCredentials));
        }
        let refused = run(&world, Some(account.id), "kss_").await;
        assert!(matches!(refused, Err(ServiceError::RateLimited { .. })), "{refused:?}");
        let before = world.store.audit_events().len();
        assert_eq!(run(&world, Some(account.id), &right).await.unwrap().id, account.id);
        assert_eq!(world.store.audit_events().len(), before);
    }
}
