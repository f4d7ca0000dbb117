//! Makes password hashes in our own form and judges passwords against stored ones, whatever their form.

use std::sync::Arc;

use argon2::{Algorithm, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::PasswordVerdict;
use super::argon::{Memory, Recipe};
use super::foreign::Foreign;
use super::phc::{self, Phc};
use super::settings::{Settings, SettingsFault};
use crate::domain::clock::Entropy;
use crate::domain::password::Password;
use crate::domain::user::PasswordHash;

const OUTPUT_LEN: usize = 32;
const SALT_LEN: usize = 16;
/// In the string it is eight characters, the most that the format has for it.
const PEPPER_ID_LEN: usize = 6;

pub struct Judge {
    recipe: Recipe,
    pepper: Option<Pepper>,
    /// What unknown accounts are checked against: random, so that it matches nothing and needs no hash to make.
    dummy_salt: [u8; SALT_LEN],
    dummy_output: [u8; OUTPUT_LEN],
    entropy: Arc<dyn Entropy>,
}

struct Pepper {
    /// Stands as `keyid` in each hash made with it, so that older hashes and those of another pepper can be told.
    id: String,
    secret: Zeroizing<Vec<u8>>,
}

impl Pepper {
    fn new(secret: Zeroizing<Vec<u8>>) -> Self {
        let id = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), b"keystead/pepper-id");
        Self { id: phc::encode(&id.as_ref()[..PEPPER_ID_LEN]), secret }
    }
}

impl Judge {
    pub fn new(settings: &Settings, entropy: Arc<dyn Entropy>) -> Result<Self, SettingsFault> {
        let params = Params::new(settings.memory_kib, settings.passes, settings.lanes, Some(OUTPUT_LEN))
            .map_err(|_| SettingsFault::Memory)?;
        let (mut dummy_salt, mut dummy_output) = ([0; SALT_LEN], [0; OUTPUT_LEN]);
        entropy.fill(&mut dummy_salt);
        entropy.fill(&mut dummy_output);
        Ok(Self {
            recipe: Recipe { algorithm: Algorithm::Argon2id, version: Version::V0x13, params },
            pepper: settings.pepper.clone().map(Pepper::new),
            dummy_salt,
            dummy_output,
            entropy,
        })
    }

    /// A fresh hash as a PHC string. `None` would speak of a recipe that [`Judge::new`] does not let pass.
    pub fn hash(&self, password: &Password, memory: &mut Memory) -> Option<PasswordHash> {
        let mut salt = [0; SALT_LEN];
        self.entropy.fill(&mut salt);
        let output = self.recipe.output(password.expose().as_bytes(), &salt, self.pepper(), memory)?;
        let params = &self.recipe.params;
        let key_id = self.pepper.as_ref().map(|pepper| format!(",keyid={}", pepper.id)).unwrap_or_default();
        Some(PasswordHash::new(format!(
            "$argon2id$v=19$m={},t={},p={}{key_id}${}${}",
            params.m_cost(),
            params.t_cost(),
            params.p_cost(),
            phc::encode(&salt),
            phc::encode(&output),
        )))
    }

    /// Judges at the cost of the stored hash, and at the cost of an own one where there is none or it is no good.
    pub fn verify(&self, password: &Password, stored: Option<&PasswordHash>, memory: &mut Memory) -> PasswordVerdict {
        let bytes = password.expose().as_bytes();
        let checked = stored.and_then(|stored| self.check(bytes, stored.as_str(), memory));
        // A foreign hash may have asked for more than our own does.
        memory.keep_at_most(self.recipe.params.block_count());
        match checked {
            Some(Match { matches: false, .. }) => PasswordVerdict::Wrong,
            Some(Match { is_current: true, .. }) => PasswordVerdict::Right { rehash: None },
            Some(Match { is_current: false, .. }) => PasswordVerdict::Right { rehash: self.hash(password, memory) },
            None => self.check_dummy(bytes, memory),
        }
    }

    /// Whether the stored hash can be checked at all.
    pub fn can_check(&self, stored: &str) -> bool {
        self.parse(stored).is_some()
    }

    /// `None` where the stored hash cannot be checked: not understood, too dear, or under another pepper.
    fn parse<'s>(&self, stored: &'s str) -> Option<Stored<'s>> {
        if !stored.starts_with("$argon2") {
            return Foreign::parse(stored).map(Stored::Foreign);
        }
        let phc = Phc::parse(stored)?;
        let recipe = Recipe::of(&phc)?;
        let key_id = phc.parameter("keyid");
        let is_known = key_id.is_none() || key_id == self.pepper_id();
        is_known.then_some(Stored::Argon { recipe, phc, is_peppered: key_id.is_some() })
    }

    fn check(&self, password: &[u8], stored: &str, memory: &mut Memory) -> Option<Match> {
        let (recipe, phc, is_peppered) = match self.parse(stored)? {
            Stored::Foreign(hash) => return Some(Match { matches: hash.matches(password)?, is_current: false }),
            Stored::Argon { recipe, phc, is_peppered } => (recipe, phc, is_peppered),
        };
        let pepper: &[u8] = if is_peppered { self.pepper() } else { &[] };
        let output = recipe.output(password, &phc.salt, pepper, memory)?;
        Some(Match {
            matches: verify_slices_are_equal(&output, &phc.output).is_ok(),
            is_current: recipe.equals(&self.recipe)
                && is_peppered == self.pepper.is_some()
                && phc.salt.len() >= SALT_LEN,
        })
    }

    /// Never [`PasswordVerdict::Right`]: the comparison is made for its time alone.
    fn check_dummy(&self, password: &[u8], memory: &mut Memory) -> PasswordVerdict {
        if let Some(output) = self.recipe.output(password, &self.dummy_salt, self.pepper(), memory) {
            std::hint::black_box(verify_slices_are_equal(&output, &self.dummy_output).is_ok());
        }
        PasswordVerdict::Wrong
    }

    fn pepper_id(&self) -> Option<&str> {
        self.pepper.as_ref().map(|pepper| pepper.id.as_str())
    }

    fn pepper(&self) -> &[u8] {
        self.pepper.as_ref().map_or(&[], |pepper| &pepper.secret)
    }
}

/// A stored hash that can be checked.
enum Stored<'a> {
    Foreign(Foreign<'a>),
    /// `is_peppered` is set where our own pepper is mixed in.
    Argon {
        recipe: Recipe,
        phc: Phc<'a>,
        is_peppered: bool,
    },
}

struct Match {
    matches: bool,
    /// Whether the hash is as one made now would be.
    is_current: bool,
}

#[cfg(test)]
mod tests;
