//! Password hashing on threads of its own: a fixed number, each with its memory kept, behind a bounded queue.
//!
//! A request reserves its place before it does anything else, so that an overload is told while it is still cheap. It
//! gets one only if its password can be expected to be done before its deadline. The async threads only wait; what a
//! request that has gone away had queued is taken out of the queue.

mod argon;
mod firebase;
mod forecast;
mod foreign;
mod judge;
mod phc;
mod queue;
mod settings;
mod sizing;
mod worker;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use self::forecast::Forecast;
use self::judge::Judge;
use self::queue::{Job, Permit, Queue};
pub use self::settings::{Settings, SettingsFault};
pub use self::sizing::Machine;
use self::sizing::{Fit, Size};
use crate::domain::clock::{Clock, Entropy};
use crate::domain::deadline::Deadline;
use crate::domain::password::Password;
use crate::domain::tally::HistogramReading;
use crate::domain::user::PasswordHash;

/// Hashes and checks passwords. Dropped, it lets its threads finish what they are at, and waits for that; what still
/// waits is answered with [`HasherStopped`].
pub struct PasswordHasher {
    queue: Arc<Queue>,
    judge: Arc<Judge>,
    threads: Vec<JoinHandle<()>>,
}

/// More passwords wait than can be checked in time, or before the caller's deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait")]
pub struct HashCapacity {
    /// How long the passwords ahead will take, in whole milliseconds.
    pub retry_after: Duration,
}

/// What the hashing threads have to do, and have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashLoad {
    pub threads: usize,
    /// How many passwords may be hashed or wait at once.
    pub places: usize,
    /// Places that are reserved, wait or are being hashed.
    pub taken: usize,
    /// Passwords that wait for a thread.
    pub waiting: usize,
    /// Requests that got no place.
    pub refused: u64,
    /// How long each hash took, the wait for a thread left out.
    pub durations: HistogramReading,
}

/// A reserved place in the queue: what has it will be hashed. Dropped unused, it is free again.
pub struct HashSlot {
    permit: Permit,
}

/// Whether a password is the right one.
#[must_use]
#[derive(Clone, Debug)]
pub enum PasswordVerdict {
    /// It is; where the stored hash is foreign, outdated or weaker, a fresh one comes along.
    Right {
        rehash: Option<PasswordHash>,
    },
    Wrong,
}

/// The hashing threads have stopped, or this password broke one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("password hashing has stopped")]
pub struct HasherStopped;

impl PasswordHasher {
    /// Starts the threads, as many as are set or the machine has room for. Salts come from `entropy`; `clock` measures
    /// how long a hash takes.
    pub fn start(
        settings: &Settings,
        machine: &Machine,
        entropy: Arc<dyn Entropy>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SettingsFault> {
        settings.check()?;
        let size = Size::of(settings, machine)?;
        tracing::info!(threads = size.threads, queue = size.queue, "passwords are hashed");
        if size.fit == Fit::Tight {
            tracing::warn!("hashing leaves little of the memory that the process may use");
        }
        let forecast = Forecast::guess(settings.memory_kib, settings.passes);
        let queue = Arc::new(Queue::new(size.threads, size.queue, forecast, clock));
        let judge = Arc::new(Judge::new(settings, entropy)?);
        // Made first, so that a thread that cannot be started ends the ones before it.
        let mut hasher = Self { queue: Arc::clone(&queue), judge: Arc::clone(&judge), threads: Vec::new() };
        for number in 0..size.threads {
            let (queue, judge) = (Arc::clone(&queue), Arc::clone(&judge));
            let thread = std::thread::Builder::new()
                .name(format!("keystead-hash-{number}"))
                .spawn(move || worker::run(&queue, &judge))
                .map_err(|_| SettingsFault::NoThread)?;
            hasher.threads.push(thread);
        }
        Ok(hasher)
    }

    /// How much there is to do at the moment, and what has been done so far.
    pub fn load(&self) -> HashLoad {
        self.queue.read()
    }

    /// Reserves a place in the queue, before anything else is done for a request that will hash and whose caller waits
    /// until the deadline.
    pub fn reserve(&self, deadline: Deadline) -> Result<HashSlot, HashCapacity> {
        self.queue.reserve(deadline).map(|permit| HashSlot { permit })
    }

    /// Whether a password could be checked against the stored hash: its form is known, its pepper is ours if it has one,
    /// and it asks for neither too much memory nor too much time. Hashes nothing.
    pub fn can_check(&self, stored: &PasswordHash) -> bool {
        self.judge.can_check(stored.as_str())
    }
}

impl Drop for PasswordHasher {
    fn drop(&mut self) {
        self.queue.stop();
        for thread in self.threads.drain(..) {
            // A panic has been told by the panic hook; nothing is left to do about it.
            drop(thread.join());
        }
    }
}

impl HashSlot {
    pub async fn hash(self, password: Password) -> Result<PasswordHash, HasherStopped> {
        let (reply, answer) = oneshot::channel();
        let _ticket = self.permit.submit(|permit| Job::Hash { password, reply, permit })?;
        answer.await.map_err(|_| HasherStopped)
    }

    /// Checks against the stored hash, or against a dummy that never matches at the same cost where there is none.
    pub async fn verify(
        self,
        password: Password,
        stored: Option<PasswordHash>,
    ) -> Result<PasswordVerdict, HasherStopped> {
        let (reply, answer) = oneshot::channel();
        let _ticket = self.permit.submit(|permit| Job::Verify { password, stored, reply, permit })?;
        answer.await.map_err(|_| HasherStopped)
    }
}

#[cfg(test)]
mod tests;
