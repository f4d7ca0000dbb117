//! `keystead users import`: takes accounts in from a file, by the use case that the API has.
//!
//! What is in the file already may be sent again, so an import that stopped goes on by being begun anew, and sooner with
//! `--skip`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::sync::mpsc;

use super::rejects::Rejects;
use super::source::{self, Batch};
use crate::app::console::Console;
use crate::app::start_error::StartError;
use crate::cli::operator::{failed, refused};
use crate::cli::output::{Output, Record};
use crate::cli::signals::Signals;
use crate::cli::user_files::firebase::HashConfig;
use crate::cli::user_files::{Form, Format, Service};
use crate::config::secret::read_secret_file;
use crate::service::admin::users::import::RowOutcome;
use crate::service::admin::users::user_row::UserRow;
use crate::service::error::{ServiceError, ServiceResult};

/// How often a batch is written again, and after how long.
const RETRIES: u32 = 10;
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// The file; `-` is standard input.
    file: PathBuf,
    /// The form of the file, where it is of our own.
    #[arg(long, value_enum, default_value_t, conflicts_with = "from")]
    format: Format,
    /// The service that has exported the file.
    #[arg(long, value_enum)]
    from: Option<Service>,
    /// What Firebase's console shows as "Password hash parameters", in a file that only its owner may read.
    #[arg(long, value_name = "FILE")]
    firebase_hash_config: Option<PathBuf>,
    /// Begin after so many rows.
    #[arg(long, value_name = "ROWS", default_value_t = 0)]
    skip: u64,
    /// Write the rows at fault there, one JSON object a line, instead of telling them.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

pub async fn run(console: &Console, arguments: Arguments, output: Output) -> Result<(), StartError> {
    let form = form(&arguments)?;
    let mut rejects = Rejects::open(arguments.rejects.as_deref())?;
    let signals = Signals::listen().map_err(|error| StartError::Failed(format!("no signals: {error}")))?;
    let batches = source::read(arguments.file, form, arguments.skip);
    let mut tally = Tally::default();
    let outcome = take_in(console, batches, &signals, &mut tally, &mut rejects).await;
    rejects.close()?;
    if let Err(error) = outcome {
        let stands =
            format!("{} rows are done: go on after them with --skip {}", tally.rows(), tally.last.max(arguments.skip));
        return Err(match error {
            StartError::Settings(told) => StartError::Settings(told),
            StartError::Failed(told) => StartError::Failed(format!("{told}; {stands}")),
        });
    }
    output.show(vec![tally.record()])?;
    match tally.refused {
        0 => Ok(()),
        refused => Err(StartError::Failed(format!("{refused} of {} rows are at fault, the rest is in", tally.rows()))),
    }
}

fn form(arguments: &Arguments) -> Result<Form, StartError> {
    let config = arguments.firebase_hash_config.as_deref();
    match (arguments.from, config) {
        (Some(Service::Firebase), Some(file)) => {
            let told = |fault: &str| refused("--firebase-hash-config", fault);
            let text = read_secret_file(file).map_err(|fault| told(&fault))?;
            HashConfig::parse(text.expose()).map(Form::Firebase).map_err(told)
        }
        (Some(Service::Firebase), None) => Err(refused("--firebase-hash-config", "is needed with --from firebase")),
        (_, Some(_)) => Err(refused("--firebase-hash-config", "is for --from firebase")),
        (Some(Service::Keycloak), None) => Ok(Form::Keycloak),
        (Some(Service::Auth0), None) => Ok(Form::Auth0),
        (Some(Service::Supabase), None) => Ok(Form::Supabase),
        (None, None) => Ok(Form::Own(arguments.format)),
    }
}

async fn take_in(
    console: &Console,
    mut batches: mpsc::Receiver<Result<Batch, StartError>>,
    signals: &Signals,
    tally: &mut Tally,
    rejects: &mut Rejects,
) -> Result<(), StartError> {
    let interrupted = || StartError::Failed("interrupted".to_owned());
    // Whoever sends the rows may take their time over the next ones.
    while let Some(batch) = signals.stop.run_until_cancelled(batches.recv()).await.ok_or_else(interrupted)? {
        let Batch { numbers, rows } = batch?;
        let outcomes = write(console, &rows, signals).await.map_err(failed)?;
        for (number, outcome) in numbers.into_iter().zip(outcomes) {
            tally.last = number;
            match outcome {
                RowOutcome::Created(_) => tally.created += 1,
                RowOutcome::Exists(_) => tally.existing += 1,
                RowOutcome::Refused(error) => {
                    tally.refused += 1;
                    rejects.tell(number, &error)?;
                }
            }
        }
    }
    Ok(())
}

/// Writes a batch, again and again for a while where the database does not answer: what is in already stays as it is.
async fn write(console: &Console, rows: &[UserRow], signals: &Signals) -> ServiceResult<Vec<RowOutcome>> {
    let mut tries = 0;
    loop {
        let written = console.api.import_users.run(rows.to_vec(), &Console::operator()).await;
        match written {
            Err(ServiceError::DependencyUnavailable { .. } | ServiceError::ConcurrentChange) if tries < RETRIES => {
                tries += 1;
                if signals.stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                    return written;
                }
            }
            written => return written,
        }
    }
}

/// What has become of the rows so far.
#[derive(Default)]
struct Tally {
    created: u64,
    existing: u64,
    refused: u64,
    /// The number of the last row.
    last: u64,
}

impl Tally {
    fn rows(&self) -> u64 {
        self.created + self.existing + self.refused
    }

    fn record(&self) -> Record {
        vec![
            ("rows", json!(self.rows())),
            ("created", json!(self.created)),
            ("existing", json!(self.existing)),
            ("refused", json!(self.refused)),
        ]
    }
}
