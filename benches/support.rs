//! The throw-away servers of the tests.

#[path = "../tests/support/guard.rs"]
pub mod guard;
#[path = "../tests/support/packages.rs"]
pub mod packages;
#[path = "../tests/support/postgres.rs"]
pub mod postgres;
#[path = "../tests/support/process.rs"]
pub mod process;
#[path = "../tests/support/redis.rs"]
pub mod redis;
#[path = "../tests/support/small_disk.rs"]
pub mod small_disk;
