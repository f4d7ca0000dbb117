//! Places in the queue, and what a full one tells.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::domain::clock::Timestamp;
use crate::domain::manual_clock::ManualClock;

/// Each look at it is 40 ms after the one before.
#[derive(Default)]
struct SteppingClock(AtomicU64);

impl Clock for SteppingClock {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(40 * self.0.fetch_add(1, Ordering::Relaxed))
    }
}

fn queue(threads: usize, waiting: usize) -> Arc<Queue> {
    queue_by(threads, waiting, Arc::new(SteppingClock::default()))
}

/// A queue that takes a hash to last 20 ms.
fn queue_by(threads: usize, waiting: usize, clock: Arc<dyn Clock>) -> Arc<Queue> {
    Arc::new(Queue::new(threads, waiting, Forecast::guess(19_456, 2), clock))
}

fn submit(queue: &Arc<Queue>) -> (Ticket, oneshot::Receiver<PasswordHash>) {
    let (reply, answer) = oneshot::channel();
    let password = Password::parse("password").unwrap();
    let ticket = queue.reserve(Deadline::NEVER).unwrap().submit(|permit| Job::Hash { password, reply, permit });
    (ticket.unwrap(), answer)
}

// promise P5
#[test]
fn places_are_threads_and_waiting_together_and_a_dropped_one_is_free_again() {
    let queue = queue(2, 3);
    let mut permits: Vec<Permit> = (0..5).map(|_| queue.reserve(Deadline::NEVER).unwrap()).collect();
    assert!(queue.reserve(Deadline::NEVER).is_err());
    permits.pop();
    assert!(queue.reserve(Deadline::NEVER).is_ok());
}

// promise P5
#[test]
fn a_refusal_says_how_long_the_passwords_ahead_will_take() {
    let queue = queue(2, 3);
    for _ in 0..100 {
        queue.measure(|| ());
    }
    let _permits: Vec<Permit> = (0..5).map(|_| queue.reserve(Deadline::NEVER).unwrap()).collect();
    let retry_after = queue.reserve(Deadline::NEVER).err().unwrap().retry_after;
    // Five passwords on two threads: three rounds of 40 ms, to which the average has come close from 20.
    assert!((100..=120).contains(&retry_after.as_millis()), "{retry_after:?}");
    assert_eq!(retry_after.subsec_nanos() % 1_000_000, 0, "whole milliseconds");
}

// promise P5
#[test]
fn a_job_that_nobody_waits_for_is_taken_out_and_its_place_is_free_at_once() {
    let queue = queue(1, 2);
    let (first, gone, last) = (submit(&queue), submit(&queue), submit(&queue));
    assert!(queue.reserve(Deadline::NEVER).is_err());
    drop(gone);
    drop(queue.reserve(Deadline::NEVER).unwrap());
    for waiting in [first, last] {
        let Task::Do(Job::Hash { reply, .. }) = queue.next() else { panic!("a job waits") };
        reply.send(PasswordHash::new("hash")).unwrap();
        let (_ticket, mut answer) = waiting;
        assert!(answer.try_recv().is_ok());
    }
    assert!(queue.lock().jobs.is_empty());
}

// promise P5
#[test]
fn a_place_is_given_only_in_time_for_the_deadline() {
    let clock = Arc::new(ManualClock::new(Timestamp::default()));
    let queue = queue_by(2, 100, clock.clone());
    let deadline = Deadline::after(clock.monotonic(), Duration::from_millis(60));
    // Two rounds of 20 ms and a quarter of that fit, three do not.
    let permits: Vec<Permit> = std::iter::from_fn(|| queue.reserve(deadline).ok()).collect();
    assert_eq!(permits.len(), 4);
    assert_eq!(queue.reserve(deadline).err().unwrap().retry_after, Duration::from_millis(40));
    drop(queue.reserve(Deadline::NEVER).unwrap());
    drop(permits);
    clock.advance(Duration::from_millis(20));
    let permits: Vec<Permit> = std::iter::from_fn(|| queue.reserve(deadline).ok()).collect();
    assert_eq!(permits.len(), 2, "less time is left");
}

// promise P5
#[test]
fn where_nothing_waits_even_the_hasty_may_try() {
    let queue = queue(2, 100);
    let permit = queue.reserve(Deadline::after(Duration::ZERO, Duration::ZERO)).unwrap();
    assert!(queue.reserve(Deadline::after(Duration::ZERO, Duration::ZERO)).is_err());
    drop(permit);
}

#[test]
fn a_stopped_queue_drops_what_waits_and_takes_nothing_more() {
    let queue = queue(1, 1);
    let (_ticket, mut answer) = submit(&queue);
    let late = queue.reserve(Deadline::NEVER).unwrap();
    queue.stop();
    assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    assert!(matches!(queue.next(), Task::Stop));
    let (reply, _answer) = oneshot::channel();
    let password = Password::parse("password").unwrap();
    assert_eq!(late.submit(|permit| Job::Hash { password, reply, permit }).err(), Some(HasherStopped));
}
