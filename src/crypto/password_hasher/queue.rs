//! The bounded queue between the requests and the hashing threads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{HashCapacity, HasherStopped, PasswordVerdict};
use crate::domain::clock::Clock;
use crate::domain::password::Password;
use crate::domain::user::PasswordHash;

/// What a hash is taken to last before the first one has been measured.
const FIRST_GUESS: Duration = Duration::from_millis(20);

/// After so long without work a thread gives its memory back.
const IDLE: Duration = Duration::from_secs(30);

/// A password that waits. It holds its place until it is done with.
pub enum Job {
    Hash { password: Password, reply: oneshot::Sender<PasswordHash>, permit: Permit },
    Verify { password: Password, stored: Option<PasswordHash>, reply: oneshot::Sender<PasswordVerdict>, permit: Permit },
}

impl Job {
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Hash { reply, .. } => reply.is_closed(),
            Self::Verify { reply, .. } => reply.is_closed(),
        }
    }
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
    wake: Condvar,
    clock: Arc<dyn Clock>,
    threads: usize,
    places: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// Places that are reserved, wait or are being hashed.
    taken: usize,
    /// How long a hash lasts: a moving average that forgets an eighth at each one.
    average: Duration,
    stopped: bool,
}

impl Queue {
    pub fn new(threads: usize, waiting: usize, clock: Arc<dyn Clock>) -> Self {
        let state = State { jobs: VecDeque::new(), taken: 0, average: FIRST_GUESS, stopped: false };
        Self { state: Mutex::new(state), wake: Condvar::new(), clock, threads, places: threads.saturating_add(waiting) }
    }

    pub fn reserve(self: &Arc<Self>) -> Result<Permit, HashCapacity> {
        let mut state = self.lock();
        if state.taken >= self.places {
            return Err(HashCapacity { retry_after: self.time_to_drain(&state) });
        }
        state.taken += 1;
        Ok(Permit { queue: Arc::clone(self) })
    }

    /// Waits for the next job that somebody still waits for.
    pub fn next(&self) -> Task {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return Task::Stop;
            }
            let Some(job) = state.jobs.pop_front() else {
                let (woken, waited) = self.wake.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
                if waited.timed_out() && woken.jobs.is_empty() {
                    return Task::Rest;
                }
                state = woken;
                continue;
            };
            if !job.is_abandoned() {
                return Task::Do(job);
            }
            // The job's permit takes the lock when it is dropped.
            drop(state);
            drop(job);
            state = self.lock();
        }
    }

    /// Does the work, and takes in how long it has lasted.
    pub fn measure<T>(&self, work: impl FnOnce() -> T) -> T {
        let began = self.clock.monotonic();
        let result = work();
        let lasted = self.clock.monotonic().saturating_sub(began);
        let mut state = self.lock();
        state.average = (state.average * 7 + lasted) / 8;
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

    fn time_to_drain(&self, state: &State) -> Duration {
        let each = u32::try_from(state.taken.div_ceil(self.threads)).unwrap_or(u32::MAX);
        let micros = state.average.saturating_mul(each).as_micros();
        Duration::from_millis(u64::try_from(micros.div_ceil(1_000)).unwrap_or(u64::MAX).max(1))
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
    /// Puts a job into the place.
    pub fn submit(self, job: impl FnOnce(Self) -> Job) -> Result<(), HasherStopped> {
        let queue = Arc::clone(&self.queue);
        let job = job(self);
        let mut state = queue.lock();
        if state.stopped {
            // The job's permit takes the lock when it is dropped.
            drop(state);
            drop(job);
            return Err(HasherStopped);
        }
        state.jobs.push_back(job);
        drop(state);
        queue.wake.notify_one();
        Ok(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.queue.lock().taken -= 1;
    }
}

#[cfg(test)]
mod tests;
