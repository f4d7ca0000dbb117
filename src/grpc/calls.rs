//! How many calls there were, how they ended, and how long they took: by method, and by code.

use std::time::Duration;

use tonic::Code;

use super::access_log::code_name;
use super::methods::{Method, Methods};
use crate::domain::tally::{CALL_BOUNDS, Counter, Histogram, HistogramReading};

/// The name under which requests are counted that are of no method: their paths are the callers'.
const OTHER: &str = "other";
/// The code of what was refused before it was a call.
const NOT_GRPC: &str = "NOT_GRPC";
/// gRPC's seventeen codes, 0 to 16, and [`NOT_GRPC`].
const ENDS: usize = 18;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Code(Code),
    /// By a status of HTTP: it was no call.
    NotGrpc,
}

/// Counts every request that comes in.
pub struct Calls {
    methods: Vec<(String, Tally)>,
    other: Tally,
}

struct Tally {
    ends: [Counter; ENDS],
    durations: Histogram,
}

/// The calls of one method so far.
pub struct CallsReading<'a> {
    /// Without a slash in front: `keystead.v1.AuthService/Login`.
    pub method: &'a str,
    /// How often it ended in which code, those that it never ended in left out; `OK` is always there.
    pub ends: Vec<(&'static str, u64)>,
    pub durations: HistogramReading,
}

/// A request that is being answered. Dropped without an end, it was given up: its caller has gone.
#[must_use]
pub struct Underway<'a>(Option<&'a Tally>);

impl Calls {
    pub fn of(methods: &Methods) -> Self {
        let named = |path: String| (path.trim_start_matches('/').to_owned(), Tally::new());
        Self { methods: methods.paths().into_iter().map(named).collect(), other: Tally::new() }
    }

    pub fn begin(&self, method: Option<&Method>) -> Underway<'_> {
        let tally = method.and_then(|method| self.methods.get(method.number)).map(|(_, tally)| tally);
        Underway(Some(tally.unwrap_or(&self.other)))
    }

    /// Every method that is served, and [`OTHER`] for the rest.
    pub fn read(&self) -> impl Iterator<Item = CallsReading<'_>> {
        let known = self.methods.iter().map(|(name, tally)| (name.as_str(), tally));
        known.chain([(OTHER, &self.other)]).map(|(method, tally)| tally.read(method))
    }
}

impl Tally {
    fn new() -> Self {
        Self { ends: std::array::from_fn(|_| Counter::default()), durations: Histogram::new(CALL_BOUNDS) }
    }

    fn count(&self, end: End) {
        if let Some(counter) = self.ends.get(place(end)) {
            counter.add(1);
        }
    }

    fn read<'a>(&self, method: &'a str) -> CallsReading<'a> {
        let ends = self.ends.iter().enumerate().map(|(place, counter)| (name(place), counter.get()));
        let seen = ends.enumerate().filter(|(place, (_, count))| *place == 0 || *count > 0);
        CallsReading { method, ends: seen.map(|(_, end)| end).collect(), durations: self.durations.read() }
    }
}

impl Underway<'_> {
    pub fn end(mut self, end: End, duration: Duration) {
        if let Some(tally) = self.0.take() {
            tally.count(end);
            tally.durations.observe(duration);
        }
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if let Some(tally) = self.0.take() {
            tally.count(End::Code(Code::Cancelled));
        }
    }
}

fn place(end: End) -> usize {
    match end {
        End::Code(code) => usize::try_from(i32::from(code)).unwrap_or(ENDS - 1),
        End::NotGrpc => ENDS - 1,
    }
}

fn name(place: usize) -> &'static str {
    let code = i32::try_from(place).ok().filter(|_| place < ENDS - 1);
    code.map_or(NOT_GRPC, |code| code_name(Code::from_i32(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "/keystead.v1.AuthService/Login";

    fn ends_of(calls: &Calls, method: &str) -> Vec<(&'static str, u64)> {
        calls.read().find(|reading| reading.method == method).expect("the method").ends
    }

    #[test]
    fn a_call_counts_under_its_method_and_its_code() {
        let methods = Methods::served(true).expect("descriptors");
        let calls = Calls::of(&methods);
        let span = Duration::from_millis(2);
        for code in [Code::Ok, Code::Ok, Code::Unauthenticated] {
            calls.begin(methods.find(LOGIN)).end(End::Code(code), span);
        }
        calls.begin(None).end(End::NotGrpc, span);
        assert_eq!(ends_of(&calls, "keystead.v1.AuthService/Login"), [("OK", 2), ("UNAUTHENTICATED", 1)]);
        assert_eq!(ends_of(&calls, "other"), [("OK", 0), ("NOT_GRPC", 1)]);
        let login = calls.read().find(|reading| reading.method == "keystead.v1.AuthService/Login").expect("the method");
        assert_eq!((login.durations.count, login.durations.sum), (3, span * 3));
    }

    #[test]
    fn a_call_that_its_caller_gives_up_counts_as_cancelled() {
        let methods = Methods::served(true).expect("descriptors");
        let calls = Calls::of(&methods);
        drop(calls.begin(methods.find(LOGIN)));
        assert_eq!(ends_of(&calls, "keystead.v1.AuthService/Login"), [("OK", 0), ("CANCELLED", 1)]);
    }

    #[test]
    fn every_code_has_a_place_and_a_name() {
        let named: Vec<&str> = (0..ENDS).map(name).collect();
        assert_eq!((named[0], named[16], named[17]), ("OK", "UNAUTHENTICATED", "NOT_GRPC"));
        assert_eq!(place(End::Code(Code::Unauthenticated)), 16);
    }
}
