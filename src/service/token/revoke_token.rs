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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ports::Revocations as _;
    use crate::domain::revocation::{Revocation, RevocationCursor};
    use crate::service::auth::refresh::RefreshRequest;
    use crate::service::error::ServiceError;
    use crate::service::testing::security_log::SecurityLog;
    use crate::service::testing::{World, origin};

    async fn revoke(world: &World, token: &str) -> ServiceResult<()> {
        world.reader().run_once().await.unwrap();
        world.revoke_token().run(token.to_owned(), &origin(1)).await
    }

    // promise T8
    #[tokio::test]
    async fn an_access_token_and_a_refresh_token_end_their_session_here_at_once() {
        let world = World::new().await;
        let user = world.user("ada@example.com").await;
        let sessions = [world.sign_in(&user).await, world.sign_in(&user).await, world.sign_in(&user).await];
        let [first, second, third] = &sessions;
        revoke(&world, &first.access_token).await.unwrap();
        revoke(&world, &second.refresh_token).await.unwrap();
        for ended in [first, second] {
            assert_eq!(world.verdict_from_memory(&ended.access_token), Verdict::Revoked);
            let request = RefreshRequest { refresh_token: ended.refresh_token.clone() };
            assert_eq!(world.refresh().run(request, &origin(1)).await.err(), Some(ServiceError::InvalidToken));
        }
        assert!(matches!(world.verdict_from_memory(&third.access_token), Verdict::Active(_)));
    }

    // promises G1, T8
    #[tokio::test]
    async fn a_token_of_a_service_account_ends_alone_and_is_told_with_its_account() {
        let world = World::new().await;
        let (account, _) = world.service_account(&["shop"]).await;
        let issue = || world.issue_service_token().issue(&account, "", &origin(1)).unwrap();
        let (one, other) = (issue(), issue());
        let log = SecurityLog::listen();
        revoke(&world, &one.access_token).await.unwrap();
        assert_eq!(world.verdict_from_memory(&one.access_token), Verdict::Revoked);
        assert!(matches!(world.verdict_from_memory(&other.access_token), Verdict::Active(_)));
        let stored = world.store.read(RevocationCursor::default(), world.clock.now()).await.unwrap().revocations;
        let [Revocation { expires_at, .. }] = stored.as_slice() else { panic!("{stored:?}") };
        assert_eq!(*expires_at, one.expires_at.after(2 * world.settings.tokens.leeway), "while any clock may take it");
        let (told, id) = (log.last(AuditKind::TokenRevoked.as_str()), account.id.to_string());
        assert_eq!((&told["actor"], &told["subject"], &told["session"]), (&id, &id, &one.session.to_string()));
    }

    // promise L1
    #[tokio::test]
    async fn only_a_guess_spends_the_budget_of_its_source() {
        let world = World::new().await;
        let user = world.user("ada@example.com").await;
        let access_token = world.sign_in(&user).await.access_token;
        let burst = world.settings.limits.per_source.burst;
        for _ in 0..=burst {
            revoke(&world, &access_token).await.expect("one that was revoked already was not guessed");
        }
        for _ in 0..burst {
            revoke(&world, "a guess").await.expect("as good as revoked");
        }
        let refused = revoke(&world, "a guess").await;
        assert!(matches!(refused, Err(ServiceError::RateLimited { .. })), "{refused:?}");
    }
}
