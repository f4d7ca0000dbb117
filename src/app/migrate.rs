//! Brings the schema up to date, and nothing else.

use super::data_folder::DataFolder;
use super::start_error::StartError;
use super::{Parts, install_tls_provider, stores};
use crate::config::{DatabaseKind, Settings};
use crate::store::db::SchemaState;

/// Applies the steps that the schema lacks; how many there were.
pub async fn migrate(settings: &Settings, parts: &Parts) -> Result<usize, StartError> {
    install_tls_provider();
    if settings.database.kind == DatabaseKind::Sqlite && settings.uses_data_folder() {
        DataFolder::open(&settings.data.directory)?;
    }
    let database = stores::connect(&settings.database, parts).await?;
    let before = stores::migrate(&database).await?;
    stores::require_served(&database).await?;
    let failed = |error| StartError::Failed(format!("the database cannot be closed: {error}"));
    database.close().await.map_err(failed)?;
    Ok(match before {
        SchemaState::Behind(steps) => steps,
        SchemaState::Current | SchemaState::Ahead(_) | SchemaState::Foreign(_) => 0,
    })
}
