//! `keystead audit`: shows the end of the audit trail.

use std::time::Duration;

use clap::Subcommand;
use serde_json::json;

use super::operator::failed;
use super::output::{Output, Record, moment};
use super::signals::Signals;
use crate::app::console::Console;
use crate::app::start_error::StartError;
use crate::domain::audit::AuditOutcome;
use crate::domain::audit_trail::StoredEvent;

/// How often the trail is read while it is followed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Show the last events, the oldest first.
    Tail {
        /// How many.
        #[arg(long, short = 'n', default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        lines: u32,
        /// Go on with what is committed from now on, until interrupted.
        #[arg(long, short)]
        follow: bool,
    },
}

pub async fn run(console: &Console, command: Command, output: Output) -> Result<(), StartError> {
    let Command::Tail { lines, follow } = command;
    let (events, mut tail) = console.api.tail_audit.run(lines).await.map_err(failed)?;
    output.show(events.iter().map(record).collect())?;
    if !follow {
        return Ok(());
    }
    let signals = Signals::listen().map_err(|error| StartError::Failed(format!("no signals: {error}")))?;
    loop {
        let news = tail.next().await.map_err(failed)?;
        output.show_more(news.iter().map(record).collect())?;
        tokio::select! {
            () = signals.stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
}

fn record(event: &StoredEvent) -> Record {
    let outcome = match event.outcome {
        AuditOutcome::Success => "success",
        AuditOutcome::Failure => "failure",
    };
    let id = |id: Option<String>| json!(id);
    vec![
        ("time", moment(event.at)),
        ("kind", json!(event.kind)),
        ("outcome", json!(outcome)),
        ("actor", id(event.actor.map(|actor| actor.to_string()))),
        ("subject", id(event.subject.map(|subject| subject.to_string()))),
        ("session", id(event.session.map(|session| session.to_string()))),
        ("source", json!(event.source)),
        ("detail", json!(event.detail)),
        ("trace", json!(event.trace_id)),
    ]
}
