//! What no port shows: the audit trail, and an administrator's hand on the account.

use keystead::domain::audit::{AuditEvent, AuditKind, AuditOutcome};
use keystead::domain::id::{PrincipalId, UserId};
use keystead::domain::ports::AuditContext;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement, Value};
use uuid::Uuid;

use keystead::store::memory::MemoryStore;

use crate::backend::Backend;

/// The way past the ports.
pub enum Inside {
    Memory(MemoryStore),
    Sql(DatabaseConnection),
}

/// An audit event as it is stored.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    pub kind: String,
    pub actor: Option<Uuid>,
    pub source: Option<String>,
    pub success: bool,
    pub subject: Option<Uuid>,
    pub session: Option<Uuid>,
    pub detail: Option<String>,
}

impl Backend {
    pub async fn trail(&self) -> Vec<Told> {
        match &self.inside {
            Inside::Memory(store) => store.audit_events().into_iter().map(told).collect(),
            Inside::Sql(connection) => read(connection).await,
        }
    }

    /// How many events of the kind were told with this outcome.
    pub async fn told(&self, kind: AuditKind, outcome: AuditOutcome) -> usize {
        let success = outcome == AuditOutcome::Success;
        let trail = self.trail().await;
        trail.iter().filter(|told| told.kind == kind.as_str() && told.success == success).count()
    }

    /// Disables the account and raises its epoch.
    pub async fn disable(&self, id: UserId) {
        match &self.inside {
            Inside::Memory(store) => {
                let revocations = store.disable(id, self.later(), &self.context());
                assert_eq!(revocations.len(), 1);
            }
            Inside::Sql(connection) => {
                change(connection, "UPDATE users SET state = 'disabled', epoch = epoch + 1 WHERE id = $1", id).await;
            }
        }
    }

    /// Raises the account's epoch and nothing else.
    pub async fn raise_epoch(&self, id: UserId) {
        match &self.inside {
            Inside::Memory(store) => assert!(store.edit_user(id, |user| user.epoch.0 += 1)),
            Inside::Sql(connection) => {
                change(connection, "UPDATE users SET epoch = epoch + 1 WHERE id = $1", id).await;
            }
        }
    }
}

fn told((event, context): (AuditEvent, AuditContext)) -> Told {
    Told {
        kind: event.kind.as_str().to_owned(),
        actor: event.actor.map(PrincipalId::as_uuid),
        source: context.origin.source.map(|source| source.to_string()),
        success: event.outcome == AuditOutcome::Success,
        subject: event.subject.map(PrincipalId::as_uuid),
        session: event.session.map(keystead::domain::id::SessionId::as_uuid),
        detail: event.detail,
    }
}

async fn read(connection: &DatabaseConnection) -> Vec<Told> {
    let query = "SELECT kind, actor, source, outcome, subject, session, detail FROM audit_events ORDER BY id";
    let rows = connection.query_all_raw(statement(connection.get_database_backend(), query, [])).await;
    rows.expect("the trail is read")
        .into_iter()
        .map(|row| Told {
            kind: row.try_get("", "kind").expect("a kind"),
            actor: row.try_get("", "actor").expect("an actor or none"),
            source: row.try_get("", "source").expect("a source or none"),
            success: row.try_get::<String>("", "outcome").expect("an outcome") == "success",
            subject: row.try_get("", "subject").expect("a subject or none"),
            session: row.try_get("", "session").expect("a session or none"),
            detail: row.try_get("", "detail").expect("a detail or none"),
        })
        .collect()
}

async fn change(connection: &DatabaseConnection, query: &str, id: UserId) {
    let backend = connection.get_database_backend();
    let result = connection.execute_raw(statement(backend, query, [id.as_uuid().into()])).await;
    assert_eq!(result.expect("the account is changed").rows_affected(), 1);
}

fn statement<const N: usize>(backend: DbBackend, query: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(backend, query, values)
}
