//! Roles: names that access tokens carry, and that services decide by.

use std::fmt;

use super::clock::Timestamp;
use super::name::{NameFault, one_line};
use super::user::{ROLE_ADMIN, ROLE_USER, ROLE_VERIFIER};

/// The roles that belong to the service itself: they are always there.
pub const BUILT_IN: [&str; 3] = [ROLE_USER, ROLE_ADMIN, ROLE_VERIFIER];

/// The longest name of a role.
const MAX_NAME_BYTES: usize = 64;
/// The longest description, in code points.
const MAX_DESCRIPTION_CHARS: usize = 200;

/// Why a text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 lower-case letters, digits, `-`, `_`, `.` or `:`, a letter first")]
pub struct RoleNameFault;

/// The name of a role, well-formed; whether the role exists is another question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

impl RoleName {
    pub fn parse(text: &str) -> Result<Self, RoleNameFault> {
        let begins_well = text.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        let is_allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.' | b':');
        if !begins_well || text.len() > MAX_NAME_BYTES || !text.bytes().all(is_allowed) {
            return Err(RoleNameFault);
        }
        Ok(Self(text.to_owned()))
    }

    /// The role of services that verify tokens.
    pub fn verifier() -> Self {
        Self(ROLE_VERIFIER.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the role belongs to the service itself: it is always there.
    pub fn is_built_in(&self) -> bool {
        BUILT_IN.contains(&self.as_str())
    }
}

/// What a role is for: one line, at most 200 code points; may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleDescription(String);

impl RoleDescription {
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        one_line(text, MAX_DESCRIPTION_CHARS).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A role that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub name: RoleName,
    pub description: RoleDescription,
    pub created_at: Timestamp,
}

impl fmt::Display for RoleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words() {
        for name in ["a", "admin", "billing:read", "team-7.ops_x", &"r".repeat(64)] {
            assert_eq!(RoleName::parse(name).map(|role| role.to_string()).as_deref(), Ok(name));
        }
        for name in ["", "Admin", "7up", "-a", " a", "a ", "a b", "rôle", "a/b", "a,b", "a\n", &"r".repeat(65)] {
            assert_eq!(RoleName::parse(name), Err(RoleNameFault), "{name:?}");
        }
    }

    #[test]
    fn three_roles_are_built_in() {
        let built_in = |name| RoleName::parse(name).unwrap().is_built_in();
        assert!(["user", "admin", "verifier"].into_iter().all(built_in));
        assert!(!built_in("admins"));
    }
}
