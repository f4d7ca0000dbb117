//! Accounts on their way in from another service, and on their way out.

use std::fmt;

use super::audit::{AuditEvent, AuditKind};
use super::clock::Timestamp;
use super::email::Email;
use super::id::UserId;
use super::language::Language;
use super::name::Name;
use super::ports::AuditContext;
use super::rights::roles_granted;
use super::role::RoleName;
use super::user::{PasswordHash, User, UserState};

/// The longest id of another service, in bytes.
const MAX_EXTERNAL_ID_BYTES: usize = 255;

/// The detail of the event that tells of an account which was taken in.
pub const IMPORTED: &str = "import";

/// Why a text is no id of another service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 255 bytes without control characters")]
pub struct ExternalIdFault;

/// What another service calls an account; kept byte for byte, and unique among the accounts that have one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExternalId(String);

impl ExternalId {
    pub fn parse(text: &str) -> Result<Self, ExternalIdFault> {
        let is_sound = (1..=MAX_EXTERNAL_ID_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
        if is_sound { Ok(Self(text.to_owned())) } else { Err(ExternalIdFault) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An account that is to be taken in, with the role `user` and the ones named.
#[derive(Clone, Debug)]
pub struct ImportedUser {
    /// The id that it gets if it is new.
    pub id: UserId,
    pub external_id: Option<ExternalId>,
    pub email: Email,
    pub email_verified: bool,
    pub display_name: Name,
    pub language: Language,
    pub state: UserState,
    /// The roles beside `user`, each once, sorted.
    pub roles: Vec<RoleName>,
    /// `None`: the owner sets a password by asking for a reset.
    pub password_hash: Option<PasswordHash>,
    pub created_at: Timestamp,
}

impl ImportedUser {
    /// What the trail is told of its creation.
    pub fn events(&self, context: &AuditContext) -> impl Iterator<Item = AuditEvent> {
        let created = AuditEvent::by_actor(AuditKind::UserCreated, Some(self.id.into()), context);
        let created = AuditEvent { detail: Some(IMPORTED.to_owned()), ..created };
        std::iter::once(created).chain(roles_granted(self.id.into(), &self.roles, context))
    }
}

/// What became of an account that was to be taken in.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportOutcome {
    Created(UserId),
    /// It is there already, by its external id, or by its address where no external id was told. Nothing was written.
    Exists(UserId),
    /// The address is that of an account with another external id, or with none. Nothing was written.
    EmailTaken,
    /// One of the roles does not exist. Nothing was written.
    RoleUnknown,
}

/// An account with all that an export may take along.
#[derive(Clone, Debug)]
pub struct ExportedUser {
    pub user: User,
    pub external_id: Option<ExternalId>,
    pub password_hash: Option<PasswordHash>,
}

/// Which of the accounts that are there one on its way in is, told by what is unique of both: the one way in which every
/// store decides. `by_external_id` and `by_email` are those that have the same.
pub fn identify(
    wanted: &ImportedUser,
    by_external_id: Option<UserId>,
    by_email: Option<UserId>,
) -> Option<ImportOutcome> {
    match (by_external_id, by_email) {
        (Some(id), _) => Some(ImportOutcome::Exists(id)),
        (None, Some(id)) if wanted.external_id.is_none() => Some(ImportOutcome::Exists(id)),
        (None, Some(_)) => Some(ImportOutcome::EmailTaken),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_is_kept_byte_for_byte() {
        for text in ["1", "auth0|5f7c8ec7c33c6c004bbafe82", " \u{e9} e\u{301}", &"a".repeat(MAX_EXTERNAL_ID_BYTES)] {
            assert_eq!(ExternalId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a\0", "a\n", "\u{85}", &"a".repeat(MAX_EXTERNAL_ID_BYTES + 1)] {
            assert_eq!(ExternalId::parse(text), Err(ExternalIdFault), "{text:?}");
        }
    }
}
