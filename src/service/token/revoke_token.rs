//! Ends what a token belongs to (RFC 7009).

use std::sync::Arc;

use keystead_verifier::{Claims, Expectations, Verdict};

use super::revoker::Revoker;
use super::verify::{VerifyRequest, VerifyToken};
use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::id::{PrincipalId, ServiceAccountId, SessionId, UserId};
use crate::domain::origin::Origin;
use crate::domain::ports::Actor;
use crate::domain::ports::service_accounts::ServiceAccounts;
use crate::domain::session::EndScope;
use crate::service::auth::logout::{Logout, LogoutRequest, LogoutScope};
use crate::service::auth::secret_guard::SecretGuard;
use crate::service::auth::session_ender::SessionEnder;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::error::ServiceResult;
use crate::service::security_event;

/// Ends what a token belongs to: the session of a refresh token or of a user's access token, the one access token of a
/// service account. Whoever holds a token may; one that opens nothing is as good as revoked (section 2.2).
pub struct RevokeToken {
    pub verify_token: Arc<VerifyToken>,
    pub logout: Arc<Logout>,
    pub ender: Arc<SessionEnder>,
    pub accounts: Arc<dyn ServiceAccounts>,
    pub guard: Arc<SecretGuard>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
}

impl RevokeToken {
    pub async fn run(&self, token: String, origin: &Origin) -> ServiceResult<()> {
        let request = VerifyRequest { access_token: token, expectations: Expectations::default() };
        match self.verify_token.run(&request)?.verdict {
            Verdict::Active(claims) if claims.names_a_client() => self.revoke_service_token(&claims, origin).await,
            Verdict::Active(claims) => self.end_session(&claims, origin).await,
            // It may be a refresh token, and a forged one spends what a forged one spends there.
            Verdict::WrongType => {
                let refresh_token = request.access_token;
                self.logout.run(LogoutRequest { refresh_token, scope: LogoutScope::This }, origin).await
            }
            // Signed by this service: nothing was guessed, and nothing is left to end.
            Verdict::Expired | Verdict::Revoked => Ok(()),
            Verdict::NotYetValid
            | Verdict::BadSignature
            | Verdict::UnknownKey
            | Verdict::WrongAudience
            | Verdict::WrongIssuer
            | Verdict::Malformed
            | Verdict::InsufficientRole => self.guard.admit_source(origin).await,
        }
    }

    async fn end_session(&self, claims: &Claims, origin: &Origin) -> ServiceResult<()> {
        let (user, session) = (UserId::from_uuid(claims.sub), SessionId::from_uuid(claims.sid));
        self.ender.end(user, EndScope::This(session), &owner(claims, origin)).await.map(drop)
    }

    async fn revoke_service_token(&self, claims: &Claims, origin: &Origin) -> ServiceResult<()> {
        let (id, session) = (ServiceAccountId::from_uuid(claims.sub), SessionId::from_uuid(claims.sid));
        let context = owner(claims, origin).context(self.clock.now());
        let expire_at = self.issuer.revocation_expires_at(claims);
        let revocation = self.accounts.revoke_token(id, session, expire_at, &context).await?;
        self.revoker.tell(&[revocation]).await;
        security_event::log(&AuditEvent::by_actor(AuditKind::TokenRevoked, Some(id.into()), &context), origin);
        Ok(())
    }
}

/// Whoever holds the token acts as its owner.
fn owner(claims: &Claims, origin: &Origin) -> Initiator {
    let actor = Actor { id: PrincipalId::from_uuid(claims.sub), session: Some(SessionId::from_uuid(claims.sid)) };
    Initiator { actor: Some(actor), origin: *origin }
}
