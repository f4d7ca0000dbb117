//! `keystead doctor`: one line for each check.

use serde_json::json;

use super::output::{Output, Record};
use crate::app::Parts;
use crate::app::doctor::{self, Finding, Verdict};
use crate::app::start_error::StartError;
use crate::config::Settings;

pub async fn run(settings: &Settings, output: Output) -> Result<(), StartError> {
    let findings = doctor::examine(settings, &Parts::of_system()).await;
    output.show(findings.iter().map(record).collect())?;
    match findings.iter().filter(|finding| finding.verdict == Verdict::Fail).count() {
        0 => Ok(()),
        failed => Err(StartError::Failed(format!("{failed} of {} checks failed", findings.len()))),
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
