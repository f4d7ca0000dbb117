//! Which throttled keys the audit trail has been told of lately: each is told once a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// For how long a key that was told is not told again.
const QUIET: Duration = Duration::from_mins(1);

/// How many keys are remembered; while so many are throttled within one minute, further ones go untold, so that a
/// flood fills neither memory nor the audit trail.
const MAX_KEYS: usize = 4_096;

/// The keys told within the last minute, with the monotonic time of the telling.
#[derive(Default)]
pub struct Told(Mutex<HashMap<String, Duration>>);

impl Told {
    /// Whether `key` is due to be told at `now`; if so it counts as told.
    #[must_use]
    pub fn is_due(&self, key: &str, now: Duration) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= MAX_KEYS {
            told.retain(|_, at| now.saturating_sub(*at) < QUIET);
        }
        if told.get(key).is_some_and(|at| now.saturating_sub(*at) < QUIET) || told.len() >= MAX_KEYS {
            return false;
        }
        told.insert(key.to_owned(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_once_a_minute() {
        let told = Told::default();
        assert!(told.is_due("a", Duration::ZERO));
        assert!(!told.is_due("a", Duration::from_secs(59)));
        assert!(told.is_due("b", Duration::from_secs(59)));
        assert!(told.is_due("a", Duration::from_mins(1)));
    }

    #[test]
    fn a_flood_of_keys_is_not_remembered_without_end() {
        let told = Told::default();
        for key in 0..MAX_KEYS {
            assert!(told.is_due(&key.to_string(), Duration::ZERO));
        }
        assert!(!told.is_due("one more", Duration::ZERO));
        assert!(told.is_due("one more", QUIET));
    }
}
