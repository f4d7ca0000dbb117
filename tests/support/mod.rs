//! What the test binaries share: above all throw-away PostgreSQL and Redis servers, on free ports of the loopback, in
//! temporary folders.
//!
//! A test binary takes this in by `#[path]`. It never talks to a server that it has not started, and whatever it
//! started is gone when the test process ends, however it ends (see [`guard`]).

pub mod gateway;
pub mod guard;
pub mod packages;
pub mod postgres;
pub mod process;
pub mod prometheus;
pub mod redis;
pub mod small_disk;
pub mod stopwatch;
