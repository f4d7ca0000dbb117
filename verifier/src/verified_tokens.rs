//! The tokens that have been found good before, so that their signature need not be checked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::claims::Claims;
use crate::verifier::AuthenticToken;

/// What the entry of a usual token weighs: tells the cache for how many to lay itself out.
const USUAL_WEIGHT: usize = 1_024;
/// What an entry takes beside the texts of its claims, in bytes: digest, token and claims with the counts of their
/// `Arc`s, and a place in the table.
const ENTRY: usize = 32 + size_of::<AuthenticToken>() + size_of::<Claims>() + 32 + 96;
/// What a block of the heap costs beside its contents, in bytes.
const BLOCK: usize = 16;

/// The SHA-256 of a token.
pub(crate) type TokenDigest = [u8; 32];

pub(crate) fn digest_of(token: &str) -> TokenDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    bytes
}

/// Tokens by their SHA-256: their claims alone, never the token itself. What a token is worth is judged anew each time.
#[derive(Debug)]
pub(crate) struct VerifiedTokens {
    tokens: Cache<TokenDigest, Arc<AuthenticToken>, ByBytes>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// What is remembered of tokens that were good, and how often that was of use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// How many tokens.
    pub tokens: u64,
    /// About how many bytes they take.
    pub bytes: u64,
    /// How often a token was asked about that had been found good before.
    pub hits: u64,
    /// How often one that had not.
    pub misses: u64,
}

impl VerifiedTokens {
    /// Holds about so many bytes at most; the tokens that are asked for least make room for others.
    pub(crate) fn new(bytes: usize) -> Self {
        let capacity = u64::try_from(bytes).unwrap_or(u64::MAX);
        let tokens = Cache::with_weighter(bytes.div_ceil(USUAL_WEIGHT), capacity, ByBytes);
        Self { tokens, hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    pub(crate) fn read(&self) -> Remembered {
        Remembered {
            tokens: u64::try_from(self.tokens.len()).unwrap_or(u64::MAX),
            bytes: self.tokens.weight(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn get(&self, token: &TokenDigest) -> Option<Arc<AuthenticToken>> {
        let found = self.tokens.get(token);
        let count = if found.is_some() { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
        found
    }

    pub(crate) fn insert(&self, token: TokenDigest, authentic: Arc<AuthenticToken>) {
        self.tokens.insert(token, authentic);
    }
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<TokenDigest, Arc<AuthenticToken>> for ByBytes {
    fn weight(&self, _: &TokenDigest, token: &Arc<AuthenticToken>) -> u64 {
        let claims = token.claims();
        let texts = [&claims.iss, &claims.client_id].into_iter().map(|text| BLOCK + text.len()).sum::<usize>();
        let lists = [&claims.aud, &claims.amr, &claims.roles, &claims.scope].into_iter().map(|list| bytes(list));
        u64::try_from(ENTRY + texts + lists.sum::<usize>()).unwrap_or(u64::MAX)
    }
}

fn bytes(texts: &[String]) -> usize {
    texts.iter().map(|text| size_of::<String>() + BLOCK + text.len()).sum::<usize>() + BLOCK
}

#[cfg(test)]
mod tests;
