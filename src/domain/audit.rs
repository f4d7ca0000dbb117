//! The audit trail: events named by the OWASP logging vocabulary.

use super::id::{PrincipalId, SessionId};
use super::ports::AuditContext;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident => $word:literal),+ $(,)?) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AuditKind {
            $($(#[$doc])* $variant),+
        }

        impl AuditKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The event's name in the OWASP logging vocabulary, or in its manner where it has none.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}

kinds! {
    UserCreated => "user_created",
    LoginSucceeded => "authn_login_success",
    /// The first factor was right, and a second one is asked for.
    LoginChallenged => "authn_login_challenge",
    LoginFailed => "authn_login_fail",
    /// The cap on failures in a row was reached.
    LoginLocked => "authn_login_lock",
    /// A rate limit refused an attempt; told once a key and minute.
    RateLimited => "excess_rate_limit_exceeded",
    SessionCreated => "session_created",
    SessionEnded => "session_expired",
    /// A refresh token was used a second time.
    TokenReused => "authn_token_reuse",
    PasswordChanged => "authn_password_change",
    /// The stored hash was renewed at a login; the password is the same.
    PasswordRehashed => "authn_password_rehash",
    ResetRequested => "authn_password_reset_request",
    SecondFactorEnrolled => "authn_second_factor_enrolled",
    SecondFactorRemoved => "authn_second_factor_removed",
    RecoveryCodesReplaced => "authn_recovery_codes_replaced",
    /// A recovery code completed a sign-in, and is used up.
    RecoveryCodeUsed => "authn_recovery_code_used",
    /// The last wrong code that it allows ended a sign-in whose first factor was right.
    ChallengeExhausted => "authn_login_fail_max",
    EmailVerified => "user_email_verified",
    EmailChangeRequested => "user_email_change_request",
    EmailChanged => "user_email_change",
    /// An identity at a provider opens an account from now on; `detail` names the provider.
    IdentityLinked => "authn_identity_linked",
    IdentityUnlinked => "authn_identity_unlinked",
    /// An account with an address that nobody had verified was emptied for whoever a provider says has the address.
    AccountReclaimed => "user_reclaimed",
    UserUpdated => "user_updated",
    UserDisabled => "user_disabled",
    UserEnabled => "user_enabled",
    UserDeleted => "user_deleted",
    /// Accounts were exported; the detail tells whether with their hashes.
    UsersExported => "users_exported",
    /// An administrator took the password away and had a reset mailed.
    ResetRequired => "authn_password_reset_required",
    /// A caller lacked the role that a method wants; told once a caller, method and minute.
    PermissionDenied => "authz_fail",
    RoleCreated => "authz_role_created",
    RoleDeleted => "authz_role_deleted",
    RoleGranted => "authz_role_granted",
    RoleRevoked => "authz_role_revoked",
    ServiceAccountCreated => "service_account_created",
    ServiceAccountDeleted => "service_account_deleted",
    ServiceAccountSecretRotated => "service_account_secret_rotated",
    /// A service account exchanged its secret for an access token.
    TokenIssued => "authn_token_created",
    TokenRevoked => "authn_token_revoked",
    KeyCreated => "crypto_key_created",
    KeyActivated => "crypto_key_activated",
    KeyRetired => "crypto_key_retired",
    /// A signing key was removed in an emergency.
    KeyRevoked => "crypto_key_revoked",
    /// Every server key was sealed anew, under another master key.
    MasterKeyRotated => "crypto_master_key_rotated",
}

impl AuditKind {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
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

#[cfg(test)]
mod tests {
    use super::*;

    // promise G1
    #[test]
    fn every_kind_is_in_the_documentation_and_no_other() {
        let page = include_str!("../../docs/audit.md");
        let (_, table) = page.split_once("\n## Kinds\n").expect("the table of kinds");
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let documented: Vec<&str> = rows.map(|(name, _)| name).collect();
        assert_eq!(documented, AuditKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    }

    #[test]
    fn every_kind_is_found_by_its_name_alone() {
        for kind in AuditKind::ALL {
            assert_eq!(AuditKind::named(kind.as_str()), Some(*kind));
        }
        assert_eq!(AuditKind::named("USER_CREATED"), None);
    }
}
