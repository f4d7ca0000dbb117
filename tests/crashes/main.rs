//! Kills replicas and PostgreSQL under load, again and again, and holds what every client saw against the promises.
//!
//! Clients write a history of what they asked and what came of it (`history`). A model of one account (`account`) says
//! what each operation may give; `order` looks for an order of the operations that explains every answer, and
//! `verdicts` judges what was said of access tokens. What lies in the database is looked at besides (`remains`).

#![cfg(test)]
#![expect(clippy::format_collect, clippy::needless_pass_by_value, reason = "these cost a test nothing that matters")]

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "other test binaries use the rest")]
mod support;

#[path = "../api/harness/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests of the API use the rest")]
mod harness;

mod account;
mod administrator;
mod caller;
mod dice;
mod fleet;
mod history;
mod judge;
mod order;
mod owner;
mod remains;
mod rounds;
mod verdicts;
