//! Server keys between the database and the ring: made and sealed, opened and checked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::key_ring::{RingError, SignError};
use super::master_keys::MasterKeys;
use super::seal::SealingKey;
use super::signing_key::{self, SigningKey};
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::key::{KeyPurpose, KeyState, SigningAlgorithm, StoredKey};

/// The length of every key that is plain random bytes.
const SECRET_LEN: usize = 32;

/// Makes a key and seals it under the master key. `algorithm` is for signing keys alone.
pub fn generate(
    purpose: KeyPurpose,
    algorithm: SigningAlgorithm,
    state: KeyState,
    master: &SealingKey,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<StoredKey, SignError> {
    let (id, algorithm, secret) = match purpose {
        KeyPurpose::Signing => {
            let der = signing_key::generate(algorithm)?;
            let key = SigningKey::from_pkcs8(algorithm, &der).map_err(|_| SignError)?;
            (key.kid().to_owned(), Some(algorithm), der)
        }
        KeyPurpose::Refresh | KeyPurpose::Lookup | KeyPurpose::Mail | KeyPurpose::Page | KeyPurpose::Factor => {
            let mut secret = Zeroizing::new(vec![0; SECRET_LEN]);
            entropy.fill(&mut secret);
            (random_id(entropy), None, secret)
        }
    };
    let sealed = master.seal(&context(purpose, &id), &secret, entropy);
    Ok(StoredKey { id, purpose, algorithm, state, sealed, created_at: now, state_since: now })
}

/// The same key, sealed under the current master key.
pub fn reseal(key: &StoredKey, masters: &MasterKeys, entropy: &dyn Entropy) -> Result<StoredKey, RingError> {
    let secret = unseal(key, masters)?;
    let sealed = masters.current().seal(&context(key.purpose, &key.id), &secret, entropy);
    Ok(StoredKey { sealed, ..key.clone() })
}

/// Opens a key that is plain random bytes.
pub(super) fn open_secret(key: &StoredKey, master: &MasterKeys) -> Result<Zeroizing<[u8; SECRET_LEN]>, RingError> {
    let bytes = unseal(key, master)?;
    let mut secret = Zeroizing::new([0; SECRET_LEN]);
    if bytes.len() != SECRET_LEN {
        return Err(mismatch(key));
    }
    secret.copy_from_slice(&bytes);
    Ok(secret)
}

/// Opens a signing key, which must have the thumbprint that is its id.
pub(super) fn open_signing(key: &StoredKey, master: &MasterKeys) -> Result<SigningKey, RingError> {
    let der = unseal(key, master)?;
    let algorithm = key.algorithm.ok_or_else(|| mismatch(key))?;
    let opened = SigningKey::from_pkcs8(algorithm, &der).map_err(|_| mismatch(key))?;
    if opened.kid() == key.id { Ok(opened) } else { Err(mismatch(key)) }
}

fn unseal(key: &StoredKey, master: &MasterKeys) -> Result<Zeroizing<Vec<u8>>, RingError> {
    master
        .open(&context(key.purpose, &key.id), &key.sealed)
        .map_err(|source| RingError::Sealed { id: key.id.clone(), source })
}

fn mismatch(key: &StoredKey) -> RingError {
    RingError::Mismatch { id: key.id.clone() }
}

/// Whoever can write the table cannot turn a key of one purpose into one of another.
fn context(purpose: KeyPurpose, id: &str) -> String {
    let purpose = match purpose {
        KeyPurpose::Signing => "signing",
        KeyPurpose::Refresh => "refresh",
        KeyPurpose::Lookup => "lookup",
        KeyPurpose::Mail => "mail",
        KeyPurpose::Page => "page",
        KeyPurpose::Factor => "factor",
    };
    format!("keystead/{purpose}/{id}")
}

fn random_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::TestEntropy;

    fn master(byte: u8) -> SealingKey {
        SealingKey::from_bytes(&[byte; SealingKey::BYTES])
    }

    fn key(entropy: &TestEntropy) -> StoredKey {
        let (purpose, algorithm, at) = (KeyPurpose::Lookup, SigningAlgorithm::Es256, Timestamp::from_millis(1));
        generate(purpose, algorithm, KeyState::Active, &master(1), entropy, at).unwrap()
    }

    #[test]
    fn keys_have_ids_of_128_bits_that_differ() {
        let entropy = TestEntropy::default();
        let (one, other) = (key(&entropy), key(&entropy));
        assert_ne!(one.id, other.id);
        assert!([one, other].iter().all(|key| URL_SAFE_NO_PAD.decode(&key.id).unwrap().len() == 16));
    }

    #[test]
    fn a_resealed_key_is_the_same_and_opens_under_the_current_master_key_alone() {
        let entropy = TestEntropy::default();
        let old = key(&entropy);
        let new = reseal(&old, &MasterKeys::new(master(2), vec![master(1)]), &entropy).unwrap();
        let open = |key: &StoredKey, byte| open_secret(key, &master(byte).into());
        assert_eq!(*open(&new, 2).unwrap(), *open(&old, 1).unwrap());
        assert!(open(&new, 1).is_err() && open(&old, 2).is_err());
        assert_eq!(StoredKey { sealed: old.sealed.clone(), ..new }, old);
    }
}
