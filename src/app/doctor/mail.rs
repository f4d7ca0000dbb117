//! Mail.

use std::sync::Arc;

use super::Finding;
use crate::app::Parts;
use crate::config::Settings;
use crate::outbound::mail::{Delivery, ProbeFault, probe};

const MAIL: &str = "mail";

/// Whether the server would take a mail; none is sent.
pub async fn examine(settings: &Settings, parts: &Parts) -> Finding {
    if let Delivery::Files(folder) = &settings.mail.delivery {
        let found = format!("mails are written into {}", folder.display());
        if settings.grpc.listen.ip().to_canonical().is_loopback() {
            return Finding::ok(MAIL, found);
        }
        return Finding::warn(MAIL, found, "set mail.smtp_url: nobody gets them");
    }
    match probe(&settings.mail, Arc::clone(&parts.clock)).await {
        Ok(()) => Finding::ok(MAIL, "the server answers and lets the service in"),
        Err(fault) => unusable(&fault),
    }
}

/// Without an answer mails wait, and are sent later; what a setting is to blame for stays.
fn unusable(fault: &ProbeFault) -> Finding {
    let found = format!("the server cannot be used: {fault}");
    match fault {
        ProbeFault::Connection | ProbeFault::Timeout => {
            Finding::warn(MAIL, found, "start it, or correct host and port in mail.smtp_url; until then mails wait")
        }
        ProbeFault::Settings => Finding::fail(MAIL, found, "correct mail.smtp_url and mail.sender"),
        ProbeFault::Tls => Finding::fail(
            MAIL,
            found,
            "name its authority by tls.ca_file, and the host as its certificate does; smtps:// is TLS from the start",
        ),
        ProbeFault::Feature => {
            Finding::fail(MAIL, found, "use a port where it offers STARTTLS (587), or smtps:// (465)")
        }
        ProbeFault::Refused(_) => Finding::fail(MAIL, found, "correct user and password in mail.smtp_url"),
    }
}
