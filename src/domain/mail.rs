//! Mail: what the outbox holds from the request to the delivery.

use super::clock::Timestamp;
use super::email::Email;
use super::id::{MailId, UserId};
use super::name::Name;
use super::one_time_token::{NewOneTimeToken, TokenPurpose};
use super::origin::Source;
use super::user::Epoch;

/// What a mail is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// Carries a link that sets a new password.
    PasswordReset,
    /// Carries a link that verifies the address.
    EmailVerification,
    /// Tells the owner that somebody tried to register with their address.
    RegistrationAttempt,
    /// Tells the owner that the password was changed.
    PasswordChanged,
    /// Tells the owner of a sign-in from a source that is new to the account.
    NewSignIn,
    /// Carries a link that gives an account the address that it is mailed to.
    EmailChange,
    /// Tells the owner of an address that somebody wants it for another account.
    EmailChangeAttempt,
    /// Tells the address that an account had until now that it has another.
    EmailChanged,
    /// Tells the owner that the account has a second factor, or another one.
    TotpEnrolled,
    /// Tells the owner that the account has no second factor any more.
    TotpRemoved,
    /// Tells the owner that the recovery codes were replaced.
    RecoveryCodesReplaced,
    /// Tells the owner that a recovery code was used to sign in.
    RecoveryCodeUsed,
    /// Tells the owner that a sign-in whose first factor was right has met wrong codes until it ended.
    WrongCodes,
    /// Tells the owner that an identity at a provider opens the account from now on.
    IdentityLinked,
    /// Tells the owner that an identity at a provider no longer opens the account.
    IdentityUnlinked,
}

impl MailKind {
    pub const ALL: [Self; 15] = [
        Self::PasswordReset,
        Self::EmailVerification,
        Self::RegistrationAttempt,
        Self::PasswordChanged,
        Self::NewSignIn,
        Self::EmailChange,
        Self::EmailChangeAttempt,
        Self::EmailChanged,
        Self::TotpEnrolled,
        Self::TotpRemoved,
        Self::RecoveryCodesReplaced,
        Self::RecoveryCodeUsed,
        Self::WrongCodes,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
    ];

    /// What the token in it is for, if it holds one.
    pub const fn token_purpose(self) -> Option<TokenPurpose> {
        match self {
            Self::PasswordReset => Some(TokenPurpose::PasswordReset),
            Self::EmailVerification => Some(TokenPurpose::EmailVerification),
            Self::EmailChange => Some(TokenPurpose::EmailChange),
            Self::RegistrationAttempt
            | Self::PasswordChanged
            | Self::NewSignIn
            | Self::EmailChangeAttempt
            | Self::EmailChanged
            | Self::TotpEnrolled
            | Self::TotpRemoved
            | Self::RecoveryCodesReplaced
            | Self::RecoveryCodeUsed
            | Self::WrongCodes
            | Self::IdentityLinked
            | Self::IdentityUnlinked => None,
        }
    }
}

/// The account that a mail is about, where it was known when the mail was queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailOwner {
    pub user_id: UserId,
    /// The epoch that the user had then.
    pub epoch: Epoch,
}

/// A mail about an account that is known. It goes with the account.
#[derive(Clone, Debug)]
pub struct Notice {
    pub kind: MailKind,
    pub owner: MailOwner,
    /// Where it goes, whatever address the account has by then.
    pub to: Email,
    /// The device that it tells of; may be empty.
    pub device: Name,
}

/// A mail in the outbox, leased to one worker.
#[derive(Clone, Debug)]
pub struct QueuedMail {
    pub id: MailId,
    pub kind: MailKind,
    /// Where it goes if the account is known. Otherwise the address as it was asked for: what to look up, not where to
    /// send.
    pub requested_for: Email,
    pub owner: Option<MailOwner>,
    /// The network address of whoever caused it, if that is known.
    pub source: Option<Source>,
    /// The device that it tells of; may be empty.
    pub device: Name,
    /// The rendered message under the mail key, once there is one: it may hold a token.
    pub sealed: Option<Vec<u8>>,
    pub attempts: u32,
    pub queued_at: Timestamp,
}

/// What waits in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub mails: u64,
    /// Since when the oldest of them waits; `None` where there is none.
    pub oldest: Option<Timestamp>,
}

/// A rendered message, on its way into the outbox's row, with the token that it carries.
#[derive(Clone, Debug)]
pub struct PreparedMail {
    pub id: MailId,
    pub sealed: Vec<u8>,
    pub token: Option<NewOneTimeToken>,
}

/// A message ready to be sent.
#[derive(Clone, PartialEq, Eq)]
pub struct MailMessage {
    /// Becomes part of the Message-ID, so that a repeated delivery can be recognised.
    pub id: MailId,
    pub to: Email,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl std::fmt::Debug for MailMessage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("MailMessage").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why a message could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Worth another try: the server is away, or says so.
    #[error("mail could not be delivered for now")]
    Transient,
    /// No try will help: the server refuses the message or its recipient.
    #[error("mail was refused")]
    Permanent,
}
