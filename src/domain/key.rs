//! Server keys: the signing ring, and the secret keys behind refresh tokens, look-ups, mail, lists and second factors.

use super::audit::AuditEvent;
use super::clock::Timestamp;
use super::revocation::Revocation;

/// What a key is used for. One key serves one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Signs access tokens.
    Signing,
    /// Authenticates refresh tokens.
    Refresh,
    /// Makes the keys under which addresses and sources are counted.
    Lookup,
    /// Seals mails that wait in the outbox.
    Mail,
    /// Seals the page tokens of lists.
    Page,
    /// Seals the secrets of second factors.
    Factor,
}

/// The algorithm of a signing key (RFC 7518, section 3.1; RFC 8037, section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    Es256,
    EdDsa,
    Rs256,
}

impl SigningAlgorithm {
    /// The name that is registered for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, does not sign yet.
    Next,
    /// Signs.
    Active,
    /// Signs no more, its last tokens are still alive.
    Retiring,
}

/// A key as it is stored: its secret part sealed under the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Of a signing key its JWK thumbprint (RFC 7638), of others random.
    pub id: String,
    pub purpose: KeyPurpose,
    /// Of signing keys alone.
    pub algorithm: Option<SigningAlgorithm>,
    pub state: KeyState,
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    /// When it came to its present state.
    pub state_since: Timestamp,
}

/// Every stored key, and the version that a change must name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredKeys {
    pub version: i64,
    pub keys: Vec<StoredKey>,
}

/// The keys as they shall be, and what is written with them.
#[derive(Clone, Debug)]
pub struct RingChange {
    pub keys: Vec<StoredKey>,
    pub revocations: Vec<Revocation>,
    pub events: Vec<AuditEvent>,
}

/// What became of a change to the keys.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySwap {
    Swapped,
    /// Another replica was first: read again.
    Lost,
}
