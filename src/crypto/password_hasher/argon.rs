//! Argon2 (RFC 9106) in memory that is kept from one hash to the next.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize, Zeroizing};

use super::phc::Phc;

/// The most that a stored hash may ask for, in KiB: libsodium's middle setting, the dearest in common use, has 256 MiB
/// and three passes.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// Memory times passes, which is the time: about one second.
const MAX_WORK_KIB: u64 = 3 * 256 * 1024;
const MAX_LANES: u32 = 64;
/// Shorter outputs could be guessed, longer ones are nobody's.
const OUTPUT_BYTES: std::ops::RangeInclusive<usize> = 16..=128;
const SALT_BYTES: std::ops::RangeInclusive<usize> = 8..=128;

/// The memory of one thread. Not wiped after each hash, which would cost a tenth of the hash: the next one writes over
/// it, and when none comes it is wiped and given back.
#[derive(Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    pub fn give_back(&mut self) {
        self.0.zeroize();
        self.0 = Vec::new();
    }

    /// Gives back what is over `count` blocks.
    pub fn keep_at_most(&mut self, count: usize) {
        if let Some(excess) = self.0.get_mut(count..) {
            excess.iter_mut().for_each(Zeroize::zeroize);
            self.0.truncate(count);
            self.0.shrink_to_fit();
        }
    }

    fn blocks(&mut self, count: usize) -> &mut [Block] {
        if self.0.len() < count {
            self.0.reserve_exact(count - self.0.len());
            self.0.resize(count, Block::default());
        }
        &mut self.0[..count]
    }
}

/// A way of hashing: kind, cost, and whether the pepper is mixed in.
#[derive(Clone)]
pub struct Recipe {
    pub algorithm: Algorithm,
    pub version: Version,
    pub params: Params,
}

impl Recipe {
    /// The recipe that a stored hash names; `None` where it is none, or asks for more than is reasonable.
    pub fn of(phc: &Phc<'_>) -> Option<Self> {
        let algorithm = Algorithm::new(phc.name).ok()?;
        let version = Version::try_from(phc.version.unwrap_or(0x10)).ok()?;
        let (memory, passes, lanes) = (phc.number("m")?, phc.number("t")?, phc.number("p")?);
        let sound = phc.has_only(&["m", "t", "p", "keyid"])
            && memory <= MAX_MEMORY_KIB
            && u64::from(memory) * u64::from(passes) <= MAX_WORK_KIB
            && lanes <= MAX_LANES
            && SALT_BYTES.contains(&phc.salt.len())
            && OUTPUT_BYTES.contains(&phc.output.len());
        if !sound {
            return None;
        }
        let params = Params::new(memory, passes, lanes, Some(phc.output.len())).ok()?;
        Some(Self { algorithm, version, params })
    }

    /// Whether both cost the same and give hashes of one kind.
    pub fn equals(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.version == other.version && self.params == other.params
    }

    /// The output for a password; `None` where the recipe and the salt do not go together.
    pub fn output(
        &self,
        password: &[u8],
        salt: &[u8],
        pepper: &[u8],
        memory: &mut Memory,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let argon = Argon2::new_with_secret(pepper, self.algorithm, self.version, self.params.clone()).ok()?;
        let mut output = Zeroizing::new(vec![0; self.params.output_len()?]);
        let blocks = memory.blocks(self.params.block_count());
        argon.hash_password_into_with_memory(password, salt, &mut output, blocks).ok()?;
        Some(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::password_hasher::phc::encode;

    /// Memory in KiB, passes, lanes; then the bytes of salt and output.
    type Asked = ([u32; 3], [usize; 2]);

    fn is_taken(([memory, passes, lanes], [salt, output]): Asked) -> bool {
        let (salt, output) = (encode(&vec![1; salt]), encode(&vec![1; output]));
        let text = format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}");
        Recipe::of(&Phc::parse(&text).unwrap()).is_some()
    }

    // promise P4
    #[test]
    fn a_stored_hash_may_ask_for_so_much_and_no_more() {
        let taken = [
            ([8, 1, 1], [8, 16]),
            ([262_144, 3, 1], [16, 32]),
            ([1_024, 768, 1], [16, 32]),
            ([512, 1, 64], [128, 128]),
        ];
        let refused = [
            ([262_145, 1, 1], [16, 32]),
            ([262_144, 4, 1], [16, 32]),
            ([1_024, 769, 1], [16, 32]),
            ([520, 1, 65], [16, 32]),
            ([8, 1, 1], [7, 16]),
            ([8, 1, 1], [129, 16]),
            ([8, 1, 1], [8, 15]),
            ([8, 1, 1], [8, 129]),
        ];
        assert_eq!(taken.map(is_taken), [true; 4]);
        assert_eq!(refused.map(is_taken), [false; 8]);
    }

    #[test]
    fn memory_grows_to_what_is_asked_for_and_is_given_back() {
        let mut memory = Memory::default();
        for (asked, kept) in [(4, 4), (8, 8), (2, 8)] {
            assert_eq!((memory.blocks(asked).len(), memory.0.len(), memory.0.capacity()), (asked, kept, kept));
        }
        for (most, kept) in [(9, 8), (8, 8), (3, 3)] {
            memory.keep_at_most(most);
            assert_eq!((memory.0.len(), memory.0.capacity()), (kept, kept));
        }
        memory.give_back();
        assert_eq!(memory.0.capacity(), 0);
    }
}
