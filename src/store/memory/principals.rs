//! Who may act: users and service accounts.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::clock::Timestamp;
use crate::domain::id::{PrincipalId, ServiceAccountId, UserId};
use crate::domain::ports::StoreResult;
use crate::domain::ports::principals::{Principals, Standing};

#[async_trait]
impl Principals for MemoryStore {
    async fn standing(&self, id: PrincipalId) -> StoreResult<Option<Standing>> {
        let state = self.open()?;
        if let Some(row) = state.users.get(&UserId::from_uuid(id.as_uuid())) {
            return Ok(Some(Standing::of_user(row.user.clone())));
        }
        let id = ServiceAccountId::from_uuid(id.as_uuid());
        Ok(state.service_account(id, Timestamp::default()).as_ref().map(Standing::of_service_account))
    }
}
