//! Creates an account and, where the address need not be verified first, signs it in.

use std::sync::Arc;

use super::secret_guard::SecretGuard;
use super::session_opener::{METHOD_PASSWORD, Opening};
use super::settings::RegistrationSettings;
use super::sign_in::{Finished, SignIn, SignedIn};
use crate::crypto::password_hasher::PasswordHasher;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::clock::{Clock, Entropy};
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::name::Name;
use crate::domain::origin::Origin;
use crate::domain::password::{Password, PasswordPolicy};
use crate::domain::ports::{AuditContext, Users};
use crate::domain::user::{Creation, NewUser, User};
use crate::service::auth::token_set::TokenSet;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// Creates an account and, where the address need not be verified first, signs it in.
pub struct Register {
    pub users: Arc<dyn Users>,
    pub hasher: Arc<PasswordHasher>,
    pub guard: Arc<SecretGuard>,
    pub sign_in: Arc<SignIn>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub policy: PasswordPolicy,
    pub settings: RegistrationSettings,
}

/// What a new account is made of.
#[derive(Clone, Debug)]
pub struct RegisterRequest {
    pub email: Email,
    pub password: Password,
    pub display_name: Name,
    pub device_name: Name,
}

/// What a registration gave.
#[derive(Clone, Debug)]
pub enum Registered {
    SignedIn {
        user: User,
        token_set: TokenSet,
    },
    /// A role of every account asks for a second factor: nobody is signed in before the address is verified.
    Created(User),
    /// The address must be verified first: the same answer for a new and for a known one.
    MailSent,
}

impl Register {
    pub async fn run(&self, request: RegisterRequest, origin: &Origin) -> ServiceResult<Registered> {
        if !self.settings.open {
            return Err(ServiceError::RegistrationClosed);
        }
        let RegisterRequest { email, password, display_name, device_name } = request;
        let fault = self.policy.check(&password, &email);
        fault.map_err(|fault| ServiceError::invalid_field("password", &fault.to_string()))?;
        let slot = self.hasher.reserve(origin.deadline)?;
        self.admit(&email, origin).await?;
        // Hashed before the address is looked at: a known one costs the same.
        let password_hash = slot.hash(password).await?;
        let id = UserId::generate(self.clock.as_ref(), self.entropy.as_ref());
        let user = NewUser { id, email: email.clone(), display_name, password_hash };
        let context = AuditContext { at: self.clock.now(), origin: *origin, actor: None };
        match self.users.create(user, self.settings.verify_email, &context).await? {
            Creation::EmailTaken if self.settings.verify_email => Ok(Registered::MailSent),
            Creation::EmailTaken => Err(ServiceError::EmailTaken),
            Creation::Created(user) => {
                let event = security_event::event_of(AuditKind::UserCreated, AuditOutcome::Success, user.id, None);
                security_event::log(&event, origin);
                if self.settings.verify_email {
                    Ok(Registered::MailSent)
                } else {
                    self.sign_in(user, device_name, origin).await
                }
            }
        }
    }

    /// A registration that mails counts as mail: else it would be the way round the limits of mail to an address. One
    /// that signs in needs a ring to sign with, before an account is made that its owner would find taken.
    async fn admit(&self, email: &Email, origin: &Origin) -> ServiceResult<()> {
        self.guard.admit_source(origin).await?;
        if self.settings.verify_email {
            return self.guard.admit_mail(email, origin).await;
        }
        self.sign_in.opener.keys.signing_ring().map(drop)
    }

    async fn sign_in(&self, user: User, device_name: Name, origin: &Origin) -> ServiceResult<Registered> {
        let opening = Opening {
            user: user.clone(),
            methods: vec![METHOD_PASSWORD.to_owned()],
            audience: self.sign_in.opener.issuer.audience("")?,
            device_name,
            attempt: self.guard.attempt_keys(&user.email, origin),
            rehash: None,
        };
        match self.sign_in.finish(opening, origin).await? {
            Finished::Done(SignedIn::Tokens(token_set)) => Ok(Registered::SignedIn { user, token_set }),
            Finished::EmailNotVerified => Ok(Registered::Created(user)),
            // Disabled or changed between the two transactions: the account stands, a login decides.
            Finished::Done(SignedIn::Challenge(_)) | Finished::UserChanged => Err(ServiceError::ConcurrentChange),
        }
    }
}

#[cfg(test)]
mod tests;
