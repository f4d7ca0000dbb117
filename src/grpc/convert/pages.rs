//! How much of a list is asked for.

use super::violations::Violations;

/// What is given where nothing is asked for.
const DEFAULT_PAGE_SIZE: u32 = 50;
/// What is given at most, however much is asked for.
const MAX_PAGE_SIZE: u32 = 200;

/// The number of elements that a page shall have: 50 unless asked for otherwise, 200 at most.
pub fn size(asked: i32, violations: &mut Violations) -> u32 {
    match u32::try_from(asked) {
        Ok(0) => DEFAULT_PAGE_SIZE,
        Ok(asked) => asked.min(MAX_PAGE_SIZE),
        Err(_) => {
            violations.add("page_size", "must not be negative");
            DEFAULT_PAGE_SIZE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // promise A6
    #[test]
    fn a_page_is_bounded() {
        let mut violations = Violations::default();
        let sizes = [0, 1, 200, 201, i32::MAX].map(|asked| size(asked, &mut violations));
        assert_eq!(sizes, [50, 1, 200, 200, 200]);
        assert!(violations.finish(Some(())).is_ok());
    }

    #[test]
    fn a_negative_size_is_a_fault() {
        let mut violations = Violations::default();
        size(-1, &mut violations);
        assert!(violations.finish(Some(())).is_err());
    }
}
