#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod builder;
mod client;
mod clock;
mod connect;
mod credentials;
mod fallback;
mod feed;
mod guard;
mod interceptor;
mod keys;
mod layer;
mod outcome;
mod pb;
mod rejection;
mod retry;
mod statuses;
#[cfg(feature = "testing")]
pub mod testing;

pub use builder::{Builder, StalePolicy};
pub use client::KeysteadClient;
pub use clock::{Clock, SystemClock};
pub use credentials::Credentials;
pub use guard::ClaimsExt;
pub use interceptor::VerifyInterceptor;
pub use keystead_verifier::{Claims, Expectations, Refusal};
pub use layer::{Verify, VerifyLayer};
pub use outcome::{Ignorance, Outcome};
