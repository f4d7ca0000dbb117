//! One key that signs access tokens: its private part, and the public forms that follow from it.

use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use keystead_verifier::{Algorithm, Claims, VerificationKey};
use zeroize::Zeroizing;

use super::jwk::PublicJwk;
use super::key_ring::SignError;
use crate::domain::key::SigningAlgorithm;

/// The key is not one of its algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a signing key of its algorithm")]
pub struct SigningKeyFault;

/// A signing key, opened.
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    private: EncodingKey,
    verification: VerificationKey,
    jwk: PublicJwk,
    /// The header of every token: it is the same as long as the key is.
    encoded_header: String,
}

/// Makes a private key, as PKCS#8 of version 1 (RFC 5208). Its randomness is the library's own: aws-lc-rs takes no
/// other for these.
pub fn generate(algorithm: SigningAlgorithm) -> Result<Zeroizing<Vec<u8>>, SignError> {
    let der: Vec<u8> = match algorithm {
        SigningAlgorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .and_then(|pair| pair.to_pkcs8v1())
            .map(|document| document.as_ref().to_vec()),
        // Version 2 signs as well, but other libraries do not read it.
        SigningAlgorithm::EdDsa => {
            Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()).map(|document| document.as_ref().to_vec())
        }
        // 2,048 bits are no longer approved after 2030 (NIST SP 800-57, part 1, section 5.6.3).
        SigningAlgorithm::Rs256 => RsaKeyPair::generate(KeySize::Rsa3072)
            .and_then(|pair| AsDer::<Pkcs8V1Der<'_>>::as_der(&pair))
            .map(|document| document.as_ref().to_vec()),
    }
    .map_err(|_| SignError)?;
    Ok(Zeroizing::new(der))
}

impl SigningKey {
    /// Reads a private key in PKCS#8 form.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, der: &[u8]) -> Result<Self, SigningKeyFault> {
        let parts = match algorithm {
            SigningAlgorithm::Es256 => es256(der)?,
            SigningAlgorithm::EdDsa => ed_dsa(der)?,
            SigningAlgorithm::Rs256 => rs256(der)?,
        };
        let Parts { private, verification, mut jwk } = parts;
        jwk.kid = thumbprint(&jwk);
        let header = serde_json::json!({ "typ": "at+jwt", "alg": jwk.alg, "kid": jwk.kid });
        let encoded_header = URL_SAFE_NO_PAD.encode(header.to_string());
        Ok(Self { algorithm, private, verification, jwk, encoded_header })
    }

    /// The thumbprint of the public key (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.jwk.kid
    }

    pub fn verification_key(&self) -> &VerificationKey {
        &self.verification
    }

    pub fn jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// The claims as a signed token in compact form (RFC 7515, section 3.1).
    pub fn sign(&self, claims: &Claims) -> Result<String, SignError> {
        let payload = serde_json::to_vec(claims).map_err(|_| SignError)?;
        let mut token = String::with_capacity(1024);
        token.push_str(&self.encoded_header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signer = (DEFAULT_PROVIDER.signer_factory)(&library_algorithm(self.algorithm), &self.private)
            .map_err(|_| SignError)?;
        let signature = signer.try_sign(token.as_bytes()).map_err(|_| SignError)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

const fn library_algorithm(algorithm: SigningAlgorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        SigningAlgorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        SigningAlgorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        SigningAlgorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
    }
}

struct Parts {
    private: EncodingKey,
    verification: VerificationKey,
    jwk: PublicJwk,
}

fn es256(der: &[u8]) -> Result<Parts, SigningKeyFault> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map_err(|_| SigningKeyFault)?;
    // The uncompressed point of SEC 1, section 2.3.3: a byte, then both coordinates.
    let coordinates = pair.public_key().as_ref().strip_prefix(&[4]).ok_or(SigningKeyFault)?;
    let (x, y) = coordinates.split_first_chunk::<32>().ok_or(SigningKeyFault)?;
    let y = y.try_into().map_err(|_| SigningKeyFault)?;
    let mut jwk = empty_jwk(Algorithm::Es256, "EC");
    jwk.crv = Some("P-256");
    jwk.x = Some(URL_SAFE_NO_PAD.encode(x));
    jwk.y = Some(URL_SAFE_NO_PAD.encode(y));
    Ok(Parts { private: EncodingKey::from_ec_der(der), verification: VerificationKey::es256(x, y), jwk })
}

fn ed_dsa(der: &[u8]) -> Result<Parts, SigningKeyFault> {
    let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| SigningKeyFault)?;
    let public = pair.public_key().as_ref().try_into().map_err(|_| SigningKeyFault)?;
    let mut jwk = empty_jwk(Algorithm::EdDsa, "OKP");
    jwk.crv = Some("Ed25519");
    jwk.x = Some(URL_SAFE_NO_PAD.encode(public));
    Ok(Parts { private: EncodingKey::from_ed_der(der), verification: VerificationKey::ed_dsa(public), jwk })
}

fn rs256(der: &[u8]) -> Result<Parts, SigningKeyFault> {
    let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| SigningKeyFault)?;
    let public = pair.public_key();
    let modulus = public.modulus().big_endian_without_leading_zero();
    let exponent = public.exponent().big_endian_without_leading_zero();
    let verification = VerificationKey::rs256(modulus, exponent).map_err(|_| SigningKeyFault)?;
    let mut jwk = empty_jwk(Algorithm::Rs256, "RSA");
    jwk.n = Some(URL_SAFE_NO_PAD.encode(modulus));
    jwk.e = Some(URL_SAFE_NO_PAD.encode(exponent));
    let private = pkcs1_of(der).ok_or(SigningKeyFault)?;
    RsaKeyPair::from_der(private).map_err(|_| SigningKeyFault)?;
    Ok(Parts { private: EncodingKey::from_rsa_der(private), verification, jwk })
}

/// The key within PKCS#8: jsonwebtoken signs with the inner form alone (RFC 8017, appendix A.1.2). What stands before
/// it has one length for every RSA key of our sizes: version, algorithm and three headers with two bytes of length.
fn pkcs1_of(der: &[u8]) -> Option<&[u8]> {
    const BEFORE: usize = 26;
    der.get(BEFORE..)
}

fn empty_jwk(algorithm: Algorithm, kty: &'static str) -> PublicJwk {
    PublicJwk {
        kid: String::new(),
        kty,
        use_: "sig",
        alg: algorithm.as_str(),
        crv: None,
        x: None,
        y: None,
        n: None,
        e: None,
    }
}

/// SHA-256 over the required members in alphabetical order, without spaces (RFC 7638, section 3; for OKP RFC 8037,
/// section 2). The values are base64url and fixed words: nothing in them needs escaping.
fn thumbprint(jwk: &PublicJwk) -> String {
    let members = [
        ("crv", jwk.crv),
        ("e", jwk.e.as_deref()),
        ("kty", Some(jwk.kty)),
        ("n", jwk.n.as_deref()),
        ("x", jwk.x.as_deref()),
        ("y", jwk.y.as_deref()),
    ];
    let members: Vec<String> =
        members.into_iter().filter_map(|(name, value)| Some(format!(r#""{name}":"{}""#, value?))).collect();
    let canonical = format!("{{{}}}", members.join(","));
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 7638, section 3.1.
    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        let mut jwk = empty_jwk(Algorithm::Rs256, "RSA");
        jwk.n = Some(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3o\
             knjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZH\
             zu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEg\
             U8awapJzKnqDKgw"
                .to_owned(),
        );
        jwk.e = Some("AQAB".to_owned());
        assert_eq!(thumbprint(&jwk), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn a_key_of_one_algorithm_is_none_of_another() {
        let der = generate(SigningAlgorithm::Es256).unwrap();
        assert!(SigningKey::from_pkcs8(SigningAlgorithm::Es256, &der).is_ok());
        assert!(SigningKey::from_pkcs8(SigningAlgorithm::EdDsa, &der).is_err());
        assert!(SigningKey::from_pkcs8(SigningAlgorithm::Rs256, &der).is_err());
    }
}
