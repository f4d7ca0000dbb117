//! The texts that the service comes with.

use super::template_file::{Part, TemplateFile};
use crate::domain::mail::MailKind;

macro_rules! built_in {
    ($($language:literal)+) => {
        /// Every kind in every language that the service comes with.
        pub fn files() -> Vec<TemplateFile> {
            let mut files = Vec::new();
            $(
                built_in!(@kinds files $language
                    PasswordReset "password_reset",
                    EmailVerification "email_verification",
                    RegistrationAttempt "registration_attempt",
                    PasswordChanged "password_changed",
                    NewSignIn "new_sign_in",
                    EmailChange "email_change",
                    EmailChangeAttempt "email_change_attempt",
                    EmailChanged "email_changed",
                    TotpEnrolled "totp_enrolled",
                    TotpRemoved "totp_removed",
                    RecoveryCodesReplaced "recovery_codes_replaced",
                    RecoveryCodeUsed "recovery_code_used",
                    WrongCodes "wrong_codes",
                    IdentityLinked "identity_linked",
                    IdentityUnlinked "identity_unlinked"
                );
            )+
            files
        }
    };
    (@kinds $files:ident $language:literal $($kind:ident $name:literal),+) => {
        $(
            $files.extend([
                built_in!(@file $language $kind $name Subject "subject"),
                built_in!(@file $language $kind $name Text "txt"),
                built_in!(@file $language $kind $name Html "html"),
            ]);
        )+
    };
    (@file $language:literal $kind:ident $name:literal $part:ident $extension:literal) => {
        TemplateFile {
            language: $language.to_owned(),
            kind: MailKind::$kind,
            part: Part::$part,
            source: include_str!(concat!("templates/", $language, "/", $name, ".", $extension)).to_owned(),
        }
    };
}

built_in!("en" "de");
