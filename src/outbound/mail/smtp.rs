//! Mail by SMTP.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Uri;
use lettre::message::Mailbox;
use lettre::transport::smtp::response::Category;
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use zeroize::Zeroizing;

use super::SettingsFault;
use super::message::{Carrier, compose};
use crate::domain::clock::Clock;
use crate::domain::mail::{MailError, MailMessage};
use crate::domain::ports::Mailer;

/// How long one command may take.
const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_CONNECTIONS: u32 = 4;

/// A server's URL that keeps passwords and mail off the wire in clear text, except to this machine.
pub struct SmtpUrl(Zeroizing<String>);

impl SmtpUrl {
    pub fn parse(text: &str) -> Result<Self, SettingsFault> {
        let uri: Uri = text.parse().map_err(|_| SettingsFault::Url)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(SettingsFault::Url)?;
        let base = text.split('?').next().unwrap_or_default();
        let url = match (uri.scheme_str(), uri.query()) {
            (Some("smtps"), None | Some("tls=required")) => base.to_owned(),
            (Some("smtp"), None | Some("tls=required")) => format!("{base}?tls=required"),
            (Some("smtp"), Some("tls=none")) if is_loopback(host) => base.to_owned(),
            _ => return Err(SettingsFault::Url),
        };
        Ok(Self(Zeroizing::new(url)))
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Hands mail to a server over connections that are kept for the next one.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    clock: Arc<dyn Clock>,
}

impl SmtpMailer {
    pub fn new(url: &SmtpUrl, from: Mailbox, clock: Arc<dyn Clock>) -> Result<Self, SettingsFault> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url.0)
            .map_err(|_| SettingsFault::Url)?
            .timeout(Some(TIMEOUT))
            .pool_config(PoolConfig::new().max_size(MAX_CONNECTIONS))
            .build();
        Ok(Self { transport, from, clock })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, message: &MailMessage) -> Result<(), MailError> {
        let mail = compose(message, &self.from, self.clock.now(), Carrier::SevenBit)?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let verdict = judge(&error);
                // The server's own words may repeat the address: the code has to do.
                let code = error.status().map(|code| code.to_string());
                tracing::warn!(mail.id = %message.id, code, timeout = error.is_timeout(), %verdict, "mail was not taken");
                Err(verdict)
            }
        }
    }
}

/// A refusal is final only if it speaks of the mail system (5x5, RFC 5321, section 4.2.1): a mailbox, a policy. The
/// others speak of what an operator can mend, such as a wrong password (535) or a missing STARTTLS (530).
fn judge(error: &Error) -> MailError {
    match error.status() {
        Some(code) if error.is_permanent() && code.category == Category::MailSystem => MailError::Permanent,
        _ => MailError::Transient,
    }
}
