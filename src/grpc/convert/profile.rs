//! What an account tells of its owner, as an update names it.

use super::violations::Violations;
use super::{mask, user};
use crate::domain::language::Language;
use crate::domain::name::Name;
use crate::domain::ports::profiles::ProfileChange;
use crate::grpc::pb;
use crate::service::account::update_me::UpdateMeRequest;
use crate::service::error::ServiceResult;

const DISPLAY_NAME: &str = "display_name";
const LANGUAGE: &str = "language";

/// What owners may change themselves.
const OWN_FIELDS: [&str; 2] = [DISPLAY_NAME, LANGUAGE];

/// Whose account it is, the message does not say: an id in it is not looked at.
pub fn update_me(message: pb::UpdateMeRequest) -> ServiceResult<UpdateMeRequest> {
    let mut violations = Violations::default();
    let paths = mask::paths(message.update_mask.as_ref(), &OWN_FIELDS, &mut violations);
    if message.user.is_none() {
        violations.add("user", "must hold the new values");
    }
    let values = message.user.unwrap_or_default();
    let change = change(&values, &paths, &mut violations);
    let change = violations.finish(Some(change))?;
    Ok(UpdateMeRequest { change, expected: user::expected(&values.etag)? })
}

/// The new values of the fields that the paths name; the others are not looked at.
pub fn change(values: &pb::User, paths: &[&str], violations: &mut Violations) -> ProfileChange {
    let mut change = ProfileChange::default();
    if paths.contains(&DISPLAY_NAME) {
        change.display_name = violations.check("user.display_name", Name::parse(&values.display_name));
    }
    if paths.contains(&LANGUAGE) {
        change.language = violations.check("user.language", Language::parse(&values.language));
    }
    change
}

#[cfg(test)]
mod tests {
    use prost_types::FieldMask;

    use super::*;
    use crate::domain::user::Revision;
    use crate::service::error::ServiceError;

    fn message(paths: &[&str], user: pb::User) -> pb::UpdateMeRequest {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        pb::UpdateMeRequest { user: Some(user), update_mask: Some(FieldMask { paths }) }
    }

    fn values() -> pb::User {
        pb::User { display_name: "Ada".to_owned(), language: "de".to_owned(), ..pb::User::default() }
    }

    fn fields_at_fault(message: pb::UpdateMeRequest) -> Vec<String> {
        match update_me(message) {
            Err(ServiceError::InvalidFields(violations)) => violations.into_iter().map(|it| it.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    // promise A3
    #[test]
    fn only_what_the_mask_names_changes() {
        let name = update_me(message(&["display_name"], values())).unwrap().change;
        assert_eq!(name, ProfileChange { display_name: Name::parse("Ada").ok(), ..ProfileChange::default() });
        let language = update_me(message(&["language"], values())).unwrap().change;
        assert_eq!(language, ProfileChange { language: Language::parse("de").ok(), ..ProfileChange::default() });
    }

    #[test]
    fn every_fault_is_told_at_once_and_what_is_not_named_has_none() {
        let faulty = pb::User { display_name: "a\nb".to_owned(), language: "..".to_owned(), ..pb::User::default() };
        assert_eq!(
            fields_at_fault(message(&["language", "roles", "display_name"], faulty.clone())),
            ["update_mask", "user.display_name", "user.language"]
        );
        assert_eq!(fields_at_fault(message(&["language"], faulty)), ["user.language"]);
        assert_eq!(fields_at_fault(pb::UpdateMeRequest::default()), ["update_mask", "user"]);
    }

    #[test]
    fn an_etag_names_a_revision_or_nothing_that_ever_was() {
        let with = |etag: &str| pb::User { etag: etag.to_owned(), ..values() };
        assert_eq!(update_me(message(&["language"], values())).unwrap().expected, None);
        let etag = Revision(7).etag();
        assert_eq!(update_me(message(&["language"], with(&etag))).unwrap().expected, Some(Revision(7)));
        let unknown = update_me(message(&["language"], with("never")));
        assert_eq!(unknown.err(), Some(ServiceError::EtagMismatch));
    }
}
