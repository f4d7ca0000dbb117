//! The mails in the outbox folder.

use std::fs;
use std::path::PathBuf;

use super::wait::eventually;

/// The folder that a Keystead without a mail server delivers to.
pub struct Mailbox(PathBuf);

/// One mail, as it lies in its file.
#[derive(Clone, Debug)]
pub struct Mail {
    pub raw: String,
    /// The raw text with quoted-printable undone.
    pub text: String,
}

impl Mailbox {
    pub fn of(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Every mail, oldest file first.
    pub fn all(&self) -> Vec<Mail> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        let mut files: Vec<_> = entries
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .map(|path| (fs::metadata(&path).and_then(|file| file.modified()).expect("a file"), path))
            .collect();
        files.sort();
        files.into_iter().map(|(_, path)| Mail::read(fs::read_to_string(path).expect("a mail"))).collect()
    }

    pub fn to(&self, address: &str) -> Vec<Mail> {
        let recipient = format!("To: {address}\r\n");
        let bracketed = format!("<{address}>\r\n");
        let is_to = |mail: &Mail| mail.raw.contains(&recipient) || mail.raw.contains(&bracketed);
        self.all().into_iter().filter(is_to).collect()
    }

    /// Waits for a mail to the address that holds a token of this prefix, the `number`th such mail; gives the token.
    pub async fn token(&self, address: &str, prefix: &str, number: usize) -> String {
        eventually("a mail with a token", || async {
            self.to(address).iter().filter_map(|mail| mail.token(prefix)).nth(number)
        })
        .await
    }

    /// Waits for the first reset token mailed to the address.
    pub async fn reset_token(&self, address: &str) -> String {
        self.token(address, RESET, 0).await
    }

    /// Waits for the first verification token mailed to the address.
    pub async fn verification_token(&self, address: &str) -> String {
        self.token(address, VERIFICATION, 0).await
    }

    /// Waits for the first token mailed to an address that somebody wants.
    pub async fn email_change_token(&self, address: &str) -> String {
        self.token(address, EMAIL_CHANGE, 0).await
    }

    /// Waits for a mail to the address whose text holds the words.
    pub async fn mail(&self, address: &str, words: &str) -> Mail {
        let is_it = |mail: &Mail| mail.text.contains(words);
        eventually("a mail", || async { self.to(address).into_iter().find(is_it) }).await
    }
}

/// The prefix of a reset token.
pub const RESET: &str = "kspr_";
/// The prefix of a verification token.
pub const VERIFICATION: &str = "ksev_";
/// The prefix of a token that changes an address.
pub const EMAIL_CHANGE: &str = "ksec_";

impl Mail {
    pub fn read(raw: String) -> Self {
        let text = unquoted(&raw);
        Self { raw, text }
    }

    /// The first token of this prefix in the mail.
    pub fn token(&self, prefix: &str) -> Option<String> {
        let start = self.text.find(prefix)?;
        let is_part = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.');
        Some(self.text[start..].chars().take_while(|sign| is_part(*sign)).collect())
    }
}

/// Undoes quoted-printable (RFC 2045, section 6.7) as far as tokens and links need it.
fn unquoted(raw: &str) -> String {
    raw.replace("=\r\n", "").replace("=3D", "=").replace("=3d", "=")
}
