//! A message in the form of RFC 5322 and MIME.

use std::time::{Duration, SystemTime};

use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};

use crate::domain::clock::Timestamp;
use crate::domain::mail::{MailError, MailMessage};

/// The longest line in bytes, less its end (RFC 5322, section 2.1.1).
const MAX_LINE_BYTES: usize = 998;

/// What the way to the reader can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A server that may know ASCII only.
    SevenBit,
    /// A file, which a person opens with whatever is there: Unicode as it is.
    EightBit,
}

/// Text and HTML as alternatives. What cannot be put into a message will never be: a permanent error.
pub fn compose(message: &MailMessage, from: &Mailbox, at: Timestamp, carrier: Carrier) -> Result<Message, MailError> {
    let to: Address = message.to.as_str().parse().map_err(|_| MailError::Permanent)?;
    let parts = MultiPart::alternative()
        .singlepart(part(ContentType::TEXT_PLAIN, &message.text, carrier))
        .singlepart(part(ContentType::TEXT_HTML, &message.html, carrier));
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(single_line(&message.subject))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(at.as_millis().max(0).unsigned_abs()))
        .message_id(Some(format!("<{}@{}>", message.id, from.email.domain())))
        .raw_header(automatic())
        .multipart(parts)
        .map_err(|_| MailError::Permanent)
}

/// Keeps answering machines quiet (RFC 3834, section 5).
fn automatic() -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned())
}

/// A line break in a subject would begin another header.
fn single_line(subject: &str) -> String {
    subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn part(content_type: ContentType, text: &str, carrier: Carrier) -> SinglePart {
    SinglePart::builder().header(content_type).body(body(text, carrier))
}

/// As it is where the carrier allows, so that a link stays in one piece; encoded otherwise.
fn body(text: &str, carrier: Carrier) -> Body {
    let fits = text.lines().all(|line| line.len() <= MAX_LINE_BYTES) && !text.contains(['\r', '\0']);
    let encoding = match (text.is_ascii(), carrier) {
        (true, _) if fits => ContentTransferEncoding::SevenBit,
        (false, Carrier::EightBit) if fits => ContentTransferEncoding::EightBit,
        _ => return Body::new(text.to_owned()),
    };
    Body::dangerous_pre_encoded(text.replace('\n', "\r\n").into_bytes(), encoding)
}
