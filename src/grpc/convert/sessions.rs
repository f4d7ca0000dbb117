//! Sessions, on their way out, and which of them are asked for.

use super::violations::Violations;
use super::{ids, time};
use crate::domain::id::{SessionId, UserId};
use crate::domain::session::Session;
use crate::grpc::pb;
use crate::service::admin::user_sessions::revoke::RevokeUserSessionsRequest;
use crate::service::error::ServiceResult;

pub fn revoke_session(message: &pb::RevokeSessionRequest) -> ServiceResult<SessionId> {
    let mut violations = Violations::default();
    let session = ids::session("session_id", &message.session_id, &mut violations);
    violations.finish(session)
}

pub fn list_user_sessions(message: &pb::ListUserSessionsRequest) -> ServiceResult<UserId> {
    ids::the_user(&message.user_id)
}

/// An empty session id means all of them.
pub fn revoke_user_sessions(message: &pb::RevokeUserSessionsRequest) -> ServiceResult<RevokeUserSessionsRequest> {
    let mut violations = Violations::default();
    let user = ids::user("user_id", &message.user_id, &mut violations);
    let named = Some(message.session_id.as_str()).filter(|id| !id.is_empty());
    let session = named.and_then(|id| ids::session("session_id", id, &mut violations));
    violations.finish(user.map(|user| RevokeUserSessionsRequest { user, session }))
}

/// The sessions, as seen from the session that the call was made in.
pub fn sessions(sessions: Vec<Session>, current: SessionId) -> Vec<pb::Session> {
    sessions.into_iter().map(|session| one(session, current)).collect()
}

fn one(session: Session, current: SessionId) -> pb::Session {
    pb::Session {
        id: session.id.to_string(),
        device_name: session.device_name.as_str().to_owned(),
        source: session.source.map(|source| source.to_string()).unwrap_or_default(),
        create_time: Some(time::timestamp(session.authenticated_at)),
        last_use_time: Some(time::timestamp(session.rotated_at)),
        expire_time: Some(time::timestamp(session.refresh_expires_at())),
        current: session.id == current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::error::ServiceError;

    const ID: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

    fn revocation(user_id: &str, session_id: &str) -> ServiceResult<RevokeUserSessionsRequest> {
        let message = pb::RevokeUserSessionsRequest { user_id: user_id.to_owned(), session_id: session_id.to_owned() };
        revoke_user_sessions(&message)
    }

    #[test]
    fn no_session_means_all_and_a_malformed_one_means_none() {
        assert_eq!(revocation(ID, "").unwrap().session, None);
        assert_eq!(revocation(ID, ID).unwrap().session, Some(SessionId::from_uuid(ID.parse().unwrap())));
        assert!(revocation(ID, "all").is_err());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let Err(ServiceError::InvalidFields(violations)) = revocation("", "x") else { panic!("taken") };
        let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!(fields, ["user_id", "session_id"]);
    }
}
