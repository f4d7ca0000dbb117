//! The audit trail: events named by the OWASP logging vocabulary.

use super::id::{SessionId, UserId};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditKind {
    UserCreated,
    LoginSucceeded,
    LoginFailed,
    /// The cap on failures in a row was reached.
    LoginLocked,
    /// A rate limit refused an attempt; told once a key and minute.
    RateLimited,
    SessionCreated,
    SessionEnded,
    /// A refresh token was used a second time.
    TokenReused,
    PasswordChanged,
    /// The stored hash was renewed at a login; the password is the same.
    PasswordRehashed,
    ResetRequested,
    EmailVerified,
    KeyCreated,
    KeyActivated,
    KeyRetired,
}

impl AuditKind {
    /// The event's name in the OWASP logging vocabulary, or in its manner where it has none.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserCreated => "user_created",
            Self::LoginSucceeded => "authn_login_success",
            Self::LoginFailed => "authn_login_fail",
            Self::LoginLocked => "authn_login_lock",
            Self::RateLimited => "excess_rate_limit_exceeded",
            Self::SessionCreated => "session_created",
            Self::SessionEnded => "session_expired",
            Self::TokenReused => "authn_token_reuse",
            Self::PasswordChanged => "authn_password_change",
            Self::PasswordRehashed => "authn_password_rehash",
            Self::ResetRequested => "authn_password_reset_request",
            Self::EmailVerified => "user_email_verified",
            Self::KeyCreated => "crypto_key_created",
            Self::KeyActivated => "crypto_key_activated",
            Self::KeyRetired => "crypto_key_retired",
        }
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditOutcome {
    Success,
    Failure,
}

/// An event, before the store gives it its id; ids only, never an address or a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    pub kind: AuditKind,
    pub outcome: AuditOutcome,
    /// Who did it, where that is known.
    pub actor: Option<UserId>,
    /// Whom it befell.
    pub subject: Option<UserId>,
    pub session: Option<SessionId>,
    /// A word of the code's own that tells more, for example the RPC or the key's id.
    pub detail: Option<String>,
}
