//! The audit trail: events named by the OWASP logging vocabulary.

use super::id::{PrincipalId, SessionId};
use super::ports::AuditContext;

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
    EmailChangeRequested,
    EmailChanged,
    UserUpdated,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    /// An administrator took the password away and had a reset mailed.
    ResetRequired,
    /// A caller lacked the role that a method wants; told once a caller, method and minute.
    PermissionDenied,
    RoleCreated,
    RoleDeleted,
    RoleGranted,
    RoleRevoked,
    ServiceAccountCreated,
    ServiceAccountDeleted,
    ServiceAccountSecretRotated,
    /// A service account exchanged its secret for an access token.
    TokenIssued,
    TokenRevoked,
    KeyCreated,
    KeyActivated,
    KeyRetired,
    /// A signing key was removed in an emergency.
    KeyRevoked,
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
            Self::EmailChangeRequested => "user_email_change_request",
            Self::EmailChanged => "user_email_change",
            Self::UserUpdated => "user_updated",
            Self::UserDisabled => "user_disabled",
            Self::UserEnabled => "user_enabled",
            Self::UserDeleted => "user_deleted",
            Self::ResetRequired => "authn_password_reset_required",
            Self::PermissionDenied => "authz_fail",
            Self::RoleCreated => "authz_role_created",
            Self::RoleDeleted => "authz_role_deleted",
            Self::RoleGranted => "authz_role_granted",
            Self::RoleRevoked => "authz_role_revoked",
            Self::ServiceAccountCreated => "service_account_created",
            Self::ServiceAccountDeleted => "service_account_deleted",
            Self::ServiceAccountSecretRotated => "service_account_secret_rotated",
            Self::TokenIssued => "authn_token_created",
            Self::TokenRevoked => "authn_token_revoked",
            Self::KeyCreated => "crypto_key_created",
            Self::KeyActivated => "crypto_key_activated",
            Self::KeyRetired => "crypto_key_retired",
            Self::KeyRevoked => "crypto_key_revoked",
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
    pub actor: Option<PrincipalId>,
    /// Whom it befell.
    pub subject: Option<PrincipalId>,
    pub session: Option<SessionId>,
    /// A word of the code's own that tells more, for example the RPC or the key's id.
    pub detail: Option<String>,
}

impl AuditEvent {
    /// What the context's actor did to `subject`, in the actor's session.
    pub fn by_actor(kind: AuditKind, subject: Option<PrincipalId>, context: &AuditContext) -> Self {
        let actor = context.actor;
        Self {
            kind,
            outcome: AuditOutcome::Success,
            actor: actor.map(|actor| actor.id),
            subject,
            session: actor.and_then(|actor| actor.session),
            detail: None,
        }
    }
}
