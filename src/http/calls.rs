//! How many requests there were, how they ended, and how long they took: by the path of the endpoint, and by status.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::domain::clock::Clock;
use crate::domain::tally::{CALL_BOUNDS, Histogram, HistogramReading};

/// The path under which requests are counted that no endpoint answers: theirs are the callers'.
const OTHER: &str = "other";

/// Counts every request that comes in.
pub struct Calls {
    paths: Mutex<BTreeMap<String, Tally>>,
    clock: Arc<dyn Clock>,
}

struct Tally {
    statuses: BTreeMap<u16, u64>,
    durations: Histogram,
}

/// The requests of one endpoint so far.
pub struct CallsReading {
    /// As the router has it: `/oauth/{provider}/start`.
    pub path: String,
    pub statuses: Vec<(u16, u64)>,
    pub durations: HistogramReading,
}

impl Calls {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { paths: Mutex::default(), clock }
    }

    /// Every endpoint that was asked for.
    pub fn read(&self) -> Vec<CallsReading> {
        let paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = |(path, tally): (&String, &Tally)| CallsReading {
            path: path.clone(),
            statuses: tally.statuses.iter().map(|(status, count)| (*status, *count)).collect(),
            durations: tally.durations.read(),
        };
        paths.iter().map(reading).collect()
    }

    fn count(&self, path: &str, status: u16, duration: std::time::Duration) {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        if !paths.contains_key(path) {
            paths.insert(path.to_owned(), Tally::new());
        }
        if let Some(tally) = paths.get_mut(path) {
            *tally.statuses.entry(status).or_default() += 1;
            tally.durations.observe(duration);
        }
    }
}

impl Tally {
    fn new() -> Self {
        Self { statuses: BTreeMap::new(), durations: Histogram::new(CALL_BOUNDS) }
    }
}

/// Lets a request through, and counts it once it is answered.
pub async fn count(State(calls): State<Arc<Calls>>, request: Request, next: Next) -> Response {
    let began = calls.clock.monotonic();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let duration = calls.clock.monotonic().saturating_sub(began);
    calls.count(path.as_ref().map_or(OTHER, MatchedPath::as_str), response.status().as_u16(), duration);
    response
}
