//! Lists the identities that open the caller's account.

use std::sync::Arc;

use super::owner::owner;
use crate::domain::caller::Caller;
use crate::domain::identity::LinkedIdentity;
use crate::domain::ports::identities::Identities;
use crate::service::error::ServiceResult;

/// Lists the identities that open the caller's account.
pub struct ListIdentities {
    pub identities: Arc<dyn Identities>,
}

impl ListIdentities {
    /// The oldest first.
    pub async fn run(&self, caller: &Caller) -> ServiceResult<Vec<LinkedIdentity>> {
        Ok(self.identities.list(owner(caller)?).await?)
    }
}
