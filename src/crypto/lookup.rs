//! The keys under which addresses and sources are counted: HMAC-SHA-256, so that a table or a cache names nobody.

/// Makes look-up keys under one secret server key.
pub struct LookupKey {}

impl LookupKey {
    /// The HMAC over the parts, each with its length before it, so that no two lists of parts collide.
    pub fn digest(&self, _parts: &[&[u8]]) -> [u8; 32] {
        todo!()
    }
}
