//! Verifies Keystead's access tokens: claims, checks and the index of revocations.
//!
//! A pure crate: no I/O, no clock of its own, no background work, no process-wide set-up. The server judges with it
//! what it has issued, and other services judge with the very same code in their own process.

#![warn(missing_docs)]

mod claims;
mod compact;
mod header;
mod jwk;
mod key_set;
mod revocation_index;
mod strict_json;
mod verdict;
mod verified_tokens;
mod verifier;

pub use claims::Claims;
pub use jwk::Jwk;
pub use key_set::{Algorithm, KeyFault, KeySet, VerificationKey};
pub use revocation_index::{Change, LiveRevocation, RevocationIndex, RevokedTarget};
pub use verdict::{Expectations, Refusal, Verdict};
pub use verified_tokens::Remembered;
pub use verifier::{AuthenticToken, Verifier};

#[cfg(test)]
mod test_issuer;
#[cfg(test)]
mod wycheproof_tests;
