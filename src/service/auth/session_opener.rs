//! Opens a session for a user who has just proved who they are.

use std::sync::Arc;

use super::token_issuer::TokenIssuer;
use super::token_set::TokenSet;
use crate::crypto::key_ring::KeyRing;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::domain::clock::{Clock, Entropy};
use crate::domain::id::SessionId;
use crate::domain::name::Name;
use crate::domain::origin::Origin;
use crate::domain::ports::{AuditContext, Sessions};
use crate::domain::revocation::Revocation;
use crate::domain::session::{NewSession, Rehash, Session, SessionCreation, SessionLimits, SessionSalt};
use crate::domain::throttle::AttemptKeys;
use crate::domain::user::User;
use crate::service::error::ServiceResult;
use crate::service::keys::live_keys::LiveKeys;
use crate::service::security_event;
use crate::service::token::revoker::Revoker;

/// How a password is told in `amr` (RFC 8176, section 2).
pub const METHOD_PASSWORD: &str = "pwd";

/// How a sign-in at a provider is told in `amr`. RFC 8176 registers no value for it; others use this one.
pub const METHOD_FEDERATED: &str = "fed";

/// Opens sessions.
pub struct SessionOpener {
    pub sessions: Arc<dyn Sessions>,
    pub keys: Arc<LiveKeys>,
    pub issuer: Arc<TokenIssuer>,
    pub revoker: Arc<Revoker>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub limits: SessionLimits,
}

/// What a session is opened for.
#[derive(Clone)]
pub struct Opening {
    /// As it was read before the password was checked.
    pub user: User,
    /// How the user has proved who they are (RFC 8176, section 2).
    pub methods: Vec<String>,
    pub audience: Vec<String>,
    pub device_name: Name,
    pub attempt: AttemptKeys,
    pub rehash: Option<Rehash>,
}

/// What became of the opening.
#[must_use]
pub enum Opened {
    Open(TokenSet),
    /// The user's epoch or state is no longer what was read: nothing was written.
    UserChanged,
}

/// A session that is ready to be written, and what its tokens are signed with.
pub struct Prepared {
    pub ring: Arc<KeyRing>,
    pub new: NewSession,
    pub context: AuditContext,
}

impl SessionOpener {
    pub async fn open(&self, opening: Opening, origin: &Origin) -> ServiceResult<Opened> {
        let user = opening.user.clone();
        let Prepared { ring, new, context } = self.prepare(opening, origin)?;
        let session = new.session.clone();
        match self.sessions.create(new, &context).await? {
            SessionCreation::UserChanged => Ok(Opened::UserChanged),
            SessionCreation::Created { revocations } => {
                self.hand_out(&ring, &session, &user, &revocations, origin).await.map(Opened::Open)
            }
        }
    }

    /// Before anything is written: a ring too old to sign with must not leave a session behind.
    pub fn prepare(&self, opening: Opening, origin: &Origin) -> ServiceResult<Prepared> {
        let ring = self.keys.signing_ring()?;
        let now = self.clock.now();
        let Opening { user, methods, audience, device_name, attempt, rehash } = opening;
        let session = Session {
            id: SessionId::generate(self.clock.as_ref(), self.entropy.as_ref()),
            user_id: user.id,
            generation: 0,
            salt: self.salt(),
            refresh_key_id: ring.active_refresh_key_id().to_owned(),
            audience,
            methods,
            device_name,
            source: origin.source,
            authenticated_at: now,
            rotated_at: now,
            idle_expires_at: now.after(self.limits.idle_lifetime),
            expires_at: now.after(self.limits.absolute_lifetime),
            ended_at: None,
        };
        let new = NewSession {
            session,
            seen_epoch: user.epoch,
            attempt: Some(attempt),
            rehash,
            max_sessions: self.limits.max_per_user,
            revocations_expire_at: self.issuer.revocations_expire_at(now),
        };
        Ok(Prepared { ring, new, context: AuditContext { at: now, origin: *origin, actor: None } })
    }

    /// Tells of a session that has been written, and of those that fell to the cap; its tokens.
    pub async fn hand_out(
        &self,
        ring: &KeyRing,
        session: &Session,
        user: &User,
        fallen: &[Revocation],
        origin: &Origin,
    ) -> ServiceResult<TokenSet> {
        self.revoker.tell(fallen).await;
        let of_session = |kind| security_event::event_of(kind, AuditOutcome::Success, user.id, Some(session.id));
        let opened = [AuditKind::LoginSucceeded, AuditKind::SessionCreated].map(of_session);
        security_event::log_all(&opened, origin);
        security_event::log_all(&security_event::sessions_ended(user.id, None, fallen), origin);
        self.issuer.issue(ring, session, user)
    }

    fn salt(&self) -> SessionSalt {
        let mut salt = [0; 32];
        self.entropy.fill(&mut salt);
        SessionSalt(salt)
    }
}
