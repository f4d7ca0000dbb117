//! Exchanges the id and the secret of a service account for an access token (after RFC 6749, section 4.4).

use std::sync::Arc;

use super::service_authenticator::ServiceAuthenticator;
use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::id::ServiceAccountId;
use crate::domain::origin::Origin;
use crate::domain::service_account::ServiceAccount;
use crate::service::auth::token_issuer::TokenIssuer;
use crate::service::auth::token_set::ServiceToken;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;
use crate::service::security_event;

/// What the trail calls an attempt with a wrong secret, whichever protocol it came by.
pub const CALL: &str = "IssueServiceToken";

/// Exchanges the id and the secret of a service account for an access token.
pub struct IssueServiceToken {
    pub authenticator: Arc<ServiceAuthenticator>,
    pub keys: Arc<LiveKeys>,
    pub issuer: Arc<TokenIssuer>,
}

/// Who wants a token, and for what.
pub struct IssueServiceTokenRequest {
    pub account: ServiceAccountId,
    pub secret: String,
    /// Empty means all that the account may have.
    pub audience: String,
}

impl IssueServiceToken {
    pub async fn run(&self, request: IssueServiceTokenRequest, origin: &Origin) -> ServiceResult<ServiceToken> {
        let account = self.authenticator.run(Some(request.account), &request.secret, CALL, origin).await?;
        self.issue(&account, &request.audience, origin)
    }

    /// A token of an account that has shown its secret. It is told to the log alone, since it comes as often as a
    /// refresh.
    pub fn issue(&self, account: &ServiceAccount, audience: &str, origin: &Origin) -> ServiceResult<ServiceToken> {
        let audience = audiences(account, audience)?;
        let token = self.issuer.issue_for_service(&*self.keys.signing_ring()?, account, audience)?;
        let id = Some(account.id.into());
        let issued = AuditEvent {
            actor: id,
            subject: id,
            session: Some(token.session),
            ..security_event::event(AuditKind::TokenIssued, AuditOutcome::Success)
        };
        security_event::log(&issued, origin);
        Ok(token)
    }
}

fn audiences(account: &ServiceAccount, wanted: &str) -> ServiceResult<Vec<String>> {
    if wanted.is_empty() {
        return Ok(account.audiences.clone());
    }
    if account.audiences.iter().any(|allowed| allowed == wanted) {
        return Ok(vec![wanted.to_owned()]);
    }
    Err(ServiceError::invalid_field("audience", "must be one of the service account's audiences"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use keystead_verifier::Verdict;

    use super::*;
    use crate::service::testing::security_log::SecurityLog;
    use crate::service::testing::{World, origin};

    async fn ask(world: &World, account: &ServiceAccount, secret: &str, audience: &str) -> ServiceResult<ServiceToken> {
        let (account, secret, audience) = (account.id, secret.to_owned(), audience.to_owned());
        world.issue_service_token().run(IssueServiceTokenRequest { account, secret, audience }, &origin(1)).await
    }

    #[tokio::test]
    async fn a_token_is_for_all_that_the_account_may_have_or_for_the_one_that_was_asked_for() {
        let world = World::new().await;
        let (account, secret) = world.service_account(&["shop", "mill"]).await;
        let mut ids = BTreeSet::new();
        for (wanted, audiences) in [("", "shop mill"), ("mill", "mill")] {
            let token = ask(&world, &account, &secret, wanted).await.unwrap();
            let Verdict::Active(claims) = world.verdict(&token.access_token).await else { panic!("not active") };
            assert_eq!((claims.sub, claims.aud.join(" ").as_str()), (account.id.as_uuid(), audiences));
            assert!(ids.insert(claims.jti), "each token has an id of its own");
        }
        let refused = ask(&world, &account, &secret, "bank").await.err();
        assert!(matches!(refused, Some(ServiceError::InvalidFields(_))), "{refused:?}");
        let refused = ask(&world, &account, "kss_", "shop").await.err();
        assert_eq!(refused, Some(ServiceError::InvalidCredentials));
    }

    // promise G1
    #[tokio::test]
    async fn the_log_tells_whose_token_it_is_and_which() {
        let world = World::new().await;
        let (account, secret) = world.service_account(&["shop"]).await;
        let log = SecurityLog::listen();
        let token = ask(&world, &account, &secret, "").await.unwrap();
        let (told, id) = (log.last(AuditKind::TokenIssued.as_str()), account.id.to_string());
        assert_eq!((&told["actor"], &told["subject"], &told["session"]), (&id, &id, &token.session.to_string()));
    }
}
