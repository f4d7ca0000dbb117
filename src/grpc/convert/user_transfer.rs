//! Accounts on their way in and out.

use super::violations::Violations;
use super::{time, user};
use crate::domain::user_transfer::{ExportedUser, ExternalId};
use crate::grpc::pb;
use crate::grpc::status;
use crate::service::admin::users::import::RowOutcome;
use crate::service::admin::users::user_row::UserRow;
use crate::service::error::{FieldViolation, ServiceError};

/// A row; what cannot be said of it in words of ours is kept as a fault of its.
pub fn row(message: pb::UserImport) -> UserRow {
    let mut violations = Violations::default();
    let disabled = match pb::UserState::try_from(message.state) {
        Ok(pb::UserState::Unspecified | pb::UserState::Active) => false,
        Ok(pb::UserState::Disabled) => true,
        Err(_) => {
            violations.add("state", "must be one of the values of UserState");
            false
        }
    };
    let created_at = time::moment("create_time", message.create_time.as_ref(), &mut violations);
    let faults = match violations.finish(Some(())) {
        Err(ServiceError::InvalidFields(faults)) => faults,
        Ok(()) | Err(_) => Vec::new(),
    };
    UserRow {
        external_id: message.external_id,
        email: message.email,
        email_verified: message.email_verified,
        display_name: message.display_name,
        language: message.language,
        disabled,
        roles: message.roles,
        password_hash: message.password_hash,
        created_at,
        faults,
    }
}

/// What became of rows, the first of which has this number.
pub fn results(first: u64, outcomes: Vec<RowOutcome>) -> pb::ImportUsersResponse {
    let results = (first..).zip(outcomes).map(|(row, outcome)| result(row, outcome));
    pb::ImportUsersResponse { results: results.collect() }
}

fn result(row: u64, outcome: RowOutcome) -> pb::ImportResult {
    let result = pb::ImportResult { row, ..pb::ImportResult::default() };
    let (status, id) = match outcome {
        RowOutcome::Created(id) => (pb::ImportStatus::Created, id),
        RowOutcome::Exists(id) => (pb::ImportStatus::Exists, id),
        RowOutcome::Refused(error) => {
            let reason = status::reason(&error).into();
            let faults = faults(error);
            return pb::ImportResult { status: pb::ImportStatus::Refused.into(), reason, faults, ..result };
        }
    };
    pb::ImportResult { status: status.into(), user_id: id.to_string(), ..result }
}

fn faults(error: ServiceError) -> Vec<pb::ImportFault> {
    let ServiceError::InvalidFields(violations) = error else { return Vec::new() };
    let fault = |it: FieldViolation| pb::ImportFault { field: it.field, description: it.description };
    violations.into_iter().map(fault).collect()
}

pub fn exported(users: Vec<ExportedUser>) -> pb::ExportUsersResponse {
    let exported = |exported: ExportedUser| pb::ExportedUser {
        user: Some(user::user(exported.user)),
        external_id: exported.external_id.as_ref().map(ExternalId::as_str).unwrap_or_default().to_owned(),
    };
    pb::ExportUsersResponse { users: users.into_iter().map(exported).collect() }
}
