//! How many attempts were refused, by the limit that refused them.

use super::secret_keys::{ACCOUNT, ACCOUNT_SOURCE, CAPPED, MAIL_ADDRESS_SOURCE, MAIL_CALLER, MAIL_SOURCE, SOURCE};
use crate::domain::tally::Counter;

/// Every limit that can refuse an attempt.
const LIMITS: [&str; 7] = [SOURCE, ACCOUNT_SOURCE, ACCOUNT, CAPPED, MAIL_SOURCE, MAIL_ADDRESS_SOURCE, MAIL_CALLER];

#[derive(Debug, Default)]
pub struct Refusals([Counter; LIMITS.len()]);

impl Refusals {
    pub fn count(&self, limit: &str) {
        let counters = LIMITS.iter().zip(&self.0);
        counters.filter(|(known, _)| **known == limit).for_each(|(_, counter)| counter.add(1));
    }

    pub fn read(&self) -> Vec<(&'static str, u64)> {
        LIMITS.iter().zip(&self.0).map(|(limit, counter)| (*limit, counter.get())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_a_count_of_its_own() {
        let refusals = Refusals::default();
        for limit in [SOURCE, CAPPED, CAPPED, "none of them"] {
            refusals.count(limit);
        }
        let counted: Vec<_> = refusals.read().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counted, [(SOURCE, 1), (CAPPED, 2)]);
    }
}
