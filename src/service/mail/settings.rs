//! What mail is set to.

use std::time::Duration;

/// What mails say, and how delivery is tried. The sender's address belongs to whoever sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    /// How the service calls itself in subjects and texts.
    pub product: String,
    /// The page that takes a reset token; the token is appended as `#token=…`.
    pub reset_link: String,
    /// The page that takes a verification token; the token is appended as `#token=…`.
    pub verification_link: String,
    pub subjects: Subjects,
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
            subjects: Subjects::default(),
            token_lifetime: Duration::from_mins(30),
            tokens_per_hour: 3,
            retry: RetrySettings::default(),
        }
    }
}

/// The subject of each kind of mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    pub password_reset: String,
    pub email_verification: String,
    pub registration_attempt: String,
    pub password_changed: String,
    pub new_sign_in: String,
    pub email_changed: String,
}

impl Default for Subjects {
    fn default() -> Self {
        Self {
            password_reset: "Set a new password".to_owned(),
            email_verification: "Confirm your address".to_owned(),
            registration_attempt: "Somebody tried to register with your address".to_owned(),
            password_changed: "Your password was changed".to_owned(),
            new_sign_in: "New sign-in to your account".to_owned(),
            email_changed: "The address of your account was changed".to_owned(),
        }
    }
}

/// How the outbox is worked off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// How often the outbox is looked at while it is empty.
    pub poll_interval: Duration,
    /// How many mails are taken at once.
    pub batch: u32,
    /// For how long a taken mail is hidden from other workers; longer than a whole batch may take to send.
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
            lease: Duration::from_mins(5),
            first_wait: Duration::from_secs(10),
            longest_wait: Duration::from_hours(1),
            give_up_after: Duration::from_hours(72),
        }
    }
}
