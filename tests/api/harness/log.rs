//! What the replicas log, told with the output of a test that fails.

use std::sync::Once;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Warnings of the service go to the standard output, which is kept for each test and the threads that it starts.
pub fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_test_writer();
        let faults = Targets::new().with_target("keystead", LevelFilter::WARN);
        tracing_subscriber::registry().with(faults).with(lines).init();
    });
}
