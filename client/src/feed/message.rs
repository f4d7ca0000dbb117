//! Messages of the feed in the verifier's words.

use std::time::Duration;

use keystead_verifier::{LiveRevocation, RevokedTarget};
use prost_types::Timestamp;

use crate::pb::Revocation;
use crate::pb::revocation::Target;

/// A message that cannot be read, or not by this version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

pub(super) fn read(revocation: &Revocation) -> Result<LiveRevocation, Unreadable> {
    let target = match revocation.target.as_ref().ok_or(Unreadable)? {
        Target::SessionId(id) => RevokedTarget::Session(id.parse().map_err(|_| Unreadable)?),
        Target::User(user) => {
            RevokedTarget::User { id: user.user_id.parse().map_err(|_| Unreadable)?, min_epoch: user.min_epoch }
        }
        Target::KeyId(kid) => RevokedTarget::Key(kid.clone()),
    };
    Ok(LiveRevocation { target, expires_at: revocation.expire_time.map(millis_of).ok_or(Unreadable)? })
}

pub(super) fn millis_of(time: Timestamp) -> i64 {
    time.seconds.saturating_mul(1_000).saturating_add(i64::from(time.nanos / 1_000_000))
}

/// A message that does not say how old it is says nothing.
pub(super) fn span(span: Option<prost_types::Duration>) -> Result<Duration, Unreadable> {
    span.and_then(|span| span.try_into().ok()).ok_or(Unreadable)
}
