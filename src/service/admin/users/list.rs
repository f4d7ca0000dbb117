//! Lists accounts, page by page; each page knows where the next one begins.

use std::sync::Arc;

use super::page;
use crate::domain::clock::Entropy;
use crate::domain::id::PrincipalId;
use crate::domain::ports::user_directory::UserDirectory;
use crate::domain::user::User;
use crate::domain::user_list::{UserFilter, UserOrder, UserPosition, UserQuery};
use crate::service::error::{ServiceError, ServiceResult};
use crate::service::keys::live_keys::LiveKeys;

/// Lists accounts, page by page.
pub struct ListUsers {
    pub directory: Arc<dyn UserDirectory>,
    pub keys: Arc<LiveKeys>,
    pub entropy: Arc<dyn Entropy>,
}

/// Which accounts, and how many at once.
#[derive(Clone, Debug, Default)]
pub struct ListUsersRequest {
    pub filter: UserFilter,
    pub order: UserOrder,
    pub page_size: u32,
    /// The token of the page before; empty for the first.
    pub page_token: String,
}

/// A page of accounts.
#[derive(Debug)]
pub struct UserPage {
    pub users: Vec<User>,
    /// `None` where this is the last page.
    pub next_page_token: Option<String>,
}

impl ListUsers {
    /// A token goes on with the list of the caller who got it, and with no other.
    pub async fn run(&self, request: ListUsersRequest, caller: PrincipalId) -> ServiceResult<UserPage> {
        let (ring, scope) = (self.keys.ring(), page::scope(&request.filter, request.order, caller));
        let after = match request.page_token.as_str() {
            "" => None,
            token => Some(
                page::open(ring.pages(), &scope, token)
                    .map_err(|fault| ServiceError::invalid_field("page_token", &fault.to_string()))?,
            ),
        };
        // One more than is shown tells whether there is another page.
        let limit = request.page_size.saturating_add(1);
        let query = UserQuery { filter: request.filter, order: request.order, after, limit };
        let mut users = self.directory.list(&query).await?;
        let page_size = usize::try_from(request.page_size).unwrap_or(usize::MAX);
        let is_last = users.len() <= page_size;
        users.truncate(page_size);
        let last = users.last().filter(|_| !is_last).map(UserPosition::of);
        let next_page_token = last.map(|last| page::issue(ring.pages(), &scope, &last, self.entropy.as_ref()));
        Ok(UserPage { users, next_page_token })
    }
}
