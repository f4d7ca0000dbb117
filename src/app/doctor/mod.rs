//! Looks at everything that the service stands on, and says in plain words what is wrong and how to mend it.
//!
//! Changes nothing: no file is made, nothing is migrated, no mail is sent. No finding holds a secret.

mod database;
mod files;
mod keys;
mod mail;
mod redis;

use std::time::Duration;

use super::{Parts, install_tls_provider};
use crate::config::Settings;

/// How long one look may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    /// The service works, but not as it should; or it works without it, and heals by itself.
    Warn,
    /// The service would not start, or not do its work.
    Fail,
}

impl Verdict {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What was found of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub verdict: Verdict,
    pub found: String,
    /// What to do; empty where there is nothing.
    pub remedy: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, found: found.into(), remedy: String::new() }
    }

    fn warn(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warn, found: found.into(), remedy: remedy.into() }
    }

    fn fail(check: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fail, found: found.into(), remedy: remedy.into() }
    }
}

/// Takes every look, one after the other, in the order in which a start needs what is looked at.
pub async fn examine(settings: &Settings, parts: &Parts) -> Vec<Finding> {
    install_tls_provider();
    let mut findings = vec![Finding::ok("settings", "every setting is good")];
    findings.extend(database::examine(settings, parts).await);
    findings.push(bounded("redis", Verdict::Warn, redis::examine(settings, parts)).await);
    findings.push(bounded("mail", Verdict::Warn, mail::examine(settings, parts)).await);
    findings.push(files::disk(settings));
    findings.push(files::modes(settings));
    findings
}

/// A look that takes too long has found that; `silence` is what it means to the service.
async fn bounded(check: &'static str, silence: Verdict, look: impl Future<Output = Finding>) -> Finding {
    tokio::time::timeout(TIMEOUT, look).await.unwrap_or_else(|_| Finding {
        check,
        verdict: silence,
        found: "there was no answer within five seconds".to_owned(),
        remedy: "see whether it runs, and what is in between".to_owned(),
    })
}

#[cfg(test)]
mod tests;
