//! The one budget that every call which checks a secret spends from, so that no second path is cheaper to guess on.

use std::sync::Arc;
use std::time::Duration;

use super::refusals::Refusals;
use super::secret_keys;
use super::settings::LimitSettings;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::origin::Origin;
use crate::domain::ports::{Attempts, AuditContext, AuditLog, Throttle};
use crate::domain::throttle::{AttemptKeys, Bucket, ThrottleVerdict};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;
use crate::service::security_event;
use crate::service::told::Told;

/// What an account at the cap of failures is told to wait. The cap does not lift by time: a reset lifts it, or a
/// sign-in from a known source.
const CAPPED_RETRY_AFTER: Duration = Duration::from_hours(1);

/// Counts attempts before their secrets are checked.
pub struct SecretGuard {
    throttle: Arc<dyn Throttle>,
    attempts: Arc<dyn Attempts>,
    audit: Arc<dyn AuditLog>,
    keys: Arc<LiveKeys>,
    clock: Arc<dyn Clock>,
    limits: LimitSettings,
    told: Told,
    refusals: Refusals,
}

impl SecretGuard {
    pub fn new(
        throttle: Arc<dyn Throttle>,
        attempts: Arc<dyn Attempts>,
        audit: Arc<dyn AuditLog>,
        keys: Arc<LiveKeys>,
        clock: Arc<dyn Clock>,
        limits: LimitSettings,
    ) -> Self {
        Self { throttle, attempts, audit, keys, clock, limits, told: Told::default(), refusals: Refusals::default() }
    }

    /// How many attempts were refused, by the limit that refused them.
    pub fn refusals(&self) -> Vec<(&'static str, u64)> {
        self.refusals.read()
    }

    /// Counts an attempt on an account's password, whether or not there is such an account.
    ///
    /// A source that the account was signed in to from before spends its own budget alone: neither what strangers do
    /// to the account nor the cap of failures locks it out.
    pub async fn admit_password(&self, email: &Email, origin: &Origin) -> ServiceResult<AttemptKeys> {
        let ring = self.keys.ring();
        let own = [
            secret_keys::source(ring.lookup(), origin, self.limits.per_source),
            secret_keys::account_and_source(ring.lookup(), email, origin, self.limits.per_account_and_source),
        ];
        self.spend(&own, origin).await?;
        let keys = secret_keys::attempt(ring.lookup(), email, origin);
        let attempt = self.attempts.count(&keys, &self.context(origin)).await?;
        if attempt.known_source {
            return Ok(keys);
        }
        if attempt.in_a_row > self.limits.max_failures {
            return Err(self.refuse_capped(email, origin).await);
        }
        let shared = secret_keys::account(ring.lookup(), email, self.limits.per_account);
        self.spend(&[shared], origin).await?;
        Ok(keys)
    }

    /// The refusal of an account at the cap of failures, told.
    pub async fn refuse_capped(&self, email: &Email, origin: &Origin) -> ServiceError {
        self.refusals.count(secret_keys::CAPPED);
        self.tell_capped(&self.attempt_keys(email, origin), origin).await;
        ServiceError::RateLimited { retry_after: CAPPED_RETRY_AFTER }
    }

    /// Counts an attempt that is no password of a known address: a registration, a mailed token, a forged one.
    pub async fn admit_source(&self, origin: &Origin) -> ServiceResult<()> {
        let ring = self.keys.ring();
        self.spend(&[secret_keys::source(ring.lookup(), origin, self.limits.per_source)], origin).await
    }

    /// Counts a request for mail. There is no budget of the address alone: strangers could spend it, and a reset must
    /// always be within the owner's reach.
    pub async fn admit_mail(&self, email: &Email, origin: &Origin) -> ServiceResult<()> {
        let ring = self.keys.ring();
        let per_address = self.limits.mail_per_address_and_source;
        let buckets = [
            secret_keys::mail_source(ring.lookup(), origin, self.limits.mail_per_source),
            secret_keys::mail_address_and_source(ring.lookup(), email, origin, per_address),
        ];
        self.spend(&buckets, origin).await
    }

    /// Counts a request for mail by a caller who is known: on the budgets of [`Self::admit_mail`], and on one of their
    /// own, so that changing networks buys nobody more.
    pub async fn admit_mail_of(&self, caller: UserId, email: &Email, origin: &Origin) -> ServiceResult<()> {
        let own = secret_keys::mail_caller(self.keys.ring().lookup(), caller, self.limits.mail_per_address_and_source);
        self.spend(&[own], origin).await?;
        self.admit_mail(email, origin).await
    }

    /// The keys of an account's record of failures, without counting anything.
    pub fn attempt_keys(&self, email: &Email, origin: &Origin) -> AttemptKeys {
        secret_keys::attempt(self.keys.ring().lookup(), email, origin)
    }

    /// Forgets the rates of an account after a right secret; those of the source stay.
    pub async fn forgive(&self, email: &Email, origin: &Origin) {
        let ring = self.keys.ring();
        let account = secret_keys::account(ring.lookup(), email, self.limits.per_account);
        let own = secret_keys::account_and_source(ring.lookup(), email, origin, self.limits.per_account_and_source);
        self.throttle.clear(&[account.key, own.key]).await;
    }

    /// Forgets rates and failures of an account after a secret that was right but opened no session.
    pub async fn forgive_all(&self, email: &Email, origin: &Origin, keys: &AttemptKeys) -> ServiceResult<()> {
        self.attempts.clear(keys).await?;
        self.forgive(email, origin).await;
        Ok(())
    }

    async fn spend(&self, buckets: &[Bucket], origin: &Origin) -> ServiceResult<()> {
        match self.throttle.check(buckets).await {
            ThrottleVerdict::Allowed => Ok(()),
            ThrottleVerdict::Limited { key, retry_after } => {
                self.refusals.count(secret_keys::kind(&key));
                self.tell_limited(&key, origin).await;
                Err(ServiceError::RateLimited { retry_after })
            }
        }
    }

    async fn tell_limited(&self, key: &str, origin: &Origin) {
        let mut event = security_event::event(AuditKind::RateLimited, AuditOutcome::Failure);
        event.detail = Some(secret_keys::kind(key).to_owned());
        self.tell(key, event, origin).await;
    }

    async fn tell_capped(&self, keys: &AttemptKeys, origin: &Origin) {
        let event = security_event::event(AuditKind::LoginLocked, AuditOutcome::Failure);
        self.tell(&secret_keys::capped(keys), event, origin).await;
    }

    /// Tells the audit trail once a key and minute. The refusal stands also where the trail cannot be written to.
    async fn tell(&self, key: &str, event: AuditEvent, origin: &Origin) {
        if !self.told.is_due(key, self.clock.monotonic()) {
            return;
        }
        security_event::log(&event, origin);
        if let Err(error) = self.audit.record(event, &self.context(origin)).await {
            tracing::warn!(%error, "a refused attempt could not be recorded");
        }
    }

    fn context(&self, origin: &Origin) -> AuditContext {
        AuditContext { at: self.clock.now(), origin: *origin, actor: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::testing::{World, origin};

    // promise L1
    #[tokio::test]
    async fn what_is_refused_is_counted_by_the_limit_that_refused_it() {
        let world = World::new().await;
        let counted = || world.guard.refusals().into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>();
        for _ in 0..world.settings.limits.per_source.burst {
            world.guard.admit_source(&origin(1)).await.unwrap();
        }
        assert_eq!(counted(), []);
        for _ in 0..2 {
            let refused = world.guard.admit_source(&origin(1)).await;
            assert!(matches!(refused, Err(ServiceError::RateLimited { .. })), "{refused:?}");
        }
        assert_eq!(counted(), [(secret_keys::SOURCE, 2)]);
    }
}
