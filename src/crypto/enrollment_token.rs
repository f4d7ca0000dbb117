//! Tokens of enrolments that have begun: the new secret, sealed for its user, their epoch and a time.
//!
//! The service keeps nothing of an enrolment until it is confirmed: the token brings the secret back.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::seal::SealingKey;
use super::totp::{SECRET_LEN, TotpSecret};
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::id::UserId;
use crate::domain::user::{Epoch, User};

const PREFIX: &str = "kste_";

/// Longer texts are refused before any decoding.
const MAX_BYTES: usize = 256;

/// A token that brings the secret back until `expires_at`, while the user's epoch stands.
pub fn issue(
    user: &User,
    secret: &TotpSecret,
    expires_at: Timestamp,
    key: &SealingKey,
    entropy: &dyn Entropy,
) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(Vec::with_capacity(SECRET_LEN + size_of::<i64>()));
    plain.extend_from_slice(secret.as_bytes());
    plain.extend_from_slice(&expires_at.as_millis().to_be_bytes());
    let sealed = key.seal(&context(user.id, user.epoch), &plain, entropy);
    Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(sealed)))
}

/// The secret; `None` for whatever was not issued to this user under this epoch, unchanged, or has expired.
pub fn open(user: &User, text: &str, key: &SealingKey, now: Timestamp) -> Option<TotpSecret> {
    let encoded = text.strip_prefix(PREFIX).filter(|_| text.len() <= MAX_BYTES)?;
    let sealed = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let plain = key.open(&context(user.id, user.epoch), &sealed).ok()?;
    let (secret, expires_at) = plain.split_first_chunk::<SECRET_LEN>()?;
    let expires_at = Timestamp::from_millis(i64::from_be_bytes(expires_at.try_into().ok()?));
    TotpSecret::from_bytes(secret).filter(|_| now < expires_at)
}

fn context(user: UserId, epoch: Epoch) -> String {
    format!("keystead/totp-enrollment/{user}/{}", epoch.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::{TestClock, TestEntropy};
    use crate::domain::clock::Clock as _;
    use crate::domain::email::Email;
    use crate::domain::language::Language;
    use crate::domain::name::Name;
    use crate::domain::user::{Revision, UserState};

    fn user(entropy: &TestEntropy) -> User {
        let now = TestClock.now();
        User {
            id: UserId::generate_at(now, entropy),
            email: Email::parse("ada@example.org").unwrap(),
            email_verified: true,
            display_name: Name::default(),
            state: UserState::Active,
            roles: vec![],
            epoch: Epoch(3),
            revision: Revision::default(),
            language: Language::default(),
            created_at: now,
            updated_at: now,
        }
    }

    // promise M4
    #[test]
    fn a_token_brings_its_secret_back_to_its_user_in_time_under_the_same_epoch_alone() {
        let entropy = TestEntropy::default();
        let [ada, bob] = [user(&entropy), user(&entropy)];
        let key = SealingKey::from_bytes(&[1; SealingKey::BYTES]);
        let secret = TotpSecret::draw(&entropy);
        let end = Timestamp::from_millis(1_000);
        let text = issue(&ada, &secret, end, &key, &entropy);
        let before = Timestamp::from_millis(999);
        assert!(open(&ada, &text, &key, before).is_some_and(|opened| opened == secret));
        assert!(open(&ada, &text, &key, end).is_none());
        assert!(open(&bob, &text, &key, before).is_none());
        assert!(open(&User { epoch: Epoch(4), ..ada.clone() }, &text, &key, before).is_none());
        let other = SealingKey::from_bytes(&[2; SealingKey::BYTES]);
        assert!(open(&ada, &text, &other, before).is_none());
        for end in 0..text.len() {
            assert!(open(&ada, &text[..end], &key, before).is_none(), "prefix {end}");
        }
        for changed in
            [format!("{}A", *text), format!("{}=", *text), text.replacen("kste_", "ksme_", 1), "A".repeat(300)]
        {
            assert!(open(&ada, &changed, &key, before).is_none(), "{changed}");
        }
    }
}
