//! Addresses.

use keystead::domain::email::{Email, MAX_EMAIL_BYTES};

use super::text;

/// An address is within its length, shows nothing invisible, and is its own reading; in capitals it is the same account.
pub fn email(bytes: &[u8]) {
    let Ok(email) = Email::parse(text(bytes)) else { return };
    let (address, key) = (email.as_str(), email.key());
    assert!(address.len() <= MAX_EMAIL_BYTES && !address.chars().any(char::is_control));
    assert!(!email.local_part().is_empty() && address.starts_with(email.local_part()));
    let again = Email::parse(address).expect("an address is an address");
    assert_eq!((again.as_str(), again.key()), (address, key), "read again it is another");
    let capitals = Email::parse(&address.to_ascii_uppercase()).expect("capitals are letters");
    assert_eq!(capitals.key(), key, "capitals make another account");
}
