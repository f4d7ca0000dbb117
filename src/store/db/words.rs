//! The words under which enumerations are stored. A word, once stored, never changes its meaning.

use super::fault::Fault;
use crate::domain::audit::AuditOutcome;
use crate::domain::key::{KeyPurpose, KeyState, SigningAlgorithm};
use crate::domain::mail::MailKind;
use crate::domain::one_time_token::TokenPurpose;
use crate::domain::user::UserState;

/// A value that is stored as a word.
pub(super) trait Word: Copy + 'static {
    /// Every value with its word.
    const WORDS: &'static [(Self, &'static str)];

    fn word(self) -> &'static str;

    fn parse(word: &str) -> Result<Self, Fault> {
        let found = Self::WORDS.iter().find(|(_, known)| *known == word);
        found.map(|(value, _)| *value).ok_or(Fault::Corrupt("unknown word"))
    }
}

macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl Word for $type {
            const WORDS: &'static [(Self, &'static str)] = &[$((Self::$variant, $word)),+];

            fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }
    };
}

words!(UserState { Active => "active", Disabled => "disabled" });
words!(TokenPurpose {
    PasswordReset => "password_reset",
    EmailVerification => "email_verification",
    EmailChange => "email_change",
});
words!(MailKind {
    PasswordReset => "password_reset",
    EmailVerification => "email_verification",
    RegistrationAttempt => "registration_attempt",
    PasswordChanged => "password_changed",
    NewSignIn => "new_sign_in",
    EmailChange => "email_change",
    EmailChangeAttempt => "email_change_attempt",
    EmailChanged => "email_changed",
    TotpEnrolled => "totp_enrolled",
    TotpRemoved => "totp_removed",
    RecoveryCodesReplaced => "recovery_codes_replaced",
    RecoveryCodeUsed => "recovery_code_used",
    WrongCodes => "wrong_codes",
    IdentityLinked => "identity_linked",
    IdentityUnlinked => "identity_unlinked",
});
words!(KeyPurpose { Signing => "signing", Refresh => "refresh", Lookup => "lookup", Mail => "mail", Page => "page", Factor => "factor" });
words!(KeyState { Next => "next", Active => "active", Retiring => "retiring" });
words!(SigningAlgorithm { Es256 => "ES256", EdDsa => "EdDSA", Rs256 => "RS256" });
words!(AuditOutcome { Success => "success", Failure => "failure" });

/// A list, as a JSON array.
pub(super) fn list(items: &[String]) -> String {
    serde_json::Value::from(items).to_string()
}

pub(super) fn parse_list(text: &str) -> Result<Vec<String>, Fault> {
    serde_json::from_str(text).map_err(|_| Fault::Corrupt("list"))
}
