//! Revocations, on their way to those who verify by themselves.

use super::time;
use crate::domain::clock::Timestamp;
use crate::grpc::pb;
use crate::grpc::pb::revocation::Target;
use crate::service::token::watch_revocations::{LiveRevocation, RevocationMessage, RevokedTarget};

pub fn message(message: RevocationMessage) -> pb::WatchRevocationsResponse {
    let revocations = message.revocations.into_iter().map(revocation).collect();
    let Some(completeness) = message.completeness else {
        return pb::WatchRevocationsResponse { revocations, ..pb::WatchRevocationsResponse::default() };
    };
    pb::WatchRevocationsResponse {
        revocations,
        cursor: completeness.cursor,
        complete_time: Some(time::timestamp(completeness.at)),
        age: Some(time::duration(completeness.age)),
    }
}

fn revocation(revocation: LiveRevocation) -> pb::Revocation {
    let target = match revocation.target {
        RevokedTarget::Session(id) => Target::SessionId(id.to_string()),
        RevokedTarget::User { id, min_epoch } => {
            Target::User(pb::UserRevocation { user_id: id.to_string(), min_epoch })
        }
        RevokedTarget::Key(id) => Target::KeyId(id),
    };
    let expires_at = Timestamp::from_millis(revocation.expires_at);
    pb::Revocation { target: Some(target), expire_time: Some(time::timestamp(expires_at)) }
}
