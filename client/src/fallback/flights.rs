//! Equal questions that come while one is out wait for its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::{LONGEST_KEPT, Question};
use crate::outcome::Outcome;

/// The questions that are out.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<Question, Arc<Flight>>>);

struct Flight {
    /// By the monotonic clock.
    begun: Duration,
    answer: OnceCell<Option<Outcome>>,
}

impl Flight {
    fn begun(now: Duration) -> Arc<Self> {
        Arc::new(Self { begun: now, answer: OnceCell::new() })
    }
}

impl Flights {
    /// What `ask` gives, or the same from somebody who asks already. Whoever asked and has gone is followed by the next.
    pub(super) async fn join(
        &self,
        question: Question,
        now: Duration,
        ask: impl Future<Output = Option<Outcome>>,
    ) -> Option<Outcome> {
        // Before the flight, so that it is dropped after it.
        let _seat = Seat { flights: self, question };
        let flight = self.flight(question, now);
        flight.answer.get_or_init(|| ask).await.clone()
    }

    /// Nobody joins a flight that a verdict may not outlive: a revocation in between would be heard of too late.
    fn flight(&self, question: Question, now: Duration) -> Arc<Flight> {
        let mut flights = self.lock();
        let flight = flights.entry(question).or_insert_with(|| Flight::begun(now));
        if now.saturating_sub(flight.begun) >= LONGEST_KEPT {
            *flight = Flight::begun(now);
        }
        Arc::clone(flight)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Question, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits; the last one to go takes the flight out.
struct Seat<'a> {
    flights: &'a Flights,
    question: Question,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut flights = self.flights.lock();
        if flights.get(&self.question).is_some_and(|flight| Arc::strong_count(flight) == 1) {
            flights.remove(&self.question);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use keystead_verifier::Refusal;

    use super::*;

    const QUESTION: Question = [7; 32];
    const REVOKED: Option<Outcome> = Some(Outcome::Refused(Refusal::Revoked));

    #[tokio::test]
    async fn whoever_gives_up_leaves_the_question_to_the_next_and_nothing_stays() {
        let flights = Flights::default();
        {
            let mut first = Box::pin(flights.join(QUESTION, Duration::ZERO, pending()));
            assert!(at_once(&mut first).await.is_none());
            let mut second = Box::pin(flights.join(QUESTION, Duration::ZERO, ready(REVOKED)));
            assert!(at_once(&mut second).await.is_none(), "it waits for the first");
            drop(first);
            assert_eq!(second.await, REVOKED);
        }
        assert!(flights.lock().is_empty());
    }

    #[tokio::test]
    async fn a_question_that_is_out_for_a_second_is_joined_no_more() {
        let flights = Flights::default();
        {
            let mut first = Box::pin(flights.join(QUESTION, Duration::ZERO, pending()));
            assert!(at_once(&mut first).await.is_none());
            let mut second = Box::pin(flights.join(QUESTION, LONGEST_KEPT, ready(REVOKED)));
            assert_eq!(at_once(&mut second).await, Some(REVOKED));
        }
        assert!(flights.lock().is_empty());
    }

    /// The answer, if it is there at once.
    async fn at_once(join: &mut (impl Future<Output = Option<Outcome>> + Unpin)) -> Option<Option<Outcome>> {
        tokio::select! {
            biased;
            answer = join => Some(answer),
            () = ready(()) => None,
        }
    }
}
