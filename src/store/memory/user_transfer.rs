//! Accounts on their way in and out, many at once.

use async_trait::async_trait;

use crate::domain::clock::Timestamp;
use crate::domain::id::UserId;
use crate::domain::ports::user_directory::UserDirectory as _;
use crate::domain::ports::user_transfer::UserTransfer;
use crate::domain::ports::{AuditContext, StoreResult};
use crate::domain::user::{Epoch, ROLE_USER, Revision, User};
use crate::domain::user_list::UserQuery;
use crate::domain::user_transfer::{ExportedUser, ImportOutcome, ImportedUser, identify};

use super::MemoryStore;
use super::state::{State, UserRow};

#[async_trait]
impl UserTransfer for MemoryStore {
    async fn import(&self, users: &[ImportedUser], context: &AuditContext) -> StoreResult<Vec<ImportOutcome>> {
        let mut state = self.open()?;
        Ok(users.iter().map(|user| state.import(user, context)).collect())
    }

    async fn export(&self, query: &UserQuery) -> StoreResult<Vec<ExportedUser>> {
        let users = self.list(query).await?;
        let state = self.open()?;
        Ok(users.into_iter().map(|user| state.exported(user)).collect())
    }
}

impl State {
    fn import(&mut self, user: &ImportedUser, context: &AuditContext) -> ImportOutcome {
        if !user.roles.iter().all(|role| self.roles.contains_key(role)) {
            return ImportOutcome::RoleUnknown;
        }
        let by_email = self.addresses.get(user.email.key()).copied();
        if let Some(present) = identify(user, self.called(user), by_email) {
            return present;
        }
        self.addresses.insert(user.email.key().to_owned(), user.id);
        self.external_ids.extend(user.external_id.clone().map(|external_id| (user.id, external_id)));
        let row = UserRow { user: imported(user, context.at), password_hash: user.password_hash.clone() };
        self.users.insert(user.id, row);
        for event in user.events(context) {
            self.record(event, context);
        }
        ImportOutcome::Created(user.id)
    }

    /// The account with the same external id.
    fn called(&self, user: &ImportedUser) -> Option<UserId> {
        let wanted = user.external_id.as_ref()?;
        let found = self.external_ids.iter().find(|(id, known)| *known == wanted && self.users.contains_key(*id));
        found.map(|(id, _)| *id)
    }

    fn exported(&self, user: User) -> ExportedUser {
        let external_id = self.external_ids.get(&user.id).cloned();
        let password_hash = self.users.get(&user.id).and_then(|row| row.password_hash.clone());
        ExportedUser { user, external_id, password_hash }
    }
}

fn imported(user: &ImportedUser, now: Timestamp) -> User {
    let others = user.roles.iter().map(|role| role.as_str().to_owned());
    let mut roles: Vec<String> = std::iter::once(ROLE_USER.to_owned()).chain(others).collect();
    roles.sort_unstable();
    roles.dedup();
    User {
        id: user.id,
        email: user.email.clone(),
        email_verified: user.email_verified,
        display_name: user.display_name.clone(),
        state: user.state,
        roles,
        epoch: Epoch::default(),
        revision: Revision::default(),
        language: user.language.clone(),
        created_at: user.created_at,
        updated_at: now,
    }
}
