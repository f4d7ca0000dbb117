//! A hashing thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::argon::Memory;
use super::judge::Judge;
use super::queue::{Job, Queue, Task};

/// How far a hashing thread stands back behind the others of the process (`nice`, 0 to 19). Behind that there is only
/// `SCHED_IDLE`, under which a login starves once verification fills the machine; see ADR 0018.
const NICENESS: i32 = 19;

/// Works until the queue is stopped. A panic costs the one password that caused it.
pub fn run(queue: &Queue, judge: &Judge) {
    stand_back();
    let mut memory = Memory::default();
    loop {
        match queue.next() {
            Task::Do(job) => {
                // The memory is written over by each hash, so that a half-done one leaves nothing that matters.
                if queue.measure(|| catch_unwind(AssertUnwindSafe(|| work(judge, &mut memory, job)))).is_err() {
                    memory.give_back();
                }
            }
            Task::Rest => memory.give_back(),
            Task::Stop => return memory.give_back(),
        }
    }
}

/// Lets the network threads go first where processors are scarce: a password may wait, a verdict may not. On Linux alone
/// does a thread have a niceness of its own. To stand back takes no privilege; a sandbox may refuse the call nevertheless.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS) {
        tracing::warn!(%error, "a hashing thread goes on at the priority of all");
    }
}

/// The place is free before the answer is out: who has an answer can reserve again. An answer that nobody waits for
/// any more is no fault.
fn work(judge: &Judge, memory: &mut Memory, job: Job) {
    match job {
        Job::Hash { password, reply, permit } => {
            let hash = judge.hash(&password, memory);
            drop(permit);
            if let Some(hash) = hash {
                reply.send(hash).ok();
            }
        }
        Job::Verify { password, stored, reply, permit } => {
            let verdict = judge.verify(&password, stored.as_ref(), memory);
            drop(permit);
            reply.send(verdict).ok();
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    // promise P5
    #[test]
    fn a_thread_that_stands_back_leaves_the_others_where_they_are() {
        let niceness = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).expect("a niceness");
        let before = niceness();
        let hashing = std::thread::spawn(move || {
            stand_back();
            niceness()
        });
        assert_eq!(hashing.join().expect("no panic"), NICENESS);
        assert_eq!(niceness(), before);
    }
}
