//! The form in which a rendered message rests in the outbox: sealed under the mail key, bound to its row.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::crypto::seal::{SealError, SealingKey};
use crate::domain::clock::{Entropy, Timestamp};
use crate::domain::email::Email;
use crate::domain::id::MailId;
use crate::domain::mail::MailMessage;

/// A rendered message, and until when it is worth delivering.
pub struct Envelope {
    pub message: MailMessage,
    /// When the token in it stops working.
    pub expires_at: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Resting {
    to: String,
    subject: String,
    text: String,
    html: String,
    expires_at: Option<i64>,
}

impl Envelope {
    pub fn seal(&self, key: &SealingKey, entropy: &dyn Entropy) -> Result<Vec<u8>, SealError> {
        let message = &self.message;
        let resting = Resting {
            to: message.to.as_str().to_owned(),
            subject: message.subject.clone(),
            text: message.text.clone(),
            html: message.html.clone(),
            expires_at: self.expires_at.map(Timestamp::as_millis),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&resting).map_err(|_| SealError)?);
        Ok(key.seal(&context(message.id), &plain, entropy))
    }

    /// Opens what was sealed for the mail with this id, and for no other.
    pub fn open(id: MailId, sealed: &[u8], key: &SealingKey) -> Result<Self, SealError> {
        let plain = key.open(&context(id), sealed)?;
        let resting: Resting = serde_json::from_slice(&plain).map_err(|_| SealError)?;
        let to = Email::parse(&resting.to).map_err(|_| SealError)?;
        let message = MailMessage { id, to, subject: resting.subject, text: resting.text, html: resting.html };
        Ok(Self { message, expires_at: resting.expires_at.map(Timestamp::from_millis) })
    }
}

fn context(id: MailId) -> String {
    format!("keystead mail {id}")
}
