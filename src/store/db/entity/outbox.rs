//! A mail that waits.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: String,
    pub email: String,
    /// Empty in rows from before there was the column.
    pub email_key: String,
    pub sealed: Option<Vec<u8>>,
    pub attempts: i64,
    pub queued_at: i64,
    pub due_at: i64,
    pub user_id: Option<Uuid>,
    pub user_epoch: Option<i64>,
    pub source: Option<String>,
    pub device: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
