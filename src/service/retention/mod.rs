//! How long rows are kept that nothing needs any more.

pub mod purge;
pub mod settings;
pub mod tally;
