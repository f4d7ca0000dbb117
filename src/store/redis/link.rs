//! The way to Redis: the pool behind the breaker, with one timeout over everything that an operation does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::breaker::{Admission, Breaker, Change};
use super::pool::{CONNECT_TIMEOUT, Connection, Fault, Pool};
use crate::domain::clock::Clock;
use crate::domain::trace::TRACED;

/// Shared by everything that speaks to Redis, so that all of it learns at once that Redis is away.
pub struct Link {
    pool: Pool,
    breaker: Mutex<Breaker>,
    clock: Arc<dyn Clock>,
    timeout: Duration,
}

/// Redis is away, or is being left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away;

impl Link {
    pub fn new(pool: Pool, clock: Arc<dyn Clock>, timeout: Duration) -> Self {
        Self { pool, breaker: Mutex::default(), clock, timeout }
    }

    pub async fn connection(&self) -> Result<Connection, Fault> {
        // Making a connection is a large future, and a rare one.
        Ok(Box::pin(self.pool.get()).await?)
    }

    /// Whether an operation may go on; if it is time to probe, `probe` goes its own way, and this request waits for
    /// nothing.
    pub fn admit(&self, probe: impl Future<Output = ()> + Send + 'static) -> Result<(), Away> {
        match self.with_breaker(|breaker| breaker.admit(self.clock.monotonic())) {
            Admission::Ask => Ok(()),
            Admission::LeaveAlone => Err(Away),
            Admission::Probe => {
                tokio::spawn(probe);
                Err(Away)
            }
        }
    }

    /// An operation of a request, by the command that it sends.
    pub async fn run<T>(
        &self,
        command: &'static str,
        operation: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Away> {
        self.settle(command, operation, self.timeout).await.inspect(|_| self.succeeded())
    }

    /// An operation of a request whose success proves nothing: a server that is full or a replica still forgets, or
    /// passes words on, and counts no more.
    pub async fn run_unproven<T>(
        &self,
        command: &'static str,
        operation: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Away> {
        self.settle(command, operation, self.timeout).await
    }

    /// An operation that nobody waits for, and that may take as long as a new connection takes.
    pub async fn run_unhurried<T>(
        &self,
        command: &'static str,
        operation: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Away> {
        self.settle(command, operation, CONNECT_TIMEOUT).await.inspect(|_| self.succeeded())
    }

    /// Connections that are open, and how many may be.
    pub fn connections(&self) -> (usize, usize) {
        self.pool.connections()
    }

    pub fn is_open(&self) -> bool {
        self.with_breaker(|breaker| breaker.is_open())
    }

    async fn settle<T>(
        &self,
        command: &'static str,
        operation: impl Future<Output = Result<T, Fault>>,
        limit: Duration,
    ) -> Result<T, Away> {
        let in_time = async { timeout(limit, operation).await.unwrap_or(Err(Fault::Timeout)) };
        let outcome = traced(command, in_time).await;
        outcome.map_err(|fault| {
            self.failed(&fault);
            Away
        })
    }

    fn succeeded(&self) {
        if self.with_breaker(Breaker::succeed) == Change::Closed {
            tracing::info!("redis answers again: limits are shared");
        }
    }

    fn failed(&self, fault: &Fault) {
        tracing::debug!(fault = fault.code(), "redis did not answer");
        if fault.is_of_replica() {
            self.pool.disconnect();
        }
        if self.with_breaker(|breaker| breaker.fail(self.clock.monotonic())) == Change::Opened {
            tracing::warn!(fault = fault.code(), "redis is away: limits are local to this replica");
        }
    }

    /// The breaker is whole whatever a holder of the lock did: it changes in one assignment.
    fn with_breaker<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> T {
        act(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The operation in a span of its own, for traces: by the name of its command, never by its keys and values.
async fn traced<T>(command: &'static str, operation: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let span = tracing::info_span!(
        target: TRACED, "redis", db.system = "redis", db.operation = command, otel.status_code = Empty,
    );
    let outcome = operation.instrument(span.clone()).await;
    span.record("otel.status_code", if outcome.is_ok() { "OK" } else { "ERROR" });
    outcome
}
