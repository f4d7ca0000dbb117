//! The keys under which addresses and sources are counted: HMAC-SHA-256, so that a table or a cache names nobody.

use aws_lc_rs::hmac;

/// Makes look-up keys under one secret server key.
pub struct LookupKey(hmac::Key);

impl LookupKey {
    pub const BYTES: usize = 32;

    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The HMAC over the parts, each with its length before it, so that no two lists of parts collide.
    pub fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> LookupKey {
        LookupKey::from_bytes(&[byte; LookupKey::BYTES])
    }

    #[test]
    fn the_same_parts_give_the_same_key() {
        assert_eq!(key(1).digest(&[b"login", b"a@b.c"]), key(1).digest(&[b"login", b"a@b.c"]));
    }

    #[test]
    fn parts_do_not_run_into_one_another() {
        let digests = [
            key(1).digest(&[b"ab", b"c"]),
            key(1).digest(&[b"a", b"bc"]),
            key(1).digest(&[b"abc"]),
            key(1).digest(&[b"abc", b""]),
            key(1).digest(&[]),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest), "list {index}");
        }
    }

    #[test]
    fn another_server_key_gives_other_keys() {
        assert_ne!(key(1).digest(&[b"a"]), key(2).digest(&[b"a"]));
    }
}
