//! Another address for an account: asked for by the owner, confirmed from the new address.

use super::email::Email;
use super::id::{SessionId, UserId};
use super::user::User;

/// What a user asks for.
#[derive(Clone, Debug)]
pub struct EmailChangeRequest {
    pub user_id: UserId,
    /// The session that asks; it must still be open.
    pub session_id: SessionId,
    pub new_email: Email,
}

/// What became of a request.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailChangeRequested {
    /// One mail waits in the outbox, for the new address or for its owner; which of the two is not said.
    Queued,
    /// The user may not act any more, or the session has ended.
    Refused,
}

/// What became of a confirmation.
#[must_use]
#[derive(Clone, Debug)]
pub enum EmailChangeConfirmed {
    /// The account has the new address, and the old one is told.
    Done(User),
    /// Another account has got the address since the request; the token is used up.
    EmailTaken,
    /// The token opens nothing (any more).
    Refused,
}
