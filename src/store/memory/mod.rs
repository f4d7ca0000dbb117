//! Every port in RAM, under one lock: what unit tests run use cases on, and the measure of what the ports mean.
//!
//! Also holds what production takes from here: the embedded [`throttle`] and the [`signal`] of a lone replica. Imports
//! `domain` alone. Must not know how the other stores do it.

mod attempts;
mod audit_trail;
mod email_changes;
mod identities;
mod keys;
mod oauth_flows;
mod one_time_tokens;
mod outbox;
mod passwords;
mod principals;
mod profiles;
mod revocations;
mod rights;
mod roles;
mod rotation;
mod second_factors;
mod service_accounts;
mod sessions;
pub mod signal;
mod state;
pub mod throttle;
mod user_directory;
mod user_list;
mod user_transfer;
mod users;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::audit::AuditEvent;
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::id::UserId;
use crate::domain::mail::QueuedMail;
use crate::domain::ports::{AuditContext, StoreError, StoreResult};
use crate::domain::revocation::Revocation;
use crate::domain::user::{User, UserState};

use state::State;

/// All ports of the database in RAM. A clone is the same store.
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// An empty store; ids of mails are made from `entropy`.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(entropy))) }
    }

    /// Makes every call of every port fail like this, until it is told `None`.
    pub fn fail_with(&self, error: Option<StoreError>) {
        self.state().failing = error;
    }

    /// What the audit trail holds, oldest first.
    pub fn audit_events(&self) -> Vec<(AuditEvent, AuditContext)> {
        self.state().audit.clone()
    }

    /// The mails that wait, oldest first, leased or not.
    pub fn mails(&self) -> Vec<QueuedMail> {
        self.state().mails.iter().map(state::MailRow::queued).collect()
    }

    /// Disables the account as an administrator would: raises the epoch, ends its sessions and revokes what is out.
    /// Does nothing to an account that is not there.
    pub fn disable(&self, id: UserId, revocations_expire_at: Timestamp, context: &AuditContext) -> Vec<Revocation> {
        let mut state = self.state();
        let Some(row) = state.users.get_mut(&id) else { return Vec::new() };
        row.user.state = UserState::Disabled;
        row.user.updated_at = context.at;
        vec![state.revoke_user(id, revocations_expire_at, context)]
    }

    /// Changes what no port changes yet, for example roles; whether the account is there.
    pub fn edit_user(&self, id: UserId, edit: impl FnOnce(&mut User)) -> bool {
        let mut state = self.state();
        let row = state.users.get_mut(&id);
        row.is_some_and(|row| {
            edit(&mut row.user);
            true
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in a test that holds the lock must not hide behind a second one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, for a port's method.
    fn open(&self) -> StoreResult<MutexGuard<'_, State>> {
        let state = self.state();
        match state.failing {
            Some(error) => Err(error),
            None => Ok(state),
        }
    }
}
