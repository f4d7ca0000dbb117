//! Sealing: authenticated encryption of what rests in the database (AES-256-GCM, NIST SP 800-38D).
//!
//! Sealed data is a version byte, the sealing key's id, a random nonce, then ciphertext and tag. Version and id are
//! authenticated along with the context. With random nonces of 96 bits one key may seal 2^32 times (section 8.3),
//! which no mail key comes near.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::domain::clock::Entropy;

const VERSION: u8 = 1;
const KEY_ID_LEN: usize = 8;
const HEADER_LEN: usize = 1 + KEY_ID_LEN;

/// Why something could not be opened: another key, another context, or changed bytes. It does not say which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data does not open under this key")]
pub struct SealError;

/// A key that seals: the master key for server keys, the mail key for mails.
pub struct SealingKey {
    key: LessSafeKey,
    header: [u8; HEADER_LEN],
}

impl SealingKey {
    pub const BYTES: usize = 32;

    #[expect(clippy::expect_used, reason = "the only fault is another length, which the type rules out")]
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("AES-256 takes 32 bytes");
        Self { key: LessSafeKey::new(key), header: header_of(bytes) }
    }

    /// Seals `plain` for one context: it opens under the same context alone.
    #[expect(clippy::expect_used, reason = "the only fault is a text of 64 GiB, which no memory here holds")]
    pub fn seal(&self, context: &str, plain: &[u8], entropy: &dyn Entropy) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut text = Zeroizing::new(plain.to_vec());
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), self.aad(context), &mut text)
            .expect("shorter than 64 GiB");
        [self.header.as_slice(), nonce.as_slice(), text.as_slice(), tag.as_ref()].concat()
    }

    /// Whether it is this key that has sealed; not whether the rest is as it was.
    pub fn has_sealed(&self, sealed: &[u8]) -> bool {
        sealed.starts_with(&self.header)
    }

    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (header, rest) = sealed.split_first_chunk::<HEADER_LEN>().ok_or(SealError)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError)?;
        if *header != self.header {
            return Err(SealError);
        }
        let mut text = Zeroizing::new(text.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.key.open_in_place(nonce, self.aad(context), &mut text).map_err(|_| SealError)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }

    /// The header has a fixed length, so that it and the context cannot run into one another.
    fn aad(&self, context: &str) -> Aad<Vec<u8>> {
        Aad::from([self.header.as_slice(), context.as_bytes()].concat())
    }
}

/// The id tells keys apart, for example during a change of the master key, and nothing about the key.
fn header_of(key: &[u8; SealingKey::BYTES]) -> [u8; HEADER_LEN] {
    let id = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"keystead/seal/key-id");
    let mut header = [VERSION; HEADER_LEN];
    for (place, byte) in header.iter_mut().skip(1).zip(id.as_ref()) {
        *place = *byte;
    }
    header
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::crypto::testing::TestEntropy;

    fn key(byte: u8) -> SealingKey {
        SealingKey::from_bytes(&[byte; SealingKey::BYTES])
    }

    #[test]
    fn what_was_sealed_opens_under_the_same_key_and_context_alone() {
        let sealed = key(1).seal("mail/1", b"hello", &TestEntropy::default());
        assert_eq!(key(1).open("mail/1", &sealed).unwrap().as_slice(), b"hello");
        assert_eq!(key(1).open("mail/2", &sealed), Err(SealError));
        assert_eq!(key(2).open("mail/1", &sealed), Err(SealError));
    }

    #[test]
    fn every_changed_byte_and_every_prefix_is_refused() {
        let sealed = key(1).seal("c", b"secret", &TestEntropy::default());
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(key(1).open("c", &changed), Err(SealError), "byte {place}");
            assert_eq!(key(1).open("c", &sealed[..place]), Err(SealError), "prefix {place}");
        }
    }

    #[test]
    fn the_same_text_is_sealed_differently_each_time() {
        let entropy = TestEntropy::default();
        assert_ne!(key(1).seal("c", b"secret", &entropy), key(1).seal("c", b"secret", &entropy));
    }

    #[test]
    fn what_was_sealed_once_opens_for_ever() {
        let sealed = key(1).seal("mail/1", b"hello", &TestEntropy::default());
        let kept = "013f75c82376b07871af5570f5a1810b7af78caf4b0e43bb97a6aacaff45c21250903ee3cea40d2c63d5";
        assert_eq!(HEXLOWER.encode(&sealed), kept);
        assert_eq!(key(1).open("mail/1", &HEXLOWER.decode(kept.as_bytes()).unwrap()).unwrap().as_slice(), b"hello");
    }

    #[test]
    fn a_key_knows_what_it_has_sealed_from_what_others_have() {
        let sealed = key(1).seal("c", b"secret", &TestEntropy::default());
        assert!(key(1).has_sealed(&sealed));
        assert!(!key(2).has_sealed(&sealed));
        assert!(!key(1).has_sealed(&sealed[..HEADER_LEN - 1]));
    }
}
