//! Refresh tokens: `ksr_`, then session id, generation and an HMAC-SHA-256 over both and the session's salt.
//!
//! The HMAC's key is not in the database and the salt is nowhere else, so that neither alone makes a token
//! (promise R1).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::id::SessionId;
use crate::domain::session::{Session, SessionSalt};

const PREFIX: &str = "ksr_";
const ID_LEN: usize = 16;
const GENERATION_LEN: usize = 8;
const MAC_LEN: usize = 32;
const TOKEN_LEN: usize = ID_LEN + GENERATION_LEN + MAC_LEN;

/// Keeps this use of the key apart from every other one.
const DOMAIN: &[u8] = b"keystead/refresh-token/1";

/// A refresh token that is well-formed; whether it is real only its session's salt and key can tell.
#[derive(Clone, Copy)]
pub struct PresentedRefreshToken {
    pub session_id: SessionId,
    pub generation: u64,
    pub mac: [u8; MAC_LEN],
}

impl PresentedRefreshToken {
    /// `None` for whatever is not byte for byte what [`RefreshKey::issue`] could have made.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; TOKEN_LEN];
        let length = URL_SAFE_NO_PAD.decode_slice(text.strip_prefix(PREFIX)?, &mut bytes).ok()?;
        if length != TOKEN_LEN {
            return None;
        }
        let (id, rest) = bytes.split_first_chunk::<ID_LEN>()?;
        let (generation, mac) = rest.split_first_chunk::<GENERATION_LEN>()?;
        Some(Self {
            session_id: SessionId::from_uuid(Uuid::from_bytes(*id)),
            generation: u64::from_be_bytes(*generation),
            mac: mac.try_into().ok()?,
        })
    }
}

/// The secret server key behind refresh tokens.
pub struct RefreshKey(hmac::Key);

impl RefreshKey {
    pub const BYTES: usize = 32;

    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// The token of the session's live generation.
    pub fn issue(&self, session: &Session) -> String {
        let mac = hmac::sign(&self.0, &message(session.id, session.generation, &session.salt));
        let id = session.id.as_uuid().into_bytes();
        let token = [id.as_slice(), &session.generation.to_be_bytes(), mac.as_ref()].concat();
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(token))
    }

    /// Whether this key made the token, compared in constant time.
    #[must_use]
    pub fn authenticates(&self, token: &PresentedRefreshToken, salt: &SessionSalt) -> bool {
        hmac::verify(&self.0, &message(token.session_id, token.generation, salt), &token.mac).is_ok()
    }
}

/// Every part has a fixed length, so that none runs into the next.
fn message(id: SessionId, generation: u64, salt: &SessionSalt) -> Vec<u8> {
    [DOMAIN, id.as_uuid().as_bytes(), &generation.to_be_bytes(), &salt.0].concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::testing::{TestClock, TestEntropy};
    use crate::domain::clock::{Clock as _, Timestamp};
    use crate::domain::id::UserId;
    use crate::domain::name::Name;

    fn session(generation: u64) -> Session {
        let (clock, entropy) = (TestClock, TestEntropy::default());
        let now = clock.now();
        Session {
            id: SessionId::generate(&clock, &entropy),
            user_id: UserId::generate(&clock, &entropy),
            generation,
            salt: SessionSalt([7; 32]),
            refresh_key_id: "k".to_owned(),
            audience: vec![],
            methods: vec![],
            device_name: Name::default(),
            source: None,
            authenticated_at: now,
            rotated_at: now,
            idle_expires_at: Timestamp::default(),
            expires_at: Timestamp::default(),
            ended_at: None,
        }
    }

    fn key() -> RefreshKey {
        RefreshKey::from_bytes(&[1; RefreshKey::BYTES])
    }

    fn accepts(text: &str) -> bool {
        PresentedRefreshToken::parse(text).is_some_and(|token| key().authenticates(&token, &SessionSalt([7; 32])))
    }

    #[test]
    fn an_issued_token_names_its_session_and_generation() {
        let session = session(3);
        let text = key().issue(&session);
        let token = PresentedRefreshToken::parse(&text).unwrap();
        assert_eq!((token.session_id, token.generation), (session.id, 3));
        assert!(accepts(&text));
    }

    // promise R1
    #[test]
    fn a_token_needs_both_the_server_key_and_the_salt() {
        let session = session(0);
        let token = PresentedRefreshToken::parse(&key().issue(&session)).unwrap();
        assert!(!key().authenticates(&token, &SessionSalt([8; 32])));
        assert!(!RefreshKey::from_bytes(&[2; 32]).authenticates(&token, &session.salt));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        // promise R9
        #[test]
        fn every_prefix_and_every_one_byte_change_is_refused(generation: u64, other in 0u8..128) {
            let text = key().issue(&session(generation));
            prop_assert!(accepts(&text));
            for place in 0..text.len() {
                prop_assert!(!accepts(&text[..place]), "prefix {place}");
                let mut changed = text.clone().into_bytes();
                if changed[place] != other {
                    changed[place] = other;
                    let changed = String::from_utf8(changed).unwrap();
                    prop_assert!(!accepts(&changed), "byte {place}: {changed}");
                }
            }
        }

        // promise R9
        #[test]
        fn whatever_parses_is_byte_for_byte_what_was_issued(tail in "[A-Za-z0-9_-]{75}") {
            let text = format!("{PREFIX}{tail}");
            if let Some(token) = PresentedRefreshToken::parse(&text) {
                let id = token.session_id.as_uuid().into_bytes();
                let bytes = [id.as_slice(), &token.generation.to_be_bytes(), &token.mac].concat();
                prop_assert_eq!(text, format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)));
            }
        }
    }

    // promise R9
    #[test]
    fn additions_padding_and_other_alphabets_are_refused() {
        let text = key().issue(&session(u64::MAX));
        for changed in [
            format!("{text}="),
            format!("{text} "),
            format!(" {text}"),
            format!("{text}A"),
            format!("{text}AAAA"),
            text.replacen("ksr_", "KSR_", 1),
            text.replacen("ksr_", "kspr_", 1),
            text.replacen('_', "/", 2).replacen("ksr/", "ksr_", 1) + "/",
        ] {
            assert!(!accepts(&changed), "{changed}");
        }
    }
}
