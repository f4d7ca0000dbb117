//! When to try again.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use tonic::Status;
use tonic_types::StatusExt as _;

const FIRST: Duration = Duration::from_millis(100);
/// Short, because the limit of staleness is short too.
const LONGEST: Duration = Duration::from_secs(2);
/// No server is obeyed for longer than this.
const LONGEST_ASKED_FOR: Duration = Duration::from_mins(1);

/// Pauses between attempts that fail in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// How long to wait after this failure: what the server asks for and up to half as much again, or else twice as
    /// long each time, a random part of it taken away, so that clients do not come back all at once.
    pub(crate) fn pause(&mut self, status: &Status) -> Duration {
        let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
        self.pause_of(asked, chance())
    }

    fn pause_of(&mut self, asked: Option<Duration>, chance: f64) -> Duration {
        let doubled = FIRST.saturating_mul(2_u32.saturating_pow(self.failures.min(16))).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        match asked {
            Some(asked) => asked.min(LONGEST_ASKED_FOR).mul_f64(1.0 + chance / 2.0),
            None => doubled.mul_f64(1.0 - chance / 2.0),
        }
    }
}

/// Somewhere from 0 to 1; good enough to spread clients, and for nothing else.
fn chance() -> f64 {
    let bits = RandomState::new().hash_one(0_u8);
    f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn pauses_double_up_to_two_seconds_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..7).map(|_| backoff.pause_of(None, 0.0).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1_600, 2_000, 2_000]);
        backoff.succeeded();
        assert_eq!(backoff.pause_of(None, 1.0), FIRST / 2);
    }

    #[test]
    fn a_server_is_never_asked_again_before_it_wants() {
        let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(3)));
        let status = Status::with_error_details(Code::Unavailable, "", details);
        for _ in 0..100 {
            let pause = Backoff::default().pause(&status);
            assert!((3_000..=4_500).contains(&pause.as_millis()), "{pause:?}");
        }
    }

    #[test]
    fn an_absurd_wish_is_cut_short() {
        let pause = Backoff::default().pause_of(Some(Duration::from_hours(1_000)), 1.0);
        assert_eq!(pause, Duration::from_secs(90));
    }
}
