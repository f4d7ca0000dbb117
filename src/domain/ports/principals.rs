//! Who may act, as the database has it now.

use async_trait::async_trait;

use super::StoreResult;
use crate::domain::caller::CallerKind;
use crate::domain::id::PrincipalId;
use crate::domain::service_account::ServiceAccount;
use crate::domain::user::{Epoch, User, UserState};

/// How a user or a service account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub kind: CallerKind,
    pub state: UserState,
    pub epoch: Epoch,
    /// Sorted.
    pub roles: Vec<String>,
}

impl Standing {
    pub fn of_user(user: User) -> Self {
        Self { kind: CallerKind::User, state: user.state, epoch: user.epoch, roles: user.roles }
    }

    /// A service account is active for as long as it is there.
    pub fn of_service_account(account: &ServiceAccount) -> Self {
        Self {
            kind: CallerKind::ServiceAccount,
            state: UserState::Active,
            epoch: account.epoch,
            roles: account.roles.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Users and service accounts alike.
#[async_trait]
pub trait Principals: Send + Sync {
    /// How the principal stands; `None` where there is none with the id.
    async fn standing(&self, id: PrincipalId) -> StoreResult<Option<Standing>>;
}
