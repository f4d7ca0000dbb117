//! Looks for an order of the operations on one account that explains every answer.
//!
//! An operation takes effect between its call and its answer; one whose answer is unknown at any time after its call,
//! or never. All orders are followed at once, and one is given up as soon as an answer comes that it cannot explain
//! (just-in-time linearization: G. Lowe, "Testing for linearizability", 2017).

use std::collections::BTreeSet;

use super::account::{Account, Possible};
use super::history::{Event, Op};

/// What may have happened so far: the account, and which of the operations under way have already taken effect.
type Course = (Account, BTreeSet<usize>);

/// The first answer that no order explains, and what the account might have been when it came.
#[derive(Debug)]
pub struct Unexplained {
    pub event: Event,
    pub possible: Possible,
}

/// What the account may be after the events, begun as one of `possible`.
pub fn explain(possible: &Possible, events: &[Event]) -> Result<Possible, Box<Unexplained>> {
    let mut courses: BTreeSet<Course> = possible.iter().map(|account| (account.clone(), BTreeSet::new())).collect();
    let mut underway = BTreeSet::new();
    for (_, is_end, index) in timeline(events) {
        if !is_end {
            underway.insert(index);
            continue;
        }
        let explained = through(&courses, &underway, index, events);
        if explained.is_empty() {
            let possible = accounts(courses);
            return Err(Box::new(Unexplained { event: events[index].clone(), possible }));
        }
        courses = explained;
        underway.remove(&index);
    }
    Ok(with_the_unknown(courses, &underway, events))
}

/// Every call and every answer in the order of time, calls first where the moment is the same.
fn timeline(events: &[Event]) -> Vec<(u64, bool, usize)> {
    let mut moments = Vec::new();
    for (index, event) in events.iter().enumerate().filter(|(_, event)| !matches!(event.op, Op::Verify { .. })) {
        moments.push((event.invoked, false, index));
        if !event.outcome.is_unknown() {
            moments.push((event.answered, true, index));
        }
    }
    moments.sort_unstable();
    moments
}

/// The courses in which the operation `ends` has taken effect by now.
fn through(courses: &BTreeSet<Course>, underway: &BTreeSet<usize>, ends: usize, events: &[Event]) -> BTreeSet<Course> {
    let mut explained = BTreeSet::new();
    let mut seen = courses.clone();
    let mut waiting: Vec<Course> = courses.iter().cloned().collect();
    while let Some((account, mut done)) = waiting.pop() {
        if done.remove(&ends) {
            explained.insert((account, done));
            continue;
        }
        for next in steps(&account, &done, underway, events) {
            if seen.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    explained
}

/// The courses after one more operation. Of an unknown one only what changes something is worth following.
fn steps(account: &Account, done: &BTreeSet<usize>, underway: &BTreeSet<usize>, events: &[Event]) -> Vec<Course> {
    let mut found = Vec::new();
    for index in underway.difference(done) {
        let event = &events[*index];
        let Some(next) = account.after(&event.op, &event.outcome) else { continue };
        if event.outcome.is_unknown() && next == *account {
            continue;
        }
        let mut done = done.clone();
        done.insert(*index);
        found.push((next, done));
    }
    found
}

/// What is left of the unknown may still happen, or not.
fn with_the_unknown(courses: BTreeSet<Course>, underway: &BTreeSet<usize>, events: &[Event]) -> Possible {
    let mut seen = courses.clone();
    let mut waiting: Vec<Course> = courses.into_iter().collect();
    while let Some((account, done)) = waiting.pop() {
        for next in steps(&account, &done, underway, events) {
            if seen.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    accounts(seen)
}

fn accounts(courses: BTreeSet<Course>) -> Possible {
    courses.into_iter().map(|(account, _)| account).collect()
}
