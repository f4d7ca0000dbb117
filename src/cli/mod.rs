//! The command line: one file a subcommand.
//!
//! May import everything. Must not know how anything is built: that is `app`'s.

mod admin;
mod audit;
mod completions;
mod doctor;
mod healthcheck;
mod keys;
mod man;
mod migrate;
mod operator;
mod output;
mod password;
mod serve;
mod settings;
mod signals;
pub mod user_files;
mod users;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use self::output::Output;
use crate::app::Parts;
use crate::app::console::Console;
use crate::app::start_error::StartError;
use crate::config::Settings;
use crate::config::sources::Sources;
use crate::telemetry;

/// How long tasks that nobody waits for may hold up the end of the process.
const RUNTIME_TIMEOUT: Duration = Duration::from_secs(1);

/// A self-hosted gRPC authentication service.
#[derive(Debug, Parser)]
#[command(name = "keystead", version)]
struct Arguments {
    /// The settings, in TOML; KEYSTEAD_CONFIG names it otherwise. `keystead settings` tells what can be set.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How results are shown.
    #[arg(long, global = true, value_enum, default_value_t)]
    output: Output,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Serve until told to stop; the default.
    Serve,
    /// Bring the database's schema up to date, and end.
    Migrate,
    /// Ask the service that runs here by the same settings whether it is ready; for containers.
    Healthcheck,
    /// Print what can be set.
    Settings,
    /// Check the settings and all that the service stands on; change nothing. Ends with 1 if a check fails.
    Doctor {
        /// End with 1 at a warning too.
        #[arg(long)]
        strict: bool,
    },
    /// Print the script by which a shell completes this command line.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, or write the page of every command into a folder.
    Man {
        /// The folder, which must be there.
        #[arg(long, value_name = "FOLDER")]
        directory: Option<PathBuf>,
    },
    /// Make administrators.
    #[command(subcommand)]
    Admin(admin::Command),
    /// List accounts, close and open them, take them in and out.
    #[command(subcommand)]
    Users(users::Command),
    /// List, rotate and revoke signing keys; change the master key.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Read the audit trail.
    #[command(subcommand)]
    Audit(audit::Command),
}

/// How the process ended.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Success,
    /// The command line or the settings will not do (`EX_USAGE` of sysexits.h).
    BadUsage,
    Failure,
}

/// Runs what the command line asks for; what went wrong has been told when this returns.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Ending {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let ending = if error.use_stderr() { Ending::BadUsage } else { Ending::Success };
            return if error.print().is_ok() { ending } else { Ending::Failure };
        }
    };
    let Arguments { config, output, command } = arguments;
    match command.unwrap_or(Command::Serve) {
        Command::Settings => outside(settings::run()),
        Command::Completions { shell } => outside(completions::run(shell, Arguments::command())),
        Command::Man { directory } => outside(man::run(directory.as_deref(), Arguments::command())),
        Command::Doctor { strict } => with_settings(config, telemetry::Settings::silent, async |settings| {
            doctor::run(&settings, strict, output).await
        }),
        Command::Serve => with_settings(config, |log| log, serve::run),
        Command::Migrate => with_settings(config, |log| log, migrate::run),
        Command::Healthcheck => with_settings(config, telemetry::Settings::quiet, healthcheck::run),
        Command::Admin(command) => at_console(config, async |console| admin::run(console, command, output).await),
        Command::Users(command) => at_console(config, async |console| users::run(console, command, output).await),
        Command::Keys(command) => at_console(config, async |console| keys::run(console, command, output).await),
        Command::Audit(command) => at_console(config, async |console| audit::run(console, command, output).await),
    }
}

/// Runs what the operator asks for. What is only told is left out of the log: the result is what was asked for.
fn at_console(file: Option<PathBuf>, command: impl AsyncFnOnce(&Console) -> Result<(), StartError>) -> Ending {
    with_settings(file, telemetry::Settings::quiet, async |settings: Settings| {
        let console = Console::open(&settings, &Parts::of_system()).await?;
        let outcome = command(&console).await;
        console.close().await;
        outcome
    })
}

fn with_settings(
    file: Option<PathBuf>,
    log: impl FnOnce(telemetry::Settings) -> telemetry::Settings,
    command: impl AsyncFnOnce(Settings) -> Result<(), StartError>,
) -> Ending {
    let settings = match Sources::of_process(file).and_then(Settings::load) {
        Ok(settings) => settings,
        Err(faults) => return complain(&faults.to_string(), Ending::BadUsage),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("the runtime cannot be started: {error}"), Ending::Failure),
    };
    let inside = runtime.enter();
    // Dropped last, when the runtime has ended.
    let telemetry = match telemetry::start(&log(settings.log.clone())) {
        Ok(guard) => guard,
        Err(error) => return complain(&error.to_string(), Ending::Failure),
    };
    drop(inside);
    let outcome = runtime.block_on(command(settings));
    telemetry.flush();
    runtime.shutdown_timeout(RUNTIME_TIMEOUT);
    match outcome {
        Ok(()) => Ending::Success,
        Err(error @ StartError::Settings(_)) => log_failure(&error, Ending::BadUsage),
        Err(error @ StartError::Failed(_)) => log_failure(&error, Ending::Failure),
    }
}

/// How a command has ended that needs neither settings nor logs.
fn outside(outcome: Result<(), StartError>) -> Ending {
    match outcome {
        Ok(()) => Ending::Success,
        Err(error @ StartError::Settings(_)) => complain(&error.to_string(), Ending::BadUsage),
        Err(error @ StartError::Failed(_)) => complain(&error.to_string(), Ending::Failure),
    }
}

/// Before logging has started.
fn complain(text: &str, ending: Ending) -> Ending {
    // Where standard error is closed, the exit code tells.
    writeln!(std::io::stderr(), "keystead: {text}").unwrap_or_default();
    ending
}

fn log_failure(error: &StartError, ending: Ending) -> Ending {
    tracing::error!("{error}");
    ending
}

#[cfg(test)]
mod tests;
