//! Ends a sign-in at a provider in the tokens of a session, or in a challenge where there must be more.

use std::sync::Arc;

use super::arrivals::{Arrivals, Arrived, Unwelcome};
use super::redeemer::{RedeemRequest, Redeemer};
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Clock;
use crate::domain::id::UserId;
use crate::domain::name::Name;
use crate::domain::origin::Origin;
use crate::domain::ports::{AuditContext, AuditLog};
use crate::service::auth::session_opener::{METHOD_FEDERATED, Opening};
use crate::service::auth::sign_in::{Finished, SignIn, SignedIn};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::security_event;

/// How often a sign-in starts over with an account that changed under it.
const MAX_TRIES: u32 = 3;

/// Ends a sign-in at a provider in the tokens of a session, or in a challenge where there must be more.
pub struct CompleteOAuth {
    pub redeemer: Arc<Redeemer>,
    pub arrivals: Arrivals,
    pub sign_in: Arc<SignIn>,
    pub audit: Arc<dyn AuditLog>,
    pub clock: Arc<dyn Clock>,
    /// Whether only a verified address signs in.
    pub verified_only: bool,
}

/// What the flow is ended with, and what the session is for.
pub struct CompleteOAuthRequest {
    pub redeem: RedeemRequest,
    /// Empty means the default list.
    pub audience: String,
    pub device_name: Name,
}

/// What the sign-in gave.
#[derive(Debug)]
pub struct Completed {
    pub signed_in: SignedIn,
    /// Whether the account was made by it.
    pub is_new_user: bool,
}

impl CompleteOAuth {
    pub async fn run(&self, request: CompleteOAuthRequest, origin: &Origin) -> ServiceResult<Completed> {
        let CompleteOAuthRequest { redeem, audience, device_name } = request;
        // Before anything is used up: what another try can mend must leave it possible.
        let audience = self.sign_in.opener.issuer.audience(&audience)?;
        self.sign_in.opener.keys.signing_ring().map(drop)?;
        let external = match self.redeemer.redeem(&redeem, None, origin).await {
            Ok(external) => external,
            Err(error) => return self.refuse(None, error, origin).await,
        };
        let mut is_new_user = false;
        for _ in 0..MAX_TRIES {
            let Arrived { user, is_new } = match self.arrivals.welcome(&external, origin).await {
                Ok(arrived) => arrived,
                Err(Unwelcome { subject, error }) => return self.refuse(subject, error, origin).await,
            };
            is_new_user |= is_new;
            if self.verified_only && !user.email_verified {
                return Err(ServiceError::EmailNotVerified);
            }
            let opening = Opening {
                attempt: self.arrivals.guard.attempt_keys(&user.email, origin),
                user,
                methods: vec![METHOD_FEDERATED.to_owned()],
                audience: audience.clone(),
                device_name: device_name.clone(),
                rehash: None,
            };
            // The one place where a sign-in at a provider becomes a session.
            match self.sign_in.finish(opening, origin).await? {
                Finished::Done(signed_in) => return Ok(Completed { signed_in, is_new_user }),
                Finished::EmailNotVerified => return Err(ServiceError::EmailNotVerified),
                Finished::UserChanged => {}
            }
        }
        Err(ServiceError::ConcurrentChange)
    }

    /// Tells the trail of a sign-in that was refused; what was throttled, or could not be looked up, is no verdict.
    async fn refuse(&self, subject: Option<UserId>, error: ServiceError, origin: &Origin) -> ServiceResult<Completed> {
        let is_verdict = matches!(
            error,
            ServiceError::OAuthStateInvalid
                | ServiceError::ProviderRefused
                | ServiceError::InvalidCredentials
                | ServiceError::AccountExists
                | ServiceError::ProviderEmailNotVerified
        );
        if is_verdict {
            let event = AuditEvent {
                subject: subject.map(Into::into),
                detail: Some("CompleteOAuth".to_owned()),
                ..security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure)
            };
            security_event::log(&event, origin);
            self.audit.record(event, &AuditContext { at: self.clock.now(), origin: *origin, actor: None }).await?;
        }
        Err(error)
    }
}
