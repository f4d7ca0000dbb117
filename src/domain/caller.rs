//! Who calls: what a verified access token says, as a typed value.

use super::clock::Timestamp;
use super::id::{PrincipalId, SessionId, UserId};
use super::origin::Origin;
use super::ports::{Actor, AuditContext};

/// A caller whose bearer has been verified. Identity comes from here alone, never from a request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub id: PrincipalId,
    pub kind: CallerKind,
    pub session: SessionId,
    /// When the caller last proved who they are.
    pub authenticated_at: Timestamp,
    /// How they proved it (RFC 8176).
    pub methods: Vec<String>,
    /// As the token carries them, or as the database holds them where the method's rule has them read again.
    pub roles: Vec<String>,
    /// When the bearer stops working: a stream ends then.
    pub expires_at: Timestamp,
}

/// What kind of principal calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerKind {
    User,
    ServiceAccount,
}

impl Caller {
    /// The user who calls; `None` for a service account.
    pub fn user(&self) -> Option<UserId> {
        match self.kind {
            CallerKind::User => Some(UserId::from_uuid(self.id.as_uuid())),
            CallerKind::ServiceAccount => None,
        }
    }

    /// What audit events of the caller's deeds need.
    pub fn context(&self, origin: &Origin, at: Timestamp) -> AuditContext {
        self.initiates(origin).context(at)
    }

    /// The caller as the one at whose word something is done.
    pub fn initiates(&self, origin: &Origin) -> Initiator {
        Initiator { actor: Some(Actor { id: self.id, session: Some(self.session) }), origin: *origin }
    }
}

/// At whose word something is done, and from where: a caller's, or the operator's at the command line, who is nobody's
/// account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Initiator {
    pub actor: Option<Actor>,
    pub origin: Origin,
}

impl Initiator {
    pub fn context(&self, at: Timestamp) -> AuditContext {
        AuditContext { at, origin: self.origin, actor: self.actor }
    }

    /// Whether it is the user's own word.
    pub fn is(&self, user: UserId) -> bool {
        self.actor.is_some_and(|actor| actor.id == user.into())
    }
}
