//! Accounts.

use async_trait::async_trait;
use sea_orm::sea_query::{LockType, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _,
    QueryFilter as _, QuerySelect as _, Select, TryInsertResult,
};

use super::audit;
use super::database::Database;
use super::entity::{user, user_role};
use super::fault::Fault;
use super::words::Word as _;
use crate::domain::audit::AuditKind;
use crate::domain::clock::Timestamp;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::language::Language;
use crate::domain::mail::MailKind;
use crate::domain::name::Name;
use crate::domain::ports::{AuditContext, StoreResult, Users};
use crate::domain::user::{Account, Creation, Epoch, NewUser, PasswordHash, ROLE_USER, Revision, User, UserState};

#[async_trait]
impl Users for Database {
    async fn create(&self, user: NewUser, tell_owner: bool, context: &AuditContext) -> StoreResult<Creation> {
        self.run(|| self.try_create_user(&user, tell_owner, context)).await
    }

    async fn find(&self, id: UserId) -> StoreResult<Option<User>> {
        self.run(|| find_user(&self.reader, id)).await
    }

    async fn find_by_email(&self, email: &Email) -> StoreResult<Option<Account>> {
        let query = || user::Entity::find().filter(user::Column::EmailKey.eq(email.key()));
        self.run(|| load_account(&self.reader, query())).await
    }
}

impl Database {
    async fn try_create_user(
        &self,
        user: &NewUser,
        tell_owner: bool,
        context: &AuditContext,
    ) -> Result<Creation, Fault> {
        let transaction = self.begin().await?;
        let unless_taken = OnConflict::column(user::Column::EmailKey).do_nothing().to_owned();
        let insert = user::Entity::insert(new_row(user, context.at)).on_conflict(unless_taken).try_insert();
        let creation = match insert.exec_without_returning(&transaction).await? {
            TryInsertResult::Inserted(1) => {
                let role = user_role::ActiveModel { user_id: Set(user.id.as_uuid()), role: Set(ROLE_USER.to_owned()) };
                user_role::Entity::insert(role).exec_without_returning(&transaction).await?;
                self.queue(&transaction, MailKind::EmailVerification, &user.email, context.at).await?;
                let created = audit::by_user(AuditKind::UserCreated, user.id, None);
                self.write_events(&transaction, context, [created]).await?;
                Creation::Created(fresh(user, context.at))
            }
            TryInsertResult::Inserted(_) | TryInsertResult::Conflicted | TryInsertResult::Empty => {
                self.refuse_taken(&transaction, user, tell_owner, context).await?;
                Creation::EmailTaken
            }
        };
        transaction.commit().await?;
        Ok(creation)
    }

    /// As many statements as a creation: where the answer hides that the address is taken, so does the effort.
    async fn refuse_taken(
        &self,
        connection: &impl ConnectionTrait,
        user: &NewUser,
        tell_owner: bool,
        context: &AuditContext,
    ) -> Result<(), Fault> {
        let owner = user::Entity::find().filter(user::Column::EmailKey.eq(user.email.key())).one(connection).await?;
        if tell_owner {
            self.queue(connection, MailKind::RegistrationAttempt, &user.email, context.at).await?;
        }
        let refused = audit::failure(AuditKind::UserCreated, owner.map(|owner| UserId::from_uuid(owner.id)), None);
        Ok(self.write_events(connection, context, [refused]).await?)
    }
}

fn new_row(user: &NewUser, at: Timestamp) -> user::ActiveModel {
    user::ActiveModel {
        id: Set(user.id.as_uuid()),
        email: Set(user.email.as_str().to_owned()),
        email_key: Set(user.email.key().to_owned()),
        email_verified: Set(false),
        display_name: Set(user.display_name.as_str().to_owned()),
        state: Set(UserState::Active.word().to_owned()),
        epoch: Set(Epoch::default().0),
        password_hash: Set(Some(user.password_hash.as_str().to_owned())),
        created_at: Set(at.as_millis()),
        updated_at: Set(at.as_millis()),
        revision: Set(Revision::default().0),
        language: Set(String::new()),
        external_id: Set(None),
    }
}

fn fresh(user: &NewUser, at: Timestamp) -> User {
    User {
        id: user.id,
        email: user.email.clone(),
        email_verified: false,
        display_name: user.display_name.clone(),
        state: UserState::Active,
        roles: vec![ROLE_USER.to_owned()],
        epoch: Epoch::default(),
        revision: Revision::default(),
        language: Language::default(),
        created_at: at,
        updated_at: at,
    }
}

pub(super) async fn find_user(connection: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, Fault> {
    Ok(find_account(connection, id).await?.map(|account| account.user))
}

pub(super) async fn find_account(connection: &impl ConnectionTrait, id: UserId) -> Result<Option<Account>, Fault> {
    load_account(connection, user::Entity::find_by_id(id.as_uuid())).await
}

/// The user, whose row stays locked until the transaction ends.
pub(super) async fn locked_user(transaction: &DatabaseTransaction, id: UserId) -> Result<Option<User>, Fault> {
    match lock_user(transaction, id).await? {
        Some(_) => find_user(transaction, id).await,
        None => Ok(None),
    }
}

/// The user's row, locked until the transaction ends: whatever changes a user, or opens or ends their sessions and
/// tokens, takes this lock first, so that none overtakes another and none waits in a circle.
pub(super) async fn lock_user(connection: &impl ConnectionTrait, id: UserId) -> Result<Option<user::Model>, Fault> {
    Ok(user::Entity::find_by_id(id.as_uuid()).lock(LockType::NoKeyUpdate).one(connection).await?)
}

/// Reads user and roles in one statement, so that no change falls between them.
async fn load_account(
    connection: &impl ConnectionTrait,
    query: Select<user::Entity>,
) -> Result<Option<Account>, Fault> {
    let found = query.find_with_related(user_role::Entity).all(connection).await?;
    found.into_iter().next().map(|(row, roles)| account(row, roles)).transpose()
}

pub(super) fn account(row: user::Model, roles: Vec<user_role::Model>) -> Result<Account, Fault> {
    let mut roles: Vec<String> = roles.into_iter().map(|row| row.role).collect();
    roles.sort_unstable();
    let user = User {
        id: UserId::from_uuid(row.id),
        email: stored_email(&row.email)?,
        email_verified: row.email_verified,
        display_name: stored_name(&row.display_name)?,
        state: UserState::parse(&row.state)?,
        roles,
        epoch: Epoch(row.epoch),
        revision: Revision(row.revision),
        language: Language::parse(&row.language).map_err(|_| Fault::Corrupt("language"))?,
        created_at: Timestamp::from_millis(row.created_at),
        updated_at: Timestamp::from_millis(row.updated_at),
    };
    Ok(Account { user, password_hash: row.password_hash.map(PasswordHash::new) })
}

/// Whether the user is active and still has the epoch that was read before the lock.
pub(super) fn is_unchanged(row: &user::Model, seen: Epoch) -> bool {
    row.epoch == seen.0 && row.state == UserState::Active.word()
}

pub(super) fn stored_email(text: &str) -> Result<Email, Fault> {
    Email::parse(text).map_err(|_| Fault::Corrupt("e-mail address"))
}

pub(super) fn stored_name(text: &str) -> Result<Name, Fault> {
    Name::parse(text).map_err(|_| Fault::Corrupt("name"))
}

/// Whether the account has roles that not every account has.
pub(super) async fn has_been_given_roles(connection: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    let roles = user_role::Entity::find().filter(user_role::Column::UserId.eq(user.as_uuid()));
    Ok(roles.filter(user_role::Column::Role.ne(ROLE_USER)).one(connection).await?.is_some())
}
