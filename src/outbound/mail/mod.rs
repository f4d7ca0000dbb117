//! Delivery of mail: by SMTP, or into files where no server is configured.
//!
//! Owns the settings and the form of a message on the wire. May import `domain`. Must not know what a mail says.

mod file;
mod message;
mod smtp;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use lettre::message::Mailbox;
use zeroize::Zeroizing;

use crate::domain::clock::Clock;
use crate::domain::ports::Mailer;

use file::FileMailer;
pub use smtp::ProbeFault;
use smtp::{SmtpMailer, SmtpUrl};

/// Where mail goes.
#[derive(Clone)]
pub enum Delivery {
    /// As `.eml` files into this folder, which is made if it is missing (0700).
    Files(PathBuf),
    /// To the server of this URL: `smtp://user:password@host:587` (STARTTLS required), `smtps://…` (TLS from the
    /// start), or `smtp://127.0.0.1:25?tls=none` (clear text, loopback only). User and password percent-encoded.
    Smtp(Zeroizing<String>),
}

/// How mail is delivered.
#[derive(Clone)]
pub struct Settings {
    pub delivery: Delivery,
    /// The sender: `no-reply@example.com` or `Example <no-reply@example.com>`.
    pub from: String,
    /// Certificates (PEM) that are trusted beside those of the public authorities.
    pub authorities: Option<Arc<str>>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Settings").field("from", &self.from).finish_non_exhaustive()
    }
}

/// What is wrong with a setting. It names the rule, never the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsFault {
    #[error("the sender must be an e-mail address, alone or as Name <address>")]
    From,
    #[error("the authorities must be certificates in PEM")]
    Authorities,
    #[error("the URL must be smtp:// or smtps:// with a host; tls may be required, or none on loopback")]
    Url,
}

impl Settings {
    /// Every fault of these settings; empty if they will do.
    pub fn validate(&self) -> Vec<SettingsFault> {
        let from = self.sender().err();
        let url = match &self.delivery {
            Delivery::Files(_) => None,
            Delivery::Smtp(url) => SmtpUrl::parse(url).err(),
        };
        from.into_iter().chain(url).collect()
    }

    fn sender(&self) -> Result<Mailbox, SettingsFault> {
        self.from.parse().map_err(|_| SettingsFault::From)
    }
}

/// The mailer that the settings ask for. Connects to nobody yet.
pub fn mailer(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Mailer>, SettingsFault> {
    let from = settings.sender()?;
    Ok(match &settings.delivery {
        Delivery::Files(folder) => Arc::new(FileMailer::new(folder.clone(), from, clock)),
        Delivery::Smtp(url) => {
            Arc::new(SmtpMailer::new(&SmtpUrl::parse(url)?, settings.authorities.as_deref(), from, clock)?)
        }
    })
}

/// Greets the mail server, encrypts and signs in as for a mail, and sends none. Nothing is asked where mails are files.
pub async fn probe(settings: &Settings, clock: Arc<dyn Clock>) -> Result<(), ProbeFault> {
    let Delivery::Smtp(url) = &settings.delivery else { return Ok(()) };
    let url = SmtpUrl::parse(url).map_err(|_| ProbeFault::Settings)?;
    let from = settings.sender().map_err(|_| ProbeFault::Settings)?;
    let mailer = SmtpMailer::new(&url, settings.authorities.as_deref(), from, clock);
    mailer.map_err(|_| ProbeFault::Settings)?.probe().await
}

#[cfg(test)]
mod tests;
