//! `keystead serve`: serves until told to stop.

use std::io::{IsTerminal, Write};

use super::signals::Signals;
use crate::app::start_error::StartError;
use crate::app::{App, Parts};
use crate::config::Settings;

pub async fn run(settings: Settings) -> Result<(), StartError> {
    let signals = Signals::listen().map_err(|error| StartError::Failed(format!("no signals: {error}")))?;
    let for_humans = settings.log.is_for_humans() || std::io::stdout().is_terminal();
    let app = tokio::select! {
        app = App::build(settings, Parts::of_system()) => app?,
        () = signals.stop.cancelled() => return Ok(()),
    };
    app.overview().log();
    if for_humans {
        // Who does not listen has the log.
        writeln!(std::io::stdout(), "{}", app.overview()).unwrap_or_default();
    }
    tokio::select! {
        outcome = app.serve(signals.stop.clone()) => outcome,
        () = signals.abort.cancelled() => Err(StartError::Failed("a second signal: not waiting any longer".to_owned())),
    }
}
