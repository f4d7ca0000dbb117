//! A source that an account has been signed in to from.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_sources")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_key: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub source_key: Vec<u8>,
    pub last_seen_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
