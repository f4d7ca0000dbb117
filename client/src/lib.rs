#![doc = include_str!("../README.md")]

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
#[cfg(feature = "testing")]
pub mod testing;

pub use builder::{Builder, StalePolicy};
pub use client::KeysteadClient;
pub use clock::{Clock, SystemClock};
pub use credentials::Credentials;
pub use guard::ClaimsExt;
pub use interceptor::VerifyInterceptor;
pub use keystead_verifier::{Claims, Expectations};
pub use layer::{Verify, VerifyLayer};
pub use outcome::{Ignorance, Outcome, Refusal};
