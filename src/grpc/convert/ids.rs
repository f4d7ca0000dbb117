//! Identifiers, as callers write them.

use uuid::Uuid;

use super::violations::Violations;
use crate::domain::id::{IdentityId, PrincipalId, ServiceAccountId, SessionId, UserId};
use crate::service::error::ServiceResult;

/// A UUID in its canonical form (RFC 9562, section 4): 36 characters with hyphens, in either case.
fn parse(field: &str, text: &str, violations: &mut Violations) -> Option<Uuid> {
    let parsed = Uuid::try_parse(text).ok().filter(|_| text.len() == uuid::fmt::Hyphenated::LENGTH);
    if parsed.is_none() {
        violations.add(field, "must be a UUID");
    }
    parsed
}

pub fn user(field: &str, text: &str, violations: &mut Violations) -> Option<UserId> {
    parse(field, text, violations).map(UserId::from_uuid)
}

/// The id of the one user that a message speaks of, in its field `user_id`.
pub fn the_user(text: &str) -> ServiceResult<UserId> {
    let mut violations = Violations::default();
    let id = user("user_id", text, &mut violations);
    violations.finish(id)
}

pub fn session(field: &str, text: &str, violations: &mut Violations) -> Option<SessionId> {
    parse(field, text, violations).map(SessionId::from_uuid)
}

pub fn identity(field: &str, text: &str, violations: &mut Violations) -> Option<IdentityId> {
    parse(field, text, violations).map(IdentityId::from_uuid)
}

pub fn service_account(field: &str, text: &str, violations: &mut Violations) -> Option<ServiceAccountId> {
    parse(field, text, violations).map(ServiceAccountId::from_uuid)
}

pub fn principal(field: &str, text: &str, violations: &mut Violations) -> Option<PrincipalId> {
    parse(field, text, violations).map(PrincipalId::from_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_an_id() {
        let accepts = |text: &str| user("user_id", text, &mut Violations::default()).is_some();
        assert!(accepts("0190163d-8694-739b-aea5-966c26f8ad91"));
        assert!(accepts("0190163D-8694-739B-AEA5-966C26F8AD91"));
        for text in [
            "",
            "1",
            "0190163d8694739baea5966c26f8ad91",
            "{0190163d-8694-739b-aea5-966c26f8ad91}",
            "urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91",
            "0190163d-8694-739b-aea5-966c26f8ad9g",
            " 0190163d-8694-739b-aea5-966c26f8ad9",
        ] {
            assert!(!accepts(text), "{text}");
        }
    }
}
