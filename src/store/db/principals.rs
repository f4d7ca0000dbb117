//! Who may act: users.

use async_trait::async_trait;

use super::database::Database;
use super::users::find_user;
use crate::domain::caller::CallerKind;
use crate::domain::id::{PrincipalId, UserId};
use crate::domain::ports::StoreResult;
use crate::domain::ports::principals::{Principals, Standing};

#[async_trait]
impl Principals for Database {
    async fn standing(&self, id: PrincipalId) -> StoreResult<Option<Standing>> {
        let user = self.run(|| find_user(&self.reader, UserId::from_uuid(id.as_uuid()))).await?;
        Ok(user.map(|user| Standing {
            kind: CallerKind::User,
            state: user.state,
            epoch: user.epoch,
            roles: user.roles,
        }))
    }
}
