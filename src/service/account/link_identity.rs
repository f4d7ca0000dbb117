//! Links an identity at a provider to the caller's account: begins the flow, and ends it in the same session.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::caller::Caller;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::id::IdentityId;
use crate::domain::identity::{LinkedIdentity, Linking, NewLink};
use crate::domain::oauth_flow::LinkingSession;
use crate::domain::origin::Origin;
use crate::domain::ports::AuditLog;
use crate::domain::ports::identities::Identities;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::federation::redeemer::{RedeemRequest, Redeemer};
use crate::service::federation::start::{Beginner, StartOAuth, StartOAuthRequest, Started};
use crate::service::security_event;

/// Links an identity at a provider to the caller's account.
pub struct LinkIdentity {
    pub start: Arc<StartOAuth>,
    pub redeemer: Arc<Redeemer>,
    pub identities: Arc<dyn Identities>,
    pub audit: Arc<dyn AuditLog>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl LinkIdentity {
    pub async fn begin(&self, request: StartOAuthRequest, caller: &Caller, origin: &Origin) -> ServiceResult<Started> {
        self.start.run(request, Beginner::Owner(linking_session(caller)?), origin).await
    }

    pub async fn run(
        &self,
        request: &RedeemRequest,
        caller: &Caller,
        origin: &Origin,
    ) -> ServiceResult<LinkedIdentity> {
        let session = linking_session(caller)?;
        let external = match self.redeemer.redeem(request, Some(session), origin).await {
            Ok(external) => external,
            Err(error) => return self.refuse(error, caller, origin).await,
        };
        let context = caller.context(origin, self.clock.now());
        let link = NewLink {
            user_id: session.user_id,
            session_id: session.session_id,
            identity_id: IdentityId::generate_at(context.at, self.entropy.as_ref()),
            provider: external.provider,
            identity: external.identity,
        };
        let refusal = match self.identities.link(&link, &context).await? {
            Linking::Unchanged(identity) => return Ok(identity),
            Linking::Linked(identity) => {
                let event = AuditEvent::by_actor(AuditKind::IdentityLinked, Some(session.user_id.into()), &context);
                let detail = Some(link.provider.to_string());
                security_event::log(&AuditEvent { detail, ..event }, origin);
                return Ok(identity);
            }
            Linking::Taken => ServiceError::IdentityTaken,
            Linking::TooMany => ServiceError::LimitReached,
            Linking::EmailNotVerified => ServiceError::EmailNotVerified,
            Linking::Refused => ServiceError::BearerRequired,
        };
        self.refuse(refusal, caller, origin).await
    }

    /// Tells the trail of what was refused; what could not be looked up is no verdict.
    async fn refuse<T>(&self, error: ServiceError, caller: &Caller, origin: &Origin) -> ServiceResult<T> {
        let is_verdict = matches!(
            error,
            ServiceError::OAuthStateInvalid | ServiceError::ProviderRefused | ServiceError::IdentityTaken
        );
        if is_verdict {
            let context = caller.context(origin, self.clock.now());
            let linked = AuditEvent::by_actor(AuditKind::IdentityLinked, Some(caller.id), &context);
            let event = AuditEvent { outcome: AuditOutcome::Failure, ..linked };
            security_event::log(&event, origin);
            self.audit.record(event, &context).await?;
        }
        Err(error)
    }
}

fn linking_session(caller: &Caller) -> ServiceResult<LinkingSession> {
    Ok(LinkingSession { user_id: owner(caller)?, session_id: caller.session })
}
