//! What the operator's commands share: an account by its address or id, and what errors are called here.

use uuid::Uuid;

use crate::app::console::Console;
use crate::app::start_error::StartError;
use crate::domain::email::Email;
use crate::domain::id::UserId;
use crate::domain::user::User;
use crate::service::error::ServiceError;

/// The account that an address or an id names.
pub async fn account(console: &Console, named: &str) -> Result<User, StartError> {
    let found = match (Uuid::try_parse(named), Email::parse(named)) {
        (Ok(id), _) => console.users.find(UserId::from_uuid(id)).await,
        (_, Ok(email)) => console.users.find_by_email(&email).await.map(|found| found.map(|account| account.user)),
        _ => return Err(StartError::Settings("an account is named by its address or its id".to_owned())),
    };
    let found = found.map_err(|error| failed(error.into()))?;
    found.ok_or_else(|| StartError::Failed("there is no such account".to_owned()))
}

/// What is the command line's own fault is told as such.
pub fn failed(error: ServiceError) -> StartError {
    if let ServiceError::InvalidFields(violations) = error {
        let told = violations.into_iter().map(|it| format!("{} {}", it.field, it.description));
        return StartError::Settings(told.collect::<Vec<_>>().join("; "));
    }
    if error == ServiceError::EmailTaken {
        let told = "the address has an account, with a password of whoever registered it: `keystead admin grant` gives \
                    it the role";
        return StartError::Failed(told.to_owned());
    }
    StartError::Failed(error.to_string())
}

/// An argument that the domain refuses.
pub fn refused(argument: &str, fault: impl std::fmt::Display) -> StartError {
    StartError::Settings(format!("{argument} {fault}"))
}
