//! Who may act, as the database has it now.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::caller::CallerKind;
use crate::domain::id::PrincipalId;
use crate::domain::user::{Epoch, UserState};

/// How a user or a service account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub kind: CallerKind,
    pub state: UserState,
    pub epoch: Epoch,
    /// Sorted.
    pub roles: Vec<String>,
}

/// Users and service accounts alike.
#[async_trait]
pub trait Principals: Send + Sync {
    /// How the principal stands; `None` where there is none with the id.
    async fn standing(&self, id: PrincipalId) -> StoreResult<Option<Standing>>;
}
