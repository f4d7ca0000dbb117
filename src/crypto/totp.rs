//! Time-based one-time passwords (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds, which is all that every
//! authenticator knows.

use std::fmt;

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use super::seal::{SealError, SealingKey};
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::id::UserId;
use crate::domain::second_factor::{TotpCode, TotpStep};

/// As long as the output of SHA-1 (RFC 4226, section 4, R6).
pub const SECRET_LEN: usize = 20;

/// One more than the largest code of six digits.
const MODULUS: u32 = 1_000_000;

/// What an authenticator and the service share.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_LEN]>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl TotpSecret {
    pub fn draw(entropy: &dyn Entropy) -> Self {
        let mut secret = Zeroizing::new([0; SECRET_LEN]);
        entropy.fill(secret.as_mut_slice());
        Self(secret)
    }

    /// `None` for bytes of another length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SECRET_LEN] = bytes.try_into().ok()?;
        Some(Self(Zeroizing::new(*bytes)))
    }

    pub(super) fn as_bytes(&self) -> &[u8; SECRET_LEN] {
        &self.0
    }

    /// As people type it: base32 (RFC 4648, section 6) without padding.
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(self.0.as_slice()))
    }

    /// The step around `now`, later than the last one used, whose code this is. Each is compared, whichever is right.
    pub fn step_of(&self, code: TotpCode, now: Timestamp, last: TotpStep) -> Option<TotpStep> {
        let right = |step: TotpStep| (self.code(step) == code.0).then_some(step);
        let matching = TotpStep::at(now).around().map(right);
        matching.into_iter().flatten().find(|step| *step > last)
    }

    /// Seals the secret for its user: it opens for no other.
    pub fn seal(&self, user: UserId, key: &SealingKey, entropy: &dyn Entropy) -> Vec<u8> {
        key.seal(&context(user), self.0.as_slice(), entropy)
    }

    pub fn open(user: UserId, sealed: &[u8], key: &SealingKey) -> Result<Self, SealError> {
        let plain = key.open(&context(user), sealed)?;
        Self::from_bytes(&plain).ok_or(SealError)
    }

    /// The code of a step: dynamic truncation of the HMAC over its number (RFC 4226, section 5.3).
    pub fn code(&self, step: TotpStep) -> u32 {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.as_slice());
        let tag = hmac::sign(&key, &step.0.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
        let chosen = tag.iter().skip(offset).take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
        (chosen & 0x7fff_ffff) % MODULUS
    }
}

fn context(user: UserId) -> String {
    format!("keystead/totp/{user}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::{TestClock, TestEntropy};
    use crate::domain::clock::Clock as _;

    const NEVER: TotpStep = TotpStep(i64::MIN);

    /// The secret of RFC 6238, appendix B.
    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    // promise M1
    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // The table of appendix B; its codes have eight digits, of which the last six are ours.
        for (seconds, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ] {
            assert_eq!(secret().code(TotpStep::at(Timestamp::from_seconds(seconds))), code % MODULUS, "{seconds}");
        }
    }

    // promise M1
    #[test]
    fn the_codes_by_number_are_those_of_rfc_4226() {
        let codes = (0..10).map(|count| secret().code(TotpStep(count)));
        let expected = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        assert_eq!(codes.collect::<Vec<_>>(), expected);
    }

    // promise M1
    #[test]
    fn a_code_is_right_one_step_early_and_one_late_and_no_more() {
        let now = Timestamp::from_seconds(1_111_111_111);
        let current = TotpStep::at(now);
        for (distance, right) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let step = TotpStep(current.0 + distance);
            let found = secret().step_of(TotpCode(secret().code(step)), now, NEVER);
            assert_eq!(found, right.then_some(step), "{distance}");
        }
    }

    // promise M2
    #[test]
    fn a_step_that_was_used_and_those_before_it_are_right_no_more() {
        let now = Timestamp::from_seconds(1_111_111_111);
        let [before, current, next] = TotpStep::at(now).around();
        let found = |step: TotpStep| secret().step_of(TotpCode(secret().code(step)), now, current);
        assert_eq!([found(before), found(current), found(next)], [None, None, Some(next)]);
    }

    // promise M3
    #[test]
    fn a_sealed_secret_opens_for_its_user_alone() {
        let entropy = TestEntropy::default();
        let key = SealingKey::from_bytes(&[1; SealingKey::BYTES]);
        let [ada, bob] = [(), ()].map(|()| UserId::generate_at(TestClock.now(), &entropy));
        let sealed = secret().seal(ada, &key, &entropy);
        assert!(TotpSecret::open(ada, &sealed, &key).is_ok_and(|opened| opened == secret()));
        assert!(TotpSecret::open(bob, &sealed, &key).is_err());
        assert_eq!(format!("{:?}", secret()), "[redacted]");
    }

    #[test]
    fn the_secret_is_written_in_base32() {
        assert_eq!(*secret().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
