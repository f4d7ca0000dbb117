//! Places in the queue, and what a full one tells.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::domain::clock::Timestamp;

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
    Arc::new(Queue::new(threads, waiting, Arc::new(SteppingClock::default())))
}

fn submit(queue: &Arc<Queue>) -> oneshot::Receiver<PasswordHash> {
    let (reply, answer) = oneshot::channel();
    let password = Password::parse("password").unwrap();
    queue.reserve().unwrap().submit(|permit| Job::Hash { password, reply, permit }).unwrap();
    answer
}

// promise P5
#[test]
fn places_are_threads_and_waiting_together_and_a_dropped_one_is_free_again() {
    let queue = queue(2, 3);
    let mut permits: Vec<Permit> = (0..5).map(|_| queue.reserve().unwrap()).collect();
    assert!(queue.reserve().is_err());
    permits.pop();
    assert!(queue.reserve().is_ok());
}

// promise P5
#[test]
fn a_refusal_says_how_long_the_passwords_ahead_will_take() {
    let queue = queue(2, 3);
    for _ in 0..100 {
        queue.measure(|| ());
    }
    let _permits: Vec<Permit> = (0..5).map(|_| queue.reserve().unwrap()).collect();
    let retry_after = queue.reserve().err().unwrap().retry_after;
    // Five passwords on two threads: three rounds of 40 ms, to which the average has come close from 20.
    assert!((100..=120).contains(&retry_after.as_millis()), "{retry_after:?}");
    assert_eq!(retry_after.subsec_nanos() % 1_000_000, 0, "whole milliseconds");
}

// promise P5
#[test]
fn a_job_that_nobody_waits_for_is_skipped_and_its_place_is_free() {
    let queue = queue(1, 1);
    drop(submit(&queue));
    let _answer = submit(&queue);
    assert!(queue.reserve().is_err());
    let Task::Do(job) = queue.next() else { panic!("a job waits") };
    assert!(!job.is_abandoned());
    assert!(queue.reserve().is_ok());
}

#[test]
fn a_stopped_queue_drops_what_waits_and_takes_nothing_more() {
    let queue = queue(1, 1);
    let mut answer = submit(&queue);
    let late = queue.reserve().unwrap();
    queue.stop();
    assert_eq!(answer.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    assert!(matches!(queue.next(), Task::Stop));
    let (reply, _answer) = oneshot::channel();
    let password = Password::parse("password").unwrap();
    assert_eq!(late.submit(|permit| Job::Hash { password, reply, permit }), Err(HasherStopped));
}
