//! Accounts, on their way out.

use super::time;
use crate::domain::user::{Revision, User, UserState};
use crate::grpc::pb;
use crate::service::error::{ServiceError, ServiceResult};

pub fn user(user: User) -> pb::User {
    pb::User {
        id: user.id.to_string(),
        email: user.email.as_str().to_owned(),
        email_verified: user.email_verified,
        display_name: user.display_name.as_str().to_owned(),
        state: state(user.state).into(),
        roles: user.roles,
        create_time: Some(time::timestamp(user.created_at)),
        update_time: Some(time::timestamp(user.updated_at)),
        etag: user.revision.etag(),
        language: user.language.as_str().to_owned(),
    }
}

/// The revision that an update was decided on; `None` where it names none. A word that was never given out is no
/// account's.
pub fn expected(etag: &str) -> ServiceResult<Option<Revision>> {
    if etag.is_empty() {
        return Ok(None);
    }
    Revision::from_etag(etag).map(Some).ok_or(ServiceError::EtagMismatch)
}

fn state(state: UserState) -> pb::UserState {
    match state {
        UserState::Active => pb::UserState::Active,
        UserState::Disabled => pb::UserState::Disabled,
    }
}
