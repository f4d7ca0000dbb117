//! PostgreSQL's own programs, for what no client of Keystead can do.

use std::io::Write as _;
use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::support::packages;

/// Runs statements; what they give, one row a line, columns separated by `|`.
pub async fn run(database: &str, statements: &str) -> Result<String> {
    let mut command = Command::new(packages::postgres_programs().join("psql"));
    command.args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statements]);
    checked(command.output().await?)
}

/// Transactions a second of a script, by so many clients, each with prepared statements.
pub async fn pgbench(database: &str, script: &str, clients: usize, seconds: u64) -> Result<f64> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(script.as_bytes())?;
    let mut command = Command::new(packages::postgres_programs().join("pgbench"));
    command.args(["-n", "-M", "prepared", "-j", "1", "-c", &clients.to_string(), "-T", &seconds.to_string(), "-f"]);
    let told = checked(command.arg(file.path()).arg(database).output().await?)?;
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")).context("pgbench tells its rate")?;
    Ok(rate.split(' ').next().context("a number")?.parse()?)
}

fn checked(output: Output) -> Result<String> {
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
