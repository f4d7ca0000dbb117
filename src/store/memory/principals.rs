//! Who may act: users.

use async_trait::async_trait;

use super::MemoryStore;
use crate::domain::caller::CallerKind;
use crate::domain::id::{PrincipalId, UserId};
use crate::domain::ports::StoreResult;
use crate::domain::ports::principals::{Principals, Standing};

#[async_trait]
impl Principals for MemoryStore {
    async fn standing(&self, id: PrincipalId) -> StoreResult<Option<Standing>> {
        let state = self.open()?;
        let user = state.users.get(&UserId::from_uuid(id.as_uuid())).map(|row| &row.user);
        Ok(user.map(|user| Standing {
            kind: CallerKind::User,
            state: user.state,
            epoch: user.epoch,
            roles: user.roles.clone(),
        }))
    }
}
