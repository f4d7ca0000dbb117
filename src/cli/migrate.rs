//! `keystead migrate`: brings the schema up to date, and ends.

use crate::app::start_error::StartError;
use crate::app::{Parts, migrate};
use crate::config::Settings;

pub async fn run(settings: Settings) -> Result<(), StartError> {
    let steps = migrate::migrate(&settings, &Parts::of_system()).await?;
    tracing::info!(steps, "the schema is up to date");
    Ok(())
}
