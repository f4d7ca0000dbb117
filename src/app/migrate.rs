//! Brings the schema up to date, and nothing else.

use super::data_folder::DataFolder;
use super::start_error::StartError;
use super::{Parts, install_tls_provider, stores};
use crate::config::{DatabaseKind, Settings};

/// Applies the steps that the schema lacks; how many there were.
pub async fn migrate(settings: &Settings, parts: &Parts) -> Result<usize, StartError> {
    install_tls_provider();
    if settings.database.kind == DatabaseKind::Sqlite && settings.uses_data_folder() {
        DataFolder::open(&settings.data.directory)?;
    }
    let database = stores::connect(&settings.database, parts).await?;
    let failed = |error| StartError::Failed(format!("the database cannot be migrated: {error}"));
    let pending = database.pending_migrations().await.map_err(failed)?;
    database.migrate().await.map_err(failed)?;
    database.close().await.map_err(failed)?;
    Ok(pending)
}
