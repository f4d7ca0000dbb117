//! Who may act: users and service accounts.

use async_trait::async_trait;

use super::database::Database;
use super::fault::Fault;
use super::service_accounts;
use super::users::find_user;
use crate::domain::clock::Timestamp;
use crate::domain::id::{PrincipalId, ServiceAccountId, UserId};
use crate::domain::ports::StoreResult;
use crate::domain::ports::principals::{Principals, Standing};

#[async_trait]
impl Principals for Database {
    async fn standing(&self, id: PrincipalId) -> StoreResult<Option<Standing>> {
        self.run(|| self.try_standing(id)).await
    }
}

impl Database {
    async fn try_standing(&self, id: PrincipalId) -> Result<Option<Standing>, Fault> {
        if let Some(user) = find_user(&self.reader, UserId::from_uuid(id.as_uuid())).await? {
            return Ok(Some(Standing::of_user(user)));
        }
        let id = ServiceAccountId::from_uuid(id.as_uuid());
        let account = service_accounts::find(&self.reader, id, Timestamp::default()).await?;
        Ok(account.as_ref().map(Standing::of_service_account))
    }
}
