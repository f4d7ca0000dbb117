//! A sign-in at a provider, from its beginning to the one exchange that ends it.

use std::fmt;

use super::clock::Timestamp;
use super::id::{SessionId, UserId};
use super::identity::ProviderName;
use super::one_time_token::TokenHash;

/// The SHA-256 of 32 bytes in base64url without padding.
const CHALLENGE_LENGTH: usize = 43;

/// Why a text is no challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a SHA-256 in base64url without padding: 43 characters")]
pub struct PkceChallengeFault;

/// The challenge of whoever began, by the method S256 alone (RFC 7636, section 4.2): only who knows its verifier ends
/// the flow.
#[derive(Clone, PartialEq, Eq)]
pub struct PkceChallenge(String);

impl PkceChallenge {
    pub fn parse(text: &str) -> Result<Self, PkceChallengeFault> {
        let is_base64url = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        // The last of 43 characters has two bits to spare: in the one canonical spelling they are zero.
        let is_canonical = text.ends_with(|last| "AEIMQUYcgkosw048".contains(last));
        if text.len() == CHALLENGE_LENGTH && is_base64url && is_canonical {
            Ok(Self(text.to_owned()))
        } else {
            Err(PkceChallengeFault)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PkceChallenge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// The session in which a user adds an identity to their account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkingSession {
    pub user_id: UserId,
    pub session_id: SessionId,
}

/// A flow that begins.
#[derive(Clone)]
pub struct NewFlow {
    pub state: TokenHash,
    pub provider: ProviderName,
    /// Where the browser goes in the end.
    pub redirect_uri: String,
    pub challenge: PkceChallenge,
    /// The hash of what the browser that began keeps, where a browser began.
    pub browser: Option<TokenHash>,
    /// Who began, where it was a user who is signed in.
    pub linking: Option<LinkingSession>,
    /// Our verifier towards the provider and the nonce, sealed.
    pub sealed_secrets: Vec<u8>,
    pub expires_at: Timestamp,
}

/// A browser that the provider has sent back.
#[derive(Clone)]
pub struct FlowReturn {
    pub state: TokenHash,
    /// By whose own path it has come back.
    pub provider: ProviderName,
    /// The hash of what the browser keeps, if it shows anything.
    pub browser: Option<TokenHash>,
}

/// The provider's answer, and the one-time code that it is to be asked for with.
#[derive(Clone)]
pub struct FlowAnswer {
    pub code: TokenHash,
    pub code_expires_at: Timestamp,
    /// The provider's code and issuer, sealed.
    pub sealed_answer: Vec<u8>,
}

/// Who wants to end a flow, and with what.
#[derive(Clone)]
pub struct Redemption {
    pub state: TokenHash,
    pub code: TokenHash,
    /// Made of the verifier that came.
    pub challenge: PkceChallenge,
    /// `None`: nobody is signed in. It must be exactly as it was at the beginning.
    pub linking: Option<LinkingSession>,
}

/// A flow that has been ended, once and for all.
#[derive(Clone)]
pub struct RedeemedFlow {
    pub provider: ProviderName,
    pub sealed_secrets: Vec<u8>,
    pub sealed_answer: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_a_digest_in_its_one_spelling() {
        // RFC 7636, appendix B.
        assert!(PkceChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").is_ok());
        for text in [
            "",
            "plain",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM",
        ] {
            assert_eq!(PkceChallenge::parse(text), Err(PkceChallengeFault), "{text:?}");
        }
    }
}
