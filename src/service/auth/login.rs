//! Exchanges address and password for the tokens of a session, or for a challenge where there must be more.

use std::sync::Arc;

use super::secret_guard::SecretGuard;
use super::session_opener::{METHOD_PASSWORD, Opening};
use super::sign_in::{Finished, SignIn, SignedIn};
use crate::crypto::password_hasher::{PasswordHasher, PasswordVerdict};
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::email::Email;
use crate::domain::name::Name;
use crate::domain::origin::Origin;
use crate::domain::password::Password;
use crate::domain::ports::{AuditContext, AuditLog, Users};
use crate::domain::session::Rehash;
use crate::domain::throttle::AttemptKeys;
use crate::domain::user::{Account, PasswordHash, User, UserState};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// How often a sign-in starts over with an account that changed under it.
const MAX_TRIES: u32 = 3;

/// Exchanges address and password for the tokens of a session, or for a challenge where there must be more.
pub struct Login {
    pub users: Arc<dyn Users>,
    pub audit: Arc<dyn AuditLog>,
    pub hasher: Arc<PasswordHasher>,
    pub guard: Arc<SecretGuard>,
    pub sign_in: Arc<SignIn>,
    pub clock: Arc<dyn Clock>,
    /// Whether only a verified address signs in.
    pub verified_only: bool,
}

/// Address and password, and what the session is for.
#[derive(Clone, Debug)]
pub struct LoginRequest {
    pub email: Email,
    pub password: Password,
    /// Empty means the default list.
    pub audience: String,
    pub device_name: Name,
}

impl Login {
    pub async fn run(&self, request: LoginRequest, origin: &Origin) -> ServiceResult<SignedIn> {
        let LoginRequest { email, password, audience, device_name } = request;
        let audience = self.sign_in.opener.issuer.audience(&audience)?;
        // First of all, so that an overloaded service refuses without any I/O.
        let slot = self.hasher.reserve(origin.deadline)?;
        let attempt = self.guard.admit_password(&email, origin).await?;
        let account = self.users.find_by_email(&email).await?;
        let stored = account.as_ref().and_then(Account::judged_hash);
        let verdict = slot.verify(password, stored.clone()).await?;
        let Some((user, rehash)) = admitted(account.as_ref(), verdict) else {
            return self.refuse(account.as_ref(), origin).await;
        };
        if self.verified_only && !user.email_verified {
            return self.ask_to_verify(&email, &attempt, origin).await;
        }
        let methods = vec![METHOD_PASSWORD.to_owned()];
        let mut opening = Opening { user, methods, audience, device_name, attempt, rehash };
        for _ in 0..MAX_TRIES {
            match self.sign_in.finish(opening.clone(), origin).await? {
                Finished::Done(signed_in) => return Ok(signed_in),
                Finished::EmailNotVerified => return self.ask_to_verify(&email, &opening.attempt, origin).await,
                Finished::UserChanged => opening.user = self.reread(&email, stored.as_ref(), origin).await?,
            }
        }
        Err(ServiceError::ConcurrentChange)
    }

    /// The password was right: it costs nothing that the address is not verified.
    async fn ask_to_verify<T>(&self, email: &Email, attempt: &AttemptKeys, origin: &Origin) -> ServiceResult<T> {
        self.guard.forgive_all(email, origin, attempt).await?;
        Err(ServiceError::EmailNotVerified)
    }

    /// The account as it is by now, if the password that was right still is.
    async fn reread(&self, email: &Email, checked: Option<&PasswordHash>, origin: &Origin) -> ServiceResult<User> {
        match self.users.find_by_email(email).await? {
            Some(account) if account.user.state == UserState::Active => {
                // Changed, or only hashed anew by another sign-in: the caller's next try will tell.
                let unchanged = account.password_hash.as_ref() == checked;
                if unchanged { Ok(account.user) } else { Err(ServiceError::ConcurrentChange) }
            }
            account => self.refuse(account.as_ref(), origin).await,
        }
    }

    /// One answer, one event and one cost for an unknown address, a wrong password and a disabled account.
    async fn refuse<T>(&self, account: Option<&Account>, origin: &Origin) -> ServiceResult<T> {
        let mut event = security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure);
        event.subject = account.map(|account| account.user.id.into());
        security_event::log(&event, origin);
        self.audit.record(event, &AuditContext { at: self.clock.now(), origin: *origin, actor: None }).await?;
        Err(ServiceError::InvalidCredentials)
    }
}

/// The user who may sign in, with the hash to renew: only a right password of an active account.
fn admitted(account: Option<&Account>, verdict: PasswordVerdict) -> Option<(User, Option<Rehash>)> {
    let (account, PasswordVerdict::Right { rehash }) = (account?, verdict) else {
        return None;
    };
    if account.user.state != UserState::Active {
        return None;
    }
    let rehash = rehash.zip(account.password_hash.clone()).map(|(to, from)| Rehash { from, to });
    Some((account.user.clone(), rehash))
}

#[cfg(test)]
mod tests;
