//! Decides whether the holder of a bearer may call a method, and who they are.

pub mod admission;

use std::sync::Arc;
use std::time::Duration;

use keystead_verifier::{Claims, Expectations};

use super::error::{ServiceError, ServiceResult};
use super::second_factor::rule::FactorRule;
use super::security_event;
use super::token::settings::OWN_AUDIENCE;
use super::token::verify::{VerifyRequest, VerifyToken};
use super::told::Told;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::caller::{Caller, CallerKind, Initiator};
use crate::domain::clock::{Clock, Timestamp};
use crate::domain::id::{PrincipalId, SessionId};
use crate::domain::origin::Origin;
use crate::domain::ports::principals::Principals;
use crate::domain::ports::{Actor, AuditLog};
use crate::domain::role::RoleName;
use crate::domain::service_account::ServiceAccount;
use crate::domain::user::{Epoch, UserState};

/// How long ago a caller may have proved who they are where a fresh sign-in is asked for.
const RECENT: Duration = Duration::from_mins(5);

/// What a method asks of its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// A user, who acts on their own account.
    OwnBearer {
        /// Whether they must have signed in within the last five minutes.
        recent_login: bool,
    },
    /// A user or a service account with the role.
    Role(RoleName),
}

/// Decides whether the holder of a bearer may call a method.
pub struct CheckAccess {
    verify_token: Arc<VerifyToken>,
    principals: Arc<dyn Principals>,
    audit: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    rule: FactorRule,
    told: Told,
}

impl CheckAccess {
    pub fn new(
        verify_token: Arc<VerifyToken>,
        principals: Arc<dyn Principals>,
        audit: Arc<dyn AuditLog>,
        clock: Arc<dyn Clock>,
        rule: FactorRule,
    ) -> Self {
        Self { verify_token, principals, audit, clock, rule, told: Told::default() }
    }

    /// The caller, if they may call the method; `method` is its name for the audit trail.
    pub async fn run(&self, bearer: &str, need: &Need, method: &str, origin: &Origin) -> ServiceResult<Caller> {
        let claims = self.verify(bearer)?;
        let caller = caller(&claims);
        match need {
            Need::OwnBearer { recent_login } => {
                if caller.user().is_none() {
                    return self.deny(&caller.initiates(origin), method).await;
                }
                if *recent_login && self.clock.now().since(caller.authenticated_at) > RECENT {
                    return Err(ServiceError::ReauthenticationRequired);
                }
                Ok(caller)
            }
            Need::Role(role) => {
                let caller = self.reread(caller, Epoch(claims.epoch)).await?;
                let has_role = caller.roles.iter().any(|held| held == role.as_str());
                if !has_role {
                    return self.deny(&caller.initiates(origin), method).await;
                }
                // Machines have no second factor.
                let is_let_in = caller.user().is_none() || self.rule.lets_in(&caller.roles, &caller.methods);
                if is_let_in { Ok(caller) } else { Err(ServiceError::MfaRequired) }
            }
        }
    }

    /// The same of a service account that has shown its secret instead of a bearer, as it was read with it.
    pub async fn run_for(
        &self,
        account: &ServiceAccount,
        role: &RoleName,
        method: &str,
        origin: &Origin,
    ) -> ServiceResult<()> {
        if account.roles.contains(role) {
            return Ok(());
        }
        let actor = Some(Actor { id: account.id.into(), session: None });
        self.deny(&Initiator { actor, origin: *origin }, method).await
    }

    /// By the same code as VerifyToken; which fault the token has is nobody's business here.
    fn verify(&self, bearer: &str) -> ServiceResult<Arc<Claims>> {
        let expectations = Expectations { audience: Some(OWN_AUDIENCE.to_owned()), roles: Vec::new() };
        let request = VerifyRequest { access_token: bearer.to_owned(), expectations };
        self.verify_token.run(&request)?.verdict.into_result().map_err(|_| ServiceError::BearerRequired)
    }

    /// The caller with the roles that the database holds now, if they may still act.
    async fn reread(&self, caller: Caller, epoch: Epoch) -> ServiceResult<Caller> {
        let standing = self.principals.standing(caller.id).await?;
        let standing = standing.filter(|standing| {
            standing.kind == caller.kind && standing.state == UserState::Active && standing.epoch == epoch
        });
        let standing = standing.ok_or(ServiceError::BearerRequired)?;
        Ok(Caller { roles: standing.roles, ..caller })
    }

    /// Refuses, and tells the trail once a caller, method and minute. The refusal stands also where the trail cannot be
    /// written to.
    async fn deny<T>(&self, by: &Initiator, method: &str) -> ServiceResult<T> {
        let id = by.actor.map(|actor| actor.id.to_string()).unwrap_or_default();
        if self.told.is_due(&format!("{id} {method}"), self.clock.monotonic()) {
            let context = by.context(self.clock.now());
            let denied = AuditEvent {
                outcome: AuditOutcome::Failure,
                detail: Some(method.to_owned()),
                ..AuditEvent::by_actor(AuditKind::PermissionDenied, None, &context)
            };
            security_event::log(&denied, &by.origin);
            if let Err(error) = self.audit.record(denied, &context).await {
                tracing::warn!(%error, "a refused caller could not be recorded");
            }
        }
        Err(ServiceError::RoleRequired)
    }
}

fn caller(claims: &Claims) -> Caller {
    Caller {
        id: PrincipalId::from_uuid(claims.sub),
        kind: if claims.names_a_client() { CallerKind::ServiceAccount } else { CallerKind::User },
        session: SessionId::from_uuid(claims.sid),
        authenticated_at: Timestamp::from_seconds(claims.auth_time),
        methods: claims.amr.clone(),
        roles: claims.roles.clone(),
        expires_at: Timestamp::from_seconds(claims.exp),
    }
}

#[cfg(test)]
mod tests;
