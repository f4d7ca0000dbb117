//! Mail by SMTP.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Uri;
use lettre::message::Mailbox;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
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
/// How many idle connections are kept; open are as many as mails are sent at once.
const KEPT_CONNECTIONS: u32 = 8;

/// A server's URL that keeps passwords and mail off the wire in clear text, except to this machine.
pub struct SmtpUrl {
    url: Zeroizing<String>,
    host: String,
    encryption: Encryption,
}

/// From when on TLS is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encryption {
    Start,
    StartTls,
    Never,
}

impl SmtpUrl {
    pub fn parse(text: &str) -> Result<Self, SettingsFault> {
        let uri: Uri = text.parse().map_err(|_| SettingsFault::Url)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(SettingsFault::Url)?;
        let base = text.split('?').next().unwrap_or_default();
        let (url, encryption) = match (uri.scheme_str(), uri.query()) {
            (Some("smtps"), None | Some("tls=required")) => (base.to_owned(), Encryption::Start),
            (Some("smtp"), None | Some("tls=required")) => (format!("{base}?tls=required"), Encryption::StartTls),
            (Some("smtp"), Some("tls=none")) if is_loopback(host) => (base.to_owned(), Encryption::Never),
            _ => return Err(SettingsFault::Url),
        };
        Ok(Self { url: Zeroizing::new(url), host: host.to_owned(), encryption })
    }

    /// How TLS is spoken where authorities of the operator's own may vouch for the server, beside the public ones.
    fn tls(&self, authorities: &str) -> Result<Tls, SettingsFault> {
        let certificates = Certificate::from_pem(authorities.as_bytes()).map_err(|_| SettingsFault::Authorities)?;
        let parameters = TlsParameters::builder(self.host.clone()).add_root_certificate(certificates).build();
        let parameters = parameters.map_err(|_| SettingsFault::Authorities)?;
        Ok(match self.encryption {
            Encryption::Start => Tls::Wrapper(parameters),
            Encryption::StartTls => Tls::Required(parameters),
            Encryption::Never => Tls::None,
        })
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
    pub fn new(
        url: &SmtpUrl,
        authorities: Option<&str>,
        from: Mailbox,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SettingsFault> {
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url.url).map_err(|_| SettingsFault::Url)?;
        if let Some(authorities) = authorities {
            transport = transport.tls(url.tls(authorities)?);
        }
        let transport =
            transport.timeout(Some(TIMEOUT)).pool_config(PoolConfig::new().max_size(KEPT_CONNECTIONS)).build();
        Ok(Self { transport, from, clock })
    }

    /// Whether the server would take a mail, as far as can be told without one.
    pub async fn probe(&self) -> Result<(), ProbeFault> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(ProbeFault::Refused(None)),
            Err(error) if error.is_tls() => Err(ProbeFault::Tls),
            Err(error) if error.is_timeout() => Err(ProbeFault::Timeout),
            Err(error) if error.is_client() => Err(ProbeFault::Feature),
            Err(error) => match error.status() {
                Some(code) => Err(ProbeFault::Refused(Some(code.to_string()))),
                // What TLS refuses comes wrapped in a fault of the connection.
                None if is_certificate_fault(&error) => Err(ProbeFault::Tls),
                None => Err(ProbeFault::Connection),
            },
        }
    }
}

/// Why a mail server would take no mail. Its own words are not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProbeFault {
    #[error("the settings will not do")]
    Settings,
    #[error("no connection")]
    Connection,
    #[error("no answer in time")]
    Timeout,
    #[error("its certificate does not verify, or it speaks no TLS there")]
    Tls,
    #[error("it does not offer what is needed: STARTTLS, or a way to sign in")]
    Feature,
    #[error("it refuses{}", .0.as_ref().map(|code| format!(", with {code}")).unwrap_or_default())]
    Refused(Option<String>),
}

fn is_certificate_fault(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>() || matches!(inner, Some(inner) if inner.is::<rustls::Error>()) {
            return true;
        }
        cause = error.source();
    }
    false
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
