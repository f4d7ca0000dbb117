//! Sealing: authenticated encryption of what rests in the database (AES-256-GCM, NIST SP 800-38D).

use zeroize::Zeroizing;

use crate::domain::clock::Entropy;

/// Why something could not be opened: another key, another context, or changed bytes. It does not say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data does not open under this key")]
pub struct SealError;

/// A key that seals: the master key for server keys, the mail key for mails.
pub struct SealingKey {}

impl SealingKey {
    pub const BYTES: usize = 32;

    pub fn from_bytes(_bytes: &[u8; Self::BYTES]) -> Self {
        todo!()
    }

    /// Seals `plain` for one context: it opens under the same context alone.
    pub fn seal(&self, _context: &str, _plain: &[u8], _entropy: &dyn Entropy) -> Vec<u8> {
        todo!()
    }

    pub fn open(&self, _context: &str, _sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        todo!()
    }
}
