//! `keystead doctor`: one line for each check.

use serde_json::json;

use super::output::{Output, Record};
use crate::app::Parts;
use crate::app::doctor::{self, Finding, Verdict};
use crate::app::start_error::StartError;
use crate::config::Settings;

/// Fails if a check does, and where `strict` is set if one warns.
pub async fn run(settings: &Settings, strict: bool, output: Output) -> Result<(), StartError> {
    let findings = doctor::examine(settings, &Parts::of_system()).await;
    output.show(findings.iter().map(record).collect())?;
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    match (count(Verdict::Fail), count(Verdict::Warn)) {
        (0, 0) => Ok(()),
        (0, _) if !strict => Ok(()),
        (failed, warned) => {
            let all = findings.len();
            Err(StartError::Failed(format!("of {all} checks {failed} failed, and {warned} warned")))
        }
    }
}

fn record(finding: &Finding) -> Record {
    vec![
        ("verdict", json!(finding.verdict.name())),
        ("check", json!(finding.check)),
        ("found", json!(finding.found)),
        ("remedy", json!(finding.remedy)),
    ]
}
