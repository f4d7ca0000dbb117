//! Changes to what an account may do, by somebody else's word.

use super::audit::{AuditEvent, AuditKind};
use super::clock::Timestamp;
use super::id::{PrincipalId, SessionId, UserId};
use super::ports::AuditContext;
use super::revocation::Revocation;
use super::role::RoleName;
use super::user::{ROLE_ADMIN, ROLE_USER, User, UserState};
use super::user_change::MAX_ROLES;

/// What shall become of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RightsChange {
    Grant(RoleName),
    Revoke(RoleName),
    Disable,
    Enable,
}

impl RightsChange {
    /// Whether the account is already as it shall be.
    pub fn is_done(&self, user: &User) -> bool {
        let holds = |role: &RoleName| user.roles.iter().any(|held| held == role.as_str());
        match self {
            Self::Grant(role) => holds(role),
            Self::Revoke(role) => !holds(role),
            Self::Disable => user.state == UserState::Disabled,
            Self::Enable => user.state == UserState::Active,
        }
    }

    /// Whether it would give the account more roles than it may have.
    pub fn is_too_many(&self, user: &User) -> bool {
        matches!(self, Self::Grant(_)) && user.roles.len() >= MAX_ROLES
    }

    /// Whether it takes from an administrator what makes them one.
    pub fn demotes(&self) -> bool {
        match self {
            Self::Revoke(role) => role.as_str() == ROLE_ADMIN,
            Self::Disable => true,
            Self::Grant(_) | Self::Enable => false,
        }
    }

    /// Whether access tokens already out are refused from then on: they say what is no longer true.
    pub fn revokes_tokens(&self) -> bool {
        *self != Self::Enable
    }

    /// What the trail is told.
    pub fn event(&self, user: UserId, context: &AuditContext) -> AuditEvent {
        let (kind, role) = match self {
            Self::Grant(role) => (AuditKind::RoleGranted, Some(role)),
            Self::Revoke(role) => (AuditKind::RoleRevoked, Some(role)),
            Self::Disable => (AuditKind::UserDisabled, None),
            Self::Enable => (AuditKind::UserEnabled, None),
        };
        AuditEvent { detail: role.map(RoleName::to_string), ..AuditEvent::by_actor(kind, Some(user.into()), context) }
    }
}

/// One event for each role that an account is created with, as if they were granted one by one: who searches the trail
/// for a role finds them. The role `user`, which every user has, is not told.
pub fn roles_granted(
    account: PrincipalId,
    roles: &[RoleName],
    context: &AuditContext,
) -> impl Iterator<Item = AuditEvent> {
    let granted = roles.iter().filter(|role| role.as_str() != ROLE_USER);
    granted.map(move |role| AuditEvent {
        detail: Some(role.to_string()),
        ..AuditEvent::by_actor(AuditKind::RoleGranted, Some(account), context)
    })
}

/// One event for each session that ended with a change to its account.
pub fn sessions_ended(user: UserId, sessions: &[SessionId], context: &AuditContext) -> Vec<AuditEvent> {
    let ended = |session: &SessionId| AuditEvent {
        session: Some(*session),
        ..AuditEvent::by_actor(AuditKind::SessionEnded, Some(user.into()), context)
    };
    sessions.iter().map(ended).collect()
}

/// What became of a change.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RightsOutcome {
    /// The account as it now stands, what was revoked with the change, and the sessions that ended.
    Changed {
        user: User,
        revocations: Vec<Revocation>,
        ended: Vec<SessionId>,
    },
    /// It was so already: nothing was written.
    Unchanged(User),
    UserUnknown,
    RoleUnknown,
    /// The account has as many roles as it may have: nothing was written.
    TooManyRoles,
    /// No administrator who can sign in would be left: nothing was written.
    LastAdmin,
}

/// An account that is to go.
#[derive(Clone, Copy, Debug)]
pub struct UserDeletion {
    pub user: UserId,
    /// The key of its record of failures and of known sources.
    pub account_key: [u8; 32],
    /// Until when the revocation of its tokens matters.
    pub revocations_expire_at: Timestamp,
}

/// What became of a deletion.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletionOutcome {
    Deleted {
        revocations: Vec<Revocation>,
    },
    UserUnknown,
    /// No administrator who can sign in would be left: nothing was written.
    LastAdmin,
}
