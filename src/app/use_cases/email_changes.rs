//! The use cases that speak of another address for an account.

use std::sync::Arc;

use super::Shared;
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::service::account::change_email::ChangeEmail;
use crate::service::auth::confirm_email_change::ConfirmEmailChange;

impl Shared {
    pub(super) fn change_email(&self, parts: &Parts, stores: &Stores) -> ChangeEmail {
        ChangeEmail {
            changes: Arc::clone(&stores.database) as _,
            guard: Arc::clone(&self.guard),
            clock: Arc::clone(&parts.clock),
        }
    }

    pub(super) fn confirm_email_change(&self, parts: &Parts, stores: &Stores) -> ConfirmEmailChange {
        ConfirmEmailChange {
            changes: Arc::clone(&stores.database) as _,
            guard: Arc::clone(&self.guard),
            clock: Arc::clone(&parts.clock),
        }
    }
}
