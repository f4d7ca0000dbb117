//! Firebase's own form of scrypt: what is derived from the password encrypts a key of the project, and the ciphertext is
//! the hash (<https://github.com/firebase/scrypt>).
//!
//! As text it is written as Supabase does: `$fbscrypt$v=1,n=14,r=8,p=1,ss=<separator>,sk=<signer key>$<salt>$<hash>`, where
//! `n` is Firebase's `mem_cost`, `r` its `rounds`, and all else base64.

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::iv::FixedLength;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::foreign::scrypt_params;
use super::phc::decimal;

/// The longest hash that is looked at, in bytes.
const MAX_BYTES: usize = 1_024;
/// The project's key, and so the hash; Firebase's own are 64 bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 32..=128;
const DERIVED_BYTES: usize = 32;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A hash that is sound, and not too dear to check.
pub struct Firebase {
    params: scrypt::Params,
    /// The user's salt, and the project's separator after it.
    salt: Vec<u8>,
    signer_key: Zeroizing<Vec<u8>>,
    output: Vec<u8>,
}

impl Firebase {
    pub const PREFIX: &str = "$fbscrypt$";

    /// `None`, before any memory is taken, where it is malformed or too dear.
    pub fn parse(stored: &str) -> Option<Self> {
        if stored.len() > MAX_BYTES {
            return None;
        }
        let [parameters, salt, output] = split(stored.strip_prefix(Self::PREFIX)?, '$')?;
        let [version, n, r, p, separator, signer_key] = split(parameters, ',')?;
        if version != "v=1" {
            return None;
        }
        let number = |text: &str, name: &str| text.strip_prefix(name).and_then(decimal);
        let params = scrypt_params(number(n, "n=")?, number(r, "r=")?, number(p, "p=")?)?;
        let bytes = |text: &str| BASE64.decode(text).ok();
        let signer_key = Zeroizing::new(bytes(signer_key.strip_prefix("sk=")?)?);
        let output = bytes(output)?;
        if !KEY_BYTES.contains(&signer_key.len()) || output.len() != signer_key.len() {
            return None;
        }
        let salt = [bytes(salt)?, bytes(separator.strip_prefix("ss=")?)?].concat();
        Some(Self { params, salt, signer_key, output })
    }

    pub fn matches(&self, password: &[u8]) -> Option<bool> {
        let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
        scrypt::scrypt(password, &self.salt, &self.params, derived.as_mut_slice()).ok()?;
        let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, derived.as_slice()).ok()?).ok()?;
        let mut output = self.signer_key.clone();
        // Each derived key encrypts this one text: the counter may begin at nought.
        key.less_safe_encrypt(&mut output, EncryptionContext::Iv128(FixedLength::from([0; 16]))).ok()?;
        Some(verify_slices_are_equal(&output, &self.output).is_ok())
    }
}

/// Exactly so many parts.
fn split<const N: usize>(text: &str, at: char) -> Option<[&str; N]> {
    text.split(at).collect::<Vec<_>>().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Firebase's own documentation, and one of Supabase's tests.
    const PUBLISHED: [(&str, &str); 2] = [
        (
            "user1password",
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        ),
        (
            "mytestpassword",
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw==",
        ),
    ];

    // promise P4
    #[test]
    fn published_examples_match_their_passwords_alone() {
        for (password, stored) in PUBLISHED {
            let hash = Firebase::parse(stored).unwrap();
            assert_eq!(hash.matches(password.as_bytes()), Some(true), "{password}");
            assert_eq!(hash.matches(b"another password"), Some(false), "{password}");
            let unpadded = stored.replace("==", "");
            assert_eq!(Firebase::parse(&unpadded).unwrap().matches(password.as_bytes()), Some(true), "{password}");
        }
    }

    // promise P4
    #[test]
    fn what_is_malformed_or_too_dear_is_none() {
        let sound = PUBLISHED[0].1;
        for (part, instead) in [
            ("n=14", "n=63"),
            ("n=14", "n=0"),
            ("n=14", "n=+14"),
            ("n=14", "n=19"),
            ("r=8", "r=4294967295"),
            ("p=1,", "p=4294967295,"),
            ("v=1", "v=2"),
            ("ss=Bw==,", ""),
            ("ss=Bw==,", "ss=Bw==,ss=Bw==,"),
            ("sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==", "sk=Bw=="),
            ("$42xEC+ixf3L2lw==", ""),
            ("uid5lQ==", "uid5lQ==$"),
            ("uid5lQ==", ""),
            ("$lSrf", "$ lSrf"),
        ] {
            assert!(sound.contains(part));
            assert!(Firebase::parse(&sound.replace(part, instead)).is_none(), "{part} {instead}");
        }
        assert!(Firebase::parse(&format!("{sound}{}", "A".repeat(MAX_BYTES))).is_none());
    }

    // promise P4
    #[test]
    fn keys_and_hashes_have_least_and_greatest_lengths() {
        let encode = |bytes: usize| base64::engine::general_purpose::STANDARD_NO_PAD.encode(vec![1; bytes]);
        let is_taken = |key: usize, output: usize, salt: usize| {
            let (key, output, salt) = (encode(key), encode(output), "A".repeat(salt));
            Firebase::parse(&format!("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk={key}${salt}${output}")).is_some()
        };
        assert!(is_taken(32, 32, 4) && is_taken(128, 128, 4));
        assert!(!is_taken(31, 31, 4) && !is_taken(129, 129, 4) && !is_taken(32, 33, 4));
        // 40 letters around, and 44 of each of the two: 896 are left.
        assert!(is_taken(33, 33, 896) && !is_taken(33, 33, 900));
    }
}
