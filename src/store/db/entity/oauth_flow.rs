//! A sign-in at a provider that is under way; state, code and what the browser keeps by their hashes.

use std::fmt;

use sea_orm::entity::prelude::*;

#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_flows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub state: Vec<u8>,
    pub provider: String,
    pub redirect_uri: String,
    pub challenge: String,
    pub browser: Option<Vec<u8>>,
    pub user_id: Option<Uuid>,
    pub session_id: Option<Uuid>,
    pub sealed_secrets: Vec<u8>,
    /// Set when the browser has come back.
    pub code: Option<Vec<u8>>,
    pub code_expires_at: Option<i64>,
    pub sealed_answer: Option<Vec<u8>>,
    pub expires_at: i64,
}

impl fmt::Debug for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Model").field("provider", &self.provider).finish_non_exhaustive()
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
