//! Lists service accounts, page by page.

use std::sync::Arc;

use uuid::Uuid;

use crate::crypto::page_token::PageScope;
use crate::domain::clock::{Clock, Entropy};
use crate::domain::id::{PrincipalId, ServiceAccountId};
use crate::domain::ports::service_accounts::ServiceAccounts;
use crate::domain::service_account::ServiceAccount;
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// Lists service accounts in the order of their creation.
pub struct ListServiceAccounts {
    pub accounts: Arc<dyn ServiceAccounts>,
    pub keys: Arc<LiveKeys>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccountPage {
    pub accounts: Vec<ServiceAccount>,
    /// Asks for the next page; empty where this is the last.
    pub next_page_token: String,
}

impl ListServiceAccounts {
    pub async fn run(
        &self,
        page_size: u32,
        page_token: &str,
        caller: PrincipalId,
    ) -> ServiceResult<ServiceAccountPage> {
        let after = self.position(page_token, caller)?;
        // One more than asked for tells whether there is another page.
        let mut accounts = self.accounts.list(after, page_size + 1, self.clock.now()).await?;
        let is_last = accounts.len() <= page_size as usize;
        accounts.truncate(page_size as usize);
        let next_page_token = match accounts.last() {
            Some(last) if !is_last => self.page_token(last.id, caller),
            _ => String::new(),
        };
        Ok(ServiceAccountPage { accounts, next_page_token })
    }

    fn position(&self, page_token: &str, caller: PrincipalId) -> ServiceResult<Option<ServiceAccountId>> {
        if page_token.is_empty() {
            return Ok(None);
        }
        let ring = self.keys.ring();
        let opened = ring.pages().open(&scope(caller), page_token);
        let position = opened.ok().and_then(|position| Uuid::from_slice(&position).ok());
        let forged = || ServiceError::invalid_field("page_token", "must be a page token of the same list and caller");
        position.map(ServiceAccountId::from_uuid).map(Some).ok_or_else(forged)
    }

    fn page_token(&self, last: ServiceAccountId, caller: PrincipalId) -> String {
        let ring = self.keys.ring();
        ring.pages().issue(&scope(caller), last.as_uuid().as_bytes(), self.entropy.as_ref())
    }
}

fn scope(caller: PrincipalId) -> PageScope {
    PageScope { list: "service_accounts", caller: caller.to_string(), question: String::new() }
}
