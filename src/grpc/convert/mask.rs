//! Field masks: lists of what may be changed, never of what may not (promise A3).

use prost_types::FieldMask;

use super::violations::Violations;

/// Which of the `allowed` paths the mask names. No mask, an empty one, and a path that is not allowed, `*` too, are
/// faults; a path that is named twice counts once.
pub fn paths<'a>(mask: Option<&'a FieldMask>, allowed: &[&str], violations: &mut Violations) -> Vec<&'a str> {
    let paths = mask.map_or(&[] as &[String], |mask| &mask.paths);
    if paths.is_empty() {
        violations.add("update_mask", "must name at least one field");
    }
    if paths.iter().any(|path| !allowed.contains(&path.as_str())) {
        violations.add("update_mask", &format!("must name nothing but {}", allowed.join(", ")));
    }
    paths.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::error::ServiceResult;

    fn judge(named: &[&str]) -> ServiceResult<Vec<String>> {
        let mask = FieldMask { paths: named.iter().map(|path| (*path).to_owned()).collect() };
        let mut violations = Violations::default();
        let paths = paths(Some(&mask), &["display_name", "language"], &mut violations);
        violations.finish(Some(paths.into_iter().map(str::to_owned).collect()))
    }

    // promise A3
    #[test]
    fn only_what_is_listed_may_be_named() {
        assert_eq!(judge(&["language"]).unwrap(), ["language"]);
        assert!(judge(&["display_name", "language", "language"]).is_ok());
        for named in [
            &[][..],
            &["*"],
            &["roles"],
            &["language", "email"],
            &["Language"],
            &["language "],
            &["user.language"],
            &[""],
        ] {
            assert!(judge(named).is_err(), "{named:?}");
        }
    }

    #[test]
    fn a_mask_is_needed() {
        let mut violations = Violations::default();
        assert!(paths(None, &["language"], &mut violations).is_empty());
        assert!(violations.finish(Some(())).is_err());
    }
}
