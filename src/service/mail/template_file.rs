//! A template as it lies in a file: `<language>/<kind>.<part>`.

use std::fmt;

use crate::domain::language::Language;
use crate::domain::mail::MailKind;

/// A part of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// One line.
    Subject,
    Text,
    /// Whatever is put into it is escaped.
    Html,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Subject, Self::Text, Self::Html];

    const fn extension(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Text => "txt",
            Self::Html => "html",
        }
    }
}

/// One part of one kind of mail in one language.
#[derive(Clone, Debug)]
pub struct TemplateFile {
    /// In lower case.
    pub language: String,
    pub kind: MailKind,
    pub part: Part,
    pub source: String,
}

impl TemplateFile {
    /// `None` where the folder is no language, or the file is named after no kind and part.
    pub fn named(folder: &str, file: &str, source: String) -> Option<Self> {
        let language = Language::parse(folder).ok().filter(|language| !language.as_str().is_empty())?;
        let (stem, extension) = file.rsplit_once('.')?;
        let kind = MailKind::ALL.into_iter().find(|kind| stem_of(*kind) == stem)?;
        let part = Part::ALL.into_iter().find(|part| part.extension() == extension)?;
        Some(Self { language: language.as_str().to_owned(), kind, part, source })
    }

    pub fn name(&self) -> String {
        name(&self.language, self.kind, self.part)
    }
}

/// The path below the folder of templates.
pub fn name(language: &str, kind: MailKind, part: Part) -> String {
    format!("{}.{}", stem(language, kind), part.extension())
}

/// The same without what names the part.
pub fn stem(language: &str, kind: MailKind) -> String {
    format!("{language}/{}", stem_of(kind))
}

const fn stem_of(kind: MailKind) -> &'static str {
    match kind {
        MailKind::PasswordReset => "password_reset",
        MailKind::EmailVerification => "email_verification",
        MailKind::RegistrationAttempt => "registration_attempt",
        MailKind::PasswordChanged => "password_changed",
        MailKind::NewSignIn => "new_sign_in",
        MailKind::EmailChange => "email_change",
        MailKind::EmailChangeAttempt => "email_change_attempt",
        MailKind::EmailChanged => "email_changed",
        MailKind::TotpEnrolled => "totp_enrolled",
        MailKind::TotpRemoved => "totp_removed",
        MailKind::RecoveryCodesReplaced => "recovery_codes_replaced",
        MailKind::RecoveryCodeUsed => "recovery_code_used",
        MailKind::WrongCodes => "wrong_codes",
        MailKind::IdentityLinked => "identity_linked",
        MailKind::IdentityUnlinked => "identity_unlinked",
    }
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// Its path below the folder of templates.
    pub file: String,
    pub problem: String,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.file, self.problem)
    }
}
