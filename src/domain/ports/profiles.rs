//! What an account tells of its owner, and how it changes.

use async_trait::async_trait;

use super::{AuditContext, StoreResult};
use crate::domain::id::UserId;
use crate::domain::language::Language;
use crate::domain::name::Name;
use crate::domain::user::{Revision, User};

/// The fields of an account that change together; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileChange {
    pub display_name: Option<Name>,
    pub language: Option<Language>,
    pub email_verified: Option<bool>,
}

impl ProfileChange {
    /// Whether the account is already as it shall be.
    pub fn is_done(&self, user: &User) -> bool {
        self.display_name.as_ref().is_none_or(|name| *name == user.display_name)
            && self.language.as_ref().is_none_or(|language| *language == user.language)
            && self.email_verified.is_none_or(|verified| verified == user.email_verified)
    }

    /// The fields that it touches, as an audit event tells them; never their values.
    pub fn fields(&self) -> String {
        let touched = [
            self.display_name.as_ref().map(|_| "display_name"),
            self.language.as_ref().map(|_| "language"),
            self.email_verified.map(|_| "email_verified"),
        ];
        touched.into_iter().flatten().collect::<Vec<_>>().join(",")
    }
}

/// What became of a change.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileOutcome {
    /// The account as it now stands.
    Updated(User),
    /// It was so already: nothing was written.
    Unchanged(User),
    /// The account is no longer at the revision that was expected: nothing was written.
    Moved,
    /// No account has the id.
    Unknown,
}

/// What accounts tell of their owners.
#[async_trait]
pub trait Profiles: Send + Sync {
    /// Changes the fields and raises the revision, if the account is at the `expected` one or none is expected; told as
    /// [`UserUpdated`](crate::domain::audit::AuditKind::UserUpdated) by the context's actor.
    async fn update(
        &self,
        user: UserId,
        change: ProfileChange,
        expected: Option<Revision>,
        context: &AuditContext,
    ) -> StoreResult<ProfileOutcome>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_tells_its_fields_and_no_values() {
        let change = ProfileChange {
            display_name: Some(Name::parse("Ada").unwrap()),
            language: None,
            email_verified: Some(true),
        };
        assert_eq!(change.fields(), "display_name,email_verified");
        assert_eq!(ProfileChange::default().fields(), "");
    }
}
