//! Takes accounts in: three statements for any number of new ones, and a fourth where some are there already.

use std::collections::{BTreeSet, HashMap, HashSet};

use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbBackend, EntityTrait as _, QueryFilter as _, QuerySelect as _,
};
use serde::Serialize;
use uuid::Uuid;

use super::rows::{Column, Kind, Target, column};
use crate::domain::audit::AuditEvent;
use crate::domain::clock::Timestamp;
use crate::domain::id::{AuditId, PrincipalId, SessionId, UserId};
use crate::domain::ports::AuditContext;
use crate::domain::role::RoleName;
use crate::domain::user::{Epoch, PasswordHash, ROLE_USER, Revision};
use crate::domain::user_transfer::{ExternalId, ImportOutcome, ImportedUser, identify};
use crate::store::db::database::Database;
use crate::store::db::entity::user;
use crate::store::db::fault::Fault;
use crate::store::db::roles::held_roles;
use crate::store::db::words::Word as _;

/// As long as the whole batch may take.
const BATCH_POSTGRES: &str = "SET LOCAL statement_timeout = '15s'";

const USERS: Target = Target {
    table: "users",
    columns: &[
        column("id", Kind::Uuid),
        column("external_id", Kind::Text),
        column("email", Kind::Text),
        column("email_key", Kind::Text),
        column("email_verified", Kind::Truth),
        column("display_name", Kind::Text),
        column("state", Kind::Text),
        column("epoch", Kind::Number),
        column("password_hash", Kind::Text),
        column("created_at", Kind::Number),
        column("updated_at", Kind::Number),
        column("revision", Kind::Number),
        column("language", Kind::Text),
    ],
};

const ROLES: Target =
    Target { table: "user_roles", columns: &[column("user_id", Kind::Uuid), column("role", Kind::Text)] };

const EVENT_COLUMNS: &[Column] = &[
    column("id", Kind::Uuid),
    column("at", Kind::Number),
    column("kind", Kind::Text),
    column("outcome", Kind::Text),
    column("actor", Kind::Uuid),
    column("subject", Kind::Uuid),
    column("session", Kind::Uuid),
    column("detail", Kind::Text),
    column("source", Kind::Text),
    column("trace_id", Kind::Text),
];

const EVENTS: Target = Target { table: "audit_events", columns: EVENT_COLUMNS };

#[derive(Serialize)]
struct UserRow<'a> {
    id: Uuid,
    external_id: Option<&'a str>,
    email: &'a str,
    email_key: &'a str,
    email_verified: bool,
    display_name: &'a str,
    state: &'static str,
    epoch: i64,
    password_hash: Option<&'a str>,
    created_at: i64,
    updated_at: i64,
    revision: i64,
    language: &'a str,
}

impl<'a> UserRow<'a> {
    fn of(user: &'a ImportedUser, at: Timestamp) -> Self {
        Self {
            id: user.id.as_uuid(),
            external_id: user.external_id.as_ref().map(ExternalId::as_str),
            email: user.email.as_str(),
            email_key: user.email.key(),
            email_verified: user.email_verified,
            display_name: user.display_name.as_str(),
            state: user.state.word(),
            epoch: Epoch::default().0,
            password_hash: user.password_hash.as_ref().map(PasswordHash::as_str),
            created_at: user.created_at.as_millis(),
            updated_at: at.as_millis(),
            revision: Revision::default().0,
            language: user.language.as_str(),
        }
    }
}

#[derive(Serialize)]
struct RoleRow<'a> {
    user_id: Uuid,
    role: &'a str,
}

impl<'a> RoleRow<'a> {
    fn all_of(user: &'a ImportedUser) -> impl Iterator<Item = Self> {
        let others = user.roles.iter().map(RoleName::as_str).filter(|role| *role != ROLE_USER);
        std::iter::once(ROLE_USER).chain(others).map(|role| Self { user_id: user.id.as_uuid(), role })
    }
}

#[derive(Serialize)]
struct EventRow {
    id: Uuid,
    at: i64,
    kind: &'static str,
    outcome: &'static str,
    actor: Option<Uuid>,
    subject: Option<Uuid>,
    session: Option<Uuid>,
    detail: Option<String>,
    source: Option<String>,
    trace_id: String,
}

impl Database {
    pub(super) async fn try_import(
        &self,
        users: &[ImportedUser],
        context: &AuditContext,
    ) -> Result<Vec<ImportOutcome>, Fault> {
        let transaction = self.begin().await?;
        if self.backend() == DbBackend::Postgres {
            transaction.execute_unprepared(BATCH_POSTGRES).await?;
        }
        let roles = held_roles(&transaction, users.iter().flat_map(|user| &user.roles)).await?;
        let admitted: Vec<_> = users.iter().filter(|user| has_known_roles(user, &roles)).collect();
        let rows: Vec<_> = admitted.iter().map(|user| UserRow::of(user, context.at)).collect();
        let created = USERS.fill_unless_taken(&transaction, &rows).await?;
        let created = created.iter().map(|row| row.try_get("", "id")).collect::<Result<HashSet<Uuid>, _>>()?;
        let (new, kept): (Vec<_>, Vec<_>) = admitted.into_iter().partition(|user| created.contains(&user.id.as_uuid()));
        let given: Vec<_> = new.iter().flat_map(|user| RoleRow::all_of(user)).collect();
        ROLES.fill(&transaction, &given).await?;
        let events: Vec<_> =
            new.iter().flat_map(|user| user.events(context)).map(|event| self.event_row(event, context)).collect();
        EVENTS.fill(&transaction, &events).await?;
        let present = Present::read(&transaction, &kept).await?;
        let mut outcomes = Vec::with_capacity(users.len());
        // Of the accounts that were made with this one, those of later rows were not there yet when it was its turn.
        let mut to_come = created;
        for user in users {
            let is_new = to_come.remove(&user.id.as_uuid());
            outcomes.push(if !has_known_roles(user, &roles) {
                ImportOutcome::RoleUnknown
            } else if is_new {
                ImportOutcome::Created(user.id)
            } else {
                // What was in the way may have gone since: nothing is written, and all is tried again.
                present.outcome(user, &to_come).ok_or(Fault::Contended)?
            });
        }
        transaction.commit().await?;
        Ok(outcomes)
    }

    fn event_row(&self, event: AuditEvent, context: &AuditContext) -> EventRow {
        EventRow {
            id: AuditId::generate_at(context.at, self.entropy.as_ref()).as_uuid(),
            at: context.at.as_millis(),
            kind: event.kind.as_str(),
            outcome: event.outcome.word(),
            actor: event.actor.map(PrincipalId::as_uuid),
            subject: event.subject.map(PrincipalId::as_uuid),
            session: event.session.map(SessionId::as_uuid),
            detail: event.detail,
            source: context.origin.source.map(|source| source.to_string()),
            trace_id: context.origin.trace_id.to_string(),
        }
    }
}

fn has_known_roles(user: &ImportedUser, known: &BTreeSet<String>) -> bool {
    user.roles.iter().all(|role| known.contains(role.as_str()))
}

/// The accounts that were in the way.
#[derive(Default)]
struct Present {
    by_external_id: HashMap<String, UserId>,
    by_email: HashMap<String, UserId>,
}

impl Present {
    async fn read(connection: &impl ConnectionTrait, wanted: &[&ImportedUser]) -> Result<Self, Fault> {
        if wanted.is_empty() {
            return Ok(Self::default());
        }
        let external_ids = wanted.iter().filter_map(|user| user.external_id.as_ref()).map(ExternalId::as_str);
        let emails = wanted.iter().map(|user| user.email.key());
        let is_one = Condition::any()
            .add(user::Column::EmailKey.is_in(emails))
            .add(user::Column::ExternalId.is_in(external_ids));
        let found: Vec<(Uuid, String, Option<String>)> = user::Entity::find()
            .select_only()
            .columns([user::Column::Id, user::Column::EmailKey, user::Column::ExternalId])
            .filter(is_one)
            .into_tuple()
            .all(connection)
            .await?;
        let mut present = Self::default();
        for (id, email, external_id) in found {
            let id = UserId::from_uuid(id);
            present.by_email.insert(email, id);
            present.by_external_id.extend(external_id.map(|external_id| (external_id, id)));
        }
        Ok(present)
    }

    /// What was in the way of the account, but for those that were still to come.
    fn outcome(&self, user: &ImportedUser, to_come: &HashSet<Uuid>) -> Option<ImportOutcome> {
        let was_there = |id: &UserId| !to_come.contains(&id.as_uuid());
        let by_external_id = user.external_id.as_ref().and_then(|id| self.by_external_id.get(id.as_str()));
        let by_email = self.by_email.get(user.email.key());
        identify(user, by_external_id.copied().filter(was_there), by_email.copied().filter(was_there))
    }
}
