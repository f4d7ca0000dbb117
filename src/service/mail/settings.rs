//! What mail is set to.

use std::path::PathBuf;
use std::time::Duration;

use crate::domain::language::Language;
use crate::domain::one_time_token::TokenPurpose;

/// What mails say, and how delivery is tried. The sender's address belongs to whoever sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// How the service calls itself in subjects and texts.
    pub product: String,
    /// The page that takes a reset token; the token is appended as `#token=…`.
    pub reset_link: String,
    /// The page that takes a verification token; the token is appended as `#token=…`.
    pub verification_link: String,
    /// The page that takes a token of a new address; the token is appended as `#token=…`.
    pub email_change_link: String,
    /// The language of mails to whoever has chosen none.
    pub language: Language,
    /// The operator's own templates, which take the places of the built-in ones.
    pub templates: Option<PathBuf>,
    /// How long a mailed token works.
    pub token_lifetime: Duration,
    /// How many tokens of one purpose a user is mailed an hour.
    pub tokens_per_hour: u32,
    pub retry: RetrySettings,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            product: "Keystead".to_owned(),
            reset_link: "http://localhost:8080/reset".to_owned(),
            verification_link: "http://localhost:8080/verify".to_owned(),
            email_change_link: "http://localhost:8080/change-email".to_owned(),
            language: Language::english(),
            templates: None,
            token_lifetime: Duration::from_mins(30),
            tokens_per_hour: 3,
            retry: RetrySettings::default(),
        }
    }
}

impl MailSettings {
    /// The page that takes a token of this purpose: a setting, whatever a request says.
    pub fn page(&self, purpose: TokenPurpose) -> &str {
        match purpose {
            TokenPurpose::PasswordReset => &self.reset_link,
            TokenPurpose::EmailVerification => &self.verification_link,
            TokenPurpose::EmailChange => &self.email_change_link,
        }
    }
}

/// How the outbox is worked off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// How often the outbox is looked at while it is empty.
    pub poll_interval: Duration,
    /// How many mails are taken, and sent, at once.
    pub batch: u32,
    /// For how long a taken mail is hidden from other workers; longer than a batch may take to send. A mail whose worker
    /// died, or never heard what it had taken, is late by so much.
    pub lease: Duration,
    /// The wait after the first failed delivery; it doubles with each.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// A mail this old is given up; one that holds a token as soon as the token has expired.
    pub give_up_after: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(1),
            batch: 8,
            lease: Duration::from_mins(2),
            first_wait: Duration::from_secs(10),
            longest_wait: Duration::from_hours(1),
            give_up_after: Duration::from_hours(72),
        }
    }
}
