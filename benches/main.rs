//! Measures the release binary over the wire, against limits that are measured in the same run.
//!
//! `cargo run --release --locked -p keystead-bench` measures everything; with ids behind `--`, only those:
//! `-- V1 L2`. `--users 100000` bounds the crowd of S1, `--plots FOLDER` draws, and `--built` measures the binary that
//! lies beside the bench as it is.

mod api;
mod empty;
mod fan_out;
mod growth;
mod h2load;
mod import;
mod keystead;
mod load;
mod local;
mod login;
mod pb;
mod plot;
mod process;
mod refresh;
mod report;
mod revocation;
mod size;
mod sql;
mod start;
#[expect(dead_code, clippy::expect_used, clippy::panic, reason = "the tests use the rest, and may panic")]
mod support;
mod telemetry;
mod verification;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::plot::Plot;
use crate::report::Figure;

/// What one part of the bench has found.
#[derive(Default)]
pub struct Found {
    pub figures: Vec<Figure>,
    pub plots: Vec<Plot>,
}

struct Arguments {
    ids: Vec<String>,
    users: usize,
    plots: Option<PathBuf>,
    is_built: bool,
}

impl Arguments {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self { ids: Vec::new(), users: 10_000_000, plots: None, is_built: false };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--users" => arguments.users = words.next().context("how many?")?.parse()?,
                "--plots" => arguments.plots = Some(words.next().context("where?")?.into()),
                "--built" => arguments.is_built = true,
                _ => arguments.ids.push(word),
            }
        }
        Ok(arguments)
    }

    fn wants(&self, ids: &[&str]) -> bool {
        self.ids.is_empty() || ids.iter().any(|id| self.ids.iter().any(|wanted| wanted == id))
    }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match words.as_slice() {
        [first, address, bytes] if first == empty::ARGUMENT => {
            runtime.block_on(empty::serve(address.parse()?, bytes.parse()?))
        }
        _ => runtime.block_on(measure(&Arguments::parse(words.into_iter())?)),
    }
}

async fn measure(arguments: &Arguments) -> Result<()> {
    if !arguments.is_built {
        keystead::build().await?;
    }
    tell("id, figure, limit, ratio (spread), target, verdict, what")?;
    if arguments.wants(&["V1", "V3"]) {
        show(&verification::throughput().await?, arguments)?;
    }
    if arguments.wants(&["V2"]) {
        show(&verification::unseen().await?, arguments)?;
    }
    if arguments.wants(&["V4"]) {
        show(&local::measure().await?, arguments)?;
    }
    if arguments.wants(&["V5"]) {
        show(&revocation::measure().await?, arguments)?;
        show(&fan_out::measure().await?, arguments)?;
    }
    if arguments.wants(&["L1"]) {
        show(&login::saturation().await?, arguments)?;
    }
    if arguments.wants(&["L2"]) {
        show(&login::flood().await?, arguments)?;
    }
    if arguments.wants(&["L3"]) {
        show(&login::overload().await?, arguments)?;
    }
    if arguments.wants(&["F1"]) {
        show(&refresh::measure().await?, arguments)?;
    }
    if arguments.wants(&["M1"]) {
        show(&start::footprint().await?, arguments)?;
    }
    if arguments.wants(&["I1"]) {
        show(&import::measure().await?, arguments)?;
    }
    if arguments.wants(&["D1"]) {
        show(&size::measure().await?, arguments)?;
    }
    if arguments.wants(&["S1"]) {
        show(&growth::measure(arguments.users).await?, arguments)?;
    }
    if arguments.wants(&["T1"]) {
        show(&telemetry::measure().await?, arguments)?;
    }
    if arguments.wants(&["S2"]) {
        show(&start::revocations().await?, arguments)?;
    }
    Ok(())
}

fn show(found: &Found, arguments: &Arguments) -> Result<()> {
    for figure in &found.figures {
        tell(&figure.to_string())?;
    }
    let Some(folder) = &arguments.plots else { return Ok(()) };
    std::fs::create_dir_all(folder)?;
    found.plots.iter().try_for_each(|plot| plot.draw(folder))
}

fn tell(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
