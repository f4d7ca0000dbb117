//! PostgreSQL's own programs, for what no client of Keystead can do.

use std::io::Write as _;
use std::path::Path;
use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::support::packages;

/// Runs statements; what they give, one row a line, columns separated by `|`.
pub async fn run(database: &str, statements: &str) -> Result<String> {
    run_each(database, &[statements.to_owned()]).await
}

/// The same for commands of psql too, one after the other on one connection.
pub async fn run_each(database: &str, commands: &[String]) -> Result<String> {
    let mut command = Command::new(packages::postgres_programs().join("psql"));
    command.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]);
    command.args(commands.iter().flat_map(|text| ["-c", text]));
    checked(command.output().await?)
}

/// The same on a file of SQLite's.
pub async fn run_sqlite(file: &Path, statements: &str) -> Result<String> {
    let mut command = Command::new(packages::sqlite3());
    checked(command.args(["-bail", "-cmd", ".timeout 10000"]).arg(file).arg(statements).output().await?)
}

/// How long pgbench goes on.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    Seconds(u64),
    /// Of each client.
    Transactions(u32),
}

/// Transactions a second of a script, by so many clients, each with prepared statements.
pub async fn pgbench(database: &str, script: &str, clients: usize, length: Length) -> Result<f64> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(script.as_bytes())?;
    let mut command = Command::new(packages::postgres_programs().join("pgbench"));
    let [flag, length] = match length {
        Length::Seconds(seconds) => ["-T".to_owned(), seconds.to_string()],
        Length::Transactions(count) => ["-t".to_owned(), count.to_string()],
    };
    command.args(["-n", "-M", "prepared", "-j", "1", "-c", &clients.to_string(), &flag, &length, "-f"]);
    let told = checked(command.arg(file.path()).arg(database).output().await?)?;
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench tells its rate")?;
    Ok(rate.split(' ').next().context("a number")?.parse()?)
}

fn checked(output: Output) -> Result<String> {
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
