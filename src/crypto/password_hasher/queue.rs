//! The bounded queue between the requests and the hashing threads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::forecast::Forecast;
use super::{HashCapacity, HashLoad, HasherStopped, PasswordVerdict};
use crate::domain::clock::Clock;
use crate::domain::deadline::Deadline;
use crate::domain::password::Password;
use crate::domain::tally::{Counter, Histogram};
use crate::domain::user::PasswordHash;

/// After so long without work a thread gives its memory back.
const IDLE: Duration = Duration::from_secs(30);

/// From a weak hash on an idle processor to the strongest on a busy one.
const HASH_BOUNDS: &[Duration] = &[
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
];

/// A password that waits. It holds its place until it is done with.
pub enum Job {
    Hash { password: Password, reply: oneshot::Sender<PasswordHash>, permit: Permit },
    Verify { password: Password, stored: Option<PasswordHash>, reply: oneshot::Sender<PasswordVerdict>, permit: Permit },
}

/// What a thread is to do next.
pub enum Task {
    Do(Job),
    /// Nothing has come for a while.
    Rest,
    Stop,
}

pub struct Queue {
    state: Mutex<State>,
    durations: Histogram,
    refused: Counter,
    wake: Condvar,
    clock: Arc<dyn Clock>,
    threads: usize,
    places: usize,
}

struct State {
    /// The jobs that wait, by their numbers, which only grow.
    jobs: VecDeque<(u64, Job)>,
    next_number: u64,
    /// Places that are reserved, wait or are being hashed.
    taken: usize,
    forecast: Forecast,
    stopped: bool,
}

impl Queue {
    pub fn new(threads: usize, waiting: usize, forecast: Forecast, clock: Arc<dyn Clock>) -> Self {
        let state = State { jobs: VecDeque::new(), next_number: 0, taken: 0, forecast, stopped: false };
        Self {
            state: Mutex::new(state),
            durations: Histogram::new(HASH_BOUNDS),
            refused: Counter::default(),
            wake: Condvar::new(),
            clock,
            threads,
            places: threads.saturating_add(waiting),
        }
    }

    pub fn read(&self) -> HashLoad {
        let state = self.lock();
        let (taken, waiting) = (state.taken, state.jobs.len());
        drop(state);
        HashLoad {
            threads: self.threads,
            places: self.places,
            taken,
            waiting,
            refused: self.refused.get(),
            durations: self.durations.read(),
        }
    }

    /// A place, if there is one and what is ahead of it will be done in time for it to be done by the deadline.
    pub fn reserve(self: &Arc<Self>, deadline: Deadline) -> Result<Permit, HashCapacity> {
        let time_left = deadline.time_left(self.clock.monotonic());
        let mut state = self.lock();
        let is_full = state.taken >= self.places;
        if is_full || !state.forecast.is_in_time(state.taken, self.threads, time_left) {
            self.refused.add(1);
            return Err(HashCapacity { retry_after: state.forecast.time_to_drain(state.taken, self.threads) });
        }
        state.taken += 1;
        Ok(Permit { queue: Arc::clone(self) })
    }

    /// Waits for the next job.
    pub fn next(&self) -> Task {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Task::Stop;
            }
            if let Some((_, job)) = state.jobs.pop_front() {
                return Task::Do(job);
            }
            let (woken, waited) = self.wake.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() && woken.jobs.is_empty() {
                return Task::Rest;
            }
            state = woken;
        }
    }

    /// Does the work, and takes in how long it has lasted.
    pub fn measure<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = self.clock.monotonic();
        let result = work();
        let lasted = self.clock.monotonic().saturating_sub(began);
        self.durations.observe(lasted);
        self.lock().forecast.learn(lasted);
        result
    }

    /// Lets the threads end, and drops what waits: its callers learn of it.
    pub fn stop(&self) {
        let mut state = self.lock();
        state.stopped = true;
        let waiting = std::mem::take(&mut state.jobs);
        drop(state);
        drop(waiting);
        self.wake.notify_all();
    }

    /// Takes a job out that has not been begun; its place is free at once.
    fn withdraw(&self, number: u64) {
        let mut state = self.lock();
        let found = state.jobs.binary_search_by_key(&number, |(number, _)| *number);
        let withdrawn = found.ok().and_then(|index| state.jobs.remove(index));
        // The job's permit takes the lock when it is dropped.
        drop(state);
        drop(withdrawn);
    }

    /// No change is left half done by a panic: what a panicking holder left is good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue, free again when dropped.
pub struct Permit {
    queue: Arc<Queue>,
}

impl Permit {
    /// Puts a job into the place. It waits there for as long as somebody holds the ticket.
    pub fn submit(self, job: impl FnOnce(Self) -> Job) -> Result<Ticket, HasherStopped> {
        let queue = Arc::clone(&self.queue);
        let job = job(self);
        let mut state = queue.lock();
        if state.stopped {
            // The job's permit takes the lock when it is dropped.
            drop(state);
            drop(job);
            return Err(HasherStopped);
        }
        let number = state.next_number;
        state.next_number += 1;
        state.jobs.push_back((number, job));
        drop(state);
        queue.wake.notify_one();
        Ok(Ticket { queue, number })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.queue.lock().taken -= 1;
    }
}

/// Somebody waits for a job. Dropped before the job is begun, it takes the job out of the queue, unhashed.
#[must_use]
pub struct Ticket {
    queue: Arc<Queue>,
    number: u64,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.queue.withdraw(self.number);
    }
}

#[cfg(test)]
mod tests;
