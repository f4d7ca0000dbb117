//! The service's own signing key, taken out of its database: for tokens that only their content makes bad.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use keystead::app::system::SystemEntropy;
use keystead::crypto::seal::SealingKey;
use keystead::domain::key::{KeyPurpose, KeyState, SigningAlgorithm};
use keystead::domain::ports::Keys as _;
use keystead::store::db::{Database, DatabaseUrl, Settings};

use super::Keystead;
use super::settings::master_key;
use super::token::{Jwt, encode};

/// The active signing key, of ES256.
pub struct ServiceKey {
    pub kid: String,
    pair: EcdsaKeyPair,
}

impl ServiceKey {
    /// Opens the key as whoever holds database and master key can.
    pub async fn steal(keystead: &Keystead) -> Self {
        let url = match &keystead.servers.database_url {
            Some(url) => DatabaseUrl::new(url.clone()),
            None => DatabaseUrl::sqlite(&keystead.sqlite_file()),
        };
        let entropy = Arc::new(SystemEntropy::new());
        let database = Database::connect(&Settings::new(url), entropy).await.expect("the database answers");
        let stored = database.load().await.expect("the stored keys");
        database.close().await.expect("a closed database");
        let is_active = |state, purpose| state == KeyState::Active && purpose == KeyPurpose::Signing;
        let key = stored.keys.into_iter().find(|key| is_active(key.state, key.purpose)).expect("an active key");
        assert_eq!(key.algorithm, Some(SigningAlgorithm::Es256));
        let master = SealingKey::from_bytes(&master_key());
        let plain = master.open(&format!("keystead/signing/{}", key.id), &key.sealed).expect("the sealed key opens");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &plain).expect("a private key");
        Self { kid: key.id, pair }
    }

    /// The fixed form of RFC 7518, section 3.4: r and s, 32 bytes each.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec()
    }

    /// The token with a signature that is good.
    pub fn compact(&self, jwt: Jwt) -> String {
        let signature = self.sign(jwt.signing_input().as_bytes());
        Jwt { signature, ..jwt }.compact()
    }

    /// Header and payload byte for byte as they are given, with a signature that is good.
    pub fn compact_raw(&self, header: &[u8], payload: &[u8]) -> String {
        self.compact_encoded(&encode(header), &encode(payload))
    }

    /// The same of parts that are encoded already, however badly.
    pub fn compact_encoded(&self, header: &str, payload: &str) -> String {
        let input = format!("{header}.{payload}");
        let signature = encode(&self.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }

    /// The uncompressed point (SEC 1, section 2.3.3).
    pub fn public_point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }
}
