//! A hashing thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::argon::Memory;
use super::judge::Judge;
use super::queue::{Job, Queue, Task};

/// Works until the queue is stopped. A panic costs the one password that caused it.
pub fn run(queue: &Queue, judge: &Judge) {
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
