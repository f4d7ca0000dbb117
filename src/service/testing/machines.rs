//! Service accounts in a world, and the use cases around them.

use std::sync::Arc;

use uuid::Uuid;

use super::World;
use crate::crypto::service_secret::mint;
use crate::domain::id::ServiceAccountId;
use crate::domain::name::Name;
use crate::domain::ports::service_accounts::ServiceAccounts as _;
use crate::domain::service_account::{NewServiceAccount, ServiceAccount, ServiceAccountCreation};
use crate::service::token::issue_service_token::IssueServiceToken;
use crate::service::token::revoke_token::RevokeToken;
use crate::service::token::service_authenticator::ServiceAuthenticator;

impl World {
    /// An account without roles, and its secret.
    pub async fn service_account(&self, audiences: &[&str]) -> (ServiceAccount, String) {
        let secret = mint(self.entropy.as_ref());
        let new = NewServiceAccount {
            id: ServiceAccountId::from_uuid(Uuid::from_u128(1)),
            display_name: Name::default(),
            audiences: audiences.iter().map(|audience| (*audience).to_owned()).collect(),
            roles: Vec::new(),
            secret: secret.hash,
        };
        match self.store.create(new, &self.context()).await.unwrap() {
            ServiceAccountCreation::Created(account) => (account, secret.text.to_string()),
            ServiceAccountCreation::RoleUnknown => panic!("it has no roles"),
        }
    }

    pub fn service_authenticator(&self) -> Arc<ServiceAuthenticator> {
        Arc::new(ServiceAuthenticator {
            accounts: Arc::new(self.store.clone()),
            audit: Arc::new(self.store.clone()),
            guard: self.guard.clone(),
            clock: self.clock.clone(),
        })
    }

    pub fn issue_service_token(&self) -> IssueServiceToken {
        IssueServiceToken {
            authenticator: self.service_authenticator(),
            keys: self.keys.clone(),
            issuer: self.issuer.clone(),
        }
    }

    pub fn revoke_token(&self) -> RevokeToken {
        RevokeToken {
            verify_token: Arc::new(self.verify()),
            logout: Arc::new(self.logout()),
            ender: self.ender(),
            accounts: Arc::new(self.store.clone()),
            guard: self.guard.clone(),
            issuer: self.issuer.clone(),
            revoker: self.revoker.clone(),
            clock: self.clock.clone(),
        }
    }
}
