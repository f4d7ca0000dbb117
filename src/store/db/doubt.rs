//! Whether connections may have fallen silent: an operation was given up before it had its answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// For how long connections that are given back are tried with a limit. The one in doubt is given back at once.
const LASTS: Duration = Duration::from_secs(5);

/// Shared by a pool and by those who use it.
#[derive(Clone, Default)]
pub(super) struct Doubt(Arc<Mutex<Option<Instant>>>);

impl Doubt {
    /// Is raised by dropping what this gives, unless it was told of an end.
    pub(super) fn unless_ended(&self) -> UnderWay {
        UnderWay { doubt: self.clone(), ended: false }
    }

    pub(super) fn is_raised(&self) -> bool {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        raised.is_some_and(|raised| raised.elapsed() < LASTS)
    }
}

/// An operation that has not ended yet.
pub(super) struct UnderWay {
    doubt: Doubt,
    ended: bool,
}

impl UnderWay {
    pub(super) fn ended(&mut self) {
        self.ended = true;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.ended {
            *self.doubt.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_an_operation_that_was_given_up_raises_doubt_and_only_for_a_while() {
        let doubt = Doubt::default();
        doubt.unless_ended().ended();
        assert!(!doubt.is_raised());
        drop(doubt.unless_ended());
        assert!(doubt.clone().is_raised());
        tokio::time::advance(LASTS).await;
        assert!(!doubt.is_raised());
    }
}
