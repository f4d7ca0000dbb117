//! Creates accounts by others than their owners.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, TryInsertResult,
};

use crate::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use crate::domain::clock::Timestamp;
use crate::domain::id::{PrincipalId, UserId};
use crate::domain::mail::MailKind;
use crate::domain::ports::AuditContext;
use crate::domain::rights::roles_granted;
use crate::domain::role::RoleName;
use crate::domain::user::{Epoch, ROLE_USER, Revision, UserState};
use crate::domain::user_change::{Invitation, InvitationOutcome};
use crate::store::db::database::Database;
use crate::store::db::entity::{user, user_role};
use crate::store::db::fault::Fault;
use crate::store::db::roles::hold_roles;
use crate::store::db::users::find_user;
use crate::store::db::words::Word as _;

impl Database {
    pub(super) async fn try_invite(
        &self,
        invitation: &Invitation,
        context: &AuditContext,
    ) -> Result<InvitationOutcome, Fault> {
        let transaction = self.begin().await?;
        if !hold_roles(&transaction, &invitation.roles).await? {
            return Ok(InvitationOutcome::RoleUnknown);
        }
        let unless_taken = OnConflict::column(user::Column::EmailKey).do_nothing().to_owned();
        let insert = user::Entity::insert(new_row(invitation, context.at)).on_conflict(unless_taken).try_insert();
        let outcome = match insert.exec_without_returning(&transaction).await? {
            TryInsertResult::Inserted(1) => {
                give_roles(&transaction, invitation).await?;
                if invitation.password_hash.is_none() {
                    self.queue(&transaction, MailKind::PasswordReset, &invitation.email, context.at).await?;
                }
                self.write_events(&transaction, context, events(invitation, context)).await?;
                let user = find_user(&transaction, invitation.id).await?;
                InvitationOutcome::Invited(user.ok_or(Fault::Corrupt("new account"))?)
            }
            TryInsertResult::Inserted(_) | TryInsertResult::Conflicted | TryInsertResult::Empty => {
                let owner = user::Entity::find().filter(user::Column::EmailKey.eq(invitation.email.key()));
                let owner = owner.one(&transaction).await?.map(|owner| UserId::from_uuid(owner.id));
                let refused = refused(AuditKind::UserCreated, owner.map(Into::into), context);
                self.write_events(&transaction, context, [refused]).await?;
                InvitationOutcome::EmailTaken
            }
        };
        transaction.commit().await?;
        Ok(outcome)
    }
}

/// Something that the actor tried in vain.
pub(super) fn refused(kind: AuditKind, subject: Option<PrincipalId>, context: &AuditContext) -> AuditEvent {
    AuditEvent { outcome: AuditOutcome::Failure, ..AuditEvent::by_actor(kind, subject, context) }
}

async fn give_roles(connection: &impl ConnectionTrait, invitation: &Invitation) -> Result<(), DbErr> {
    let others = invitation.roles.iter().map(RoleName::as_str).filter(|role| *role != ROLE_USER);
    let row = |role: &str| user_role::ActiveModel { user_id: Set(invitation.id.as_uuid()), role: Set(role.to_owned()) };
    let rows = std::iter::once(ROLE_USER).chain(others).map(row);
    user_role::Entity::insert_many(rows).exec_without_returning(connection).await.map(|_| ())
}

fn events(invitation: &Invitation, context: &AuditContext) -> Vec<AuditEvent> {
    let subject = invitation.id.into();
    let created = AuditEvent::by_actor(AuditKind::UserCreated, Some(subject), context);
    std::iter::once(created).chain(roles_granted(subject, &invitation.roles, context)).collect()
}

fn new_row(invitation: &Invitation, at: Timestamp) -> user::ActiveModel {
    user::ActiveModel {
        id: Set(invitation.id.as_uuid()),
        email: Set(invitation.email.as_str().to_owned()),
        email_key: Set(invitation.email.key().to_owned()),
        email_verified: Set(invitation.password_hash.is_some()),
        display_name: Set(invitation.display_name.as_str().to_owned()),
        state: Set(UserState::Active.word().to_owned()),
        epoch: Set(Epoch::default().0),
        password_hash: Set(invitation.password_hash.as_ref().map(|hash| hash.as_str().to_owned())),
        created_at: Set(at.as_millis()),
        updated_at: Set(at.as_millis()),
        revision: Set(Revision::default().0),
        language: Set(invitation.language.as_str().to_owned()),
        external_id: Set(None),
    }
}
