//! An audit event; the database adds its position: on PostgreSQL the id of the transaction that wrote it, on SQLite a
//! number that grows.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub at: i64,
    pub kind: String,
    pub outcome: String,
    pub actor: Option<Uuid>,
    pub subject: Option<Uuid>,
    pub session: Option<Uuid>,
    pub detail: Option<String>,
    pub source: Option<String>,
    pub trace_id: String,
    pub position: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
