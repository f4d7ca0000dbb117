//! Tokens that are mailed and work once: reset, verification, change of address.

use super::clock::Timestamp;
use super::email::Email;
use super::id::UserId;
use super::revocation::Revocation;
use super::user::{Epoch, PasswordHash, User};

/// What a token is for; one is never accepted for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenPurpose {
    PasswordReset,
    EmailVerification,
    EmailChange,
}

/// The SHA-256 of a token: all that is stored of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// A token that is to be stored. It kills older ones of the same user and purpose.
#[derive(Clone, Debug)]
pub struct NewOneTimeToken {
    pub hash: TokenHash,
    pub purpose: TokenPurpose,
    pub user_id: UserId,
    /// The address that it is mailed to. It works only while the account still has it; one for
    /// [`TokenPurpose::EmailChange`] gives the account that address.
    pub email: Email,
    /// The epoch that the user had. One for [`TokenPurpose::EmailChange`] works only while it stands, so that whatever
    /// ends the access tokens of a thief ends the change that they asked for.
    pub epoch: Epoch,
    pub expires_at: Timestamp,
}

/// A new password, on its way to its account.
#[derive(Clone, Debug)]
pub struct PasswordReset {
    pub token: TokenHash,
    pub password_hash: PasswordHash,
    /// The account's entry in the record of failures and of known sources, which a reset clears: a thief may be known.
    pub account_key: [u8; 32],
    /// Until when the revocation of the user's tokens matters.
    pub revocation_expires_at: Timestamp,
}

/// What became of a reset.
#[must_use]
#[derive(Clone, Debug)]
pub enum ResetOutcome {
    /// The password is set, every session has ended, the owner's notice waits in the outbox.
    Done { revocations: Vec<Revocation> },
    /// The token opens nothing (any more).
    Refused,
}

/// What became of a verification.
#[must_use]
#[derive(Clone, Debug)]
pub enum VerificationOutcome {
    Done(User),
    /// The token opens nothing (any more).
    Refused,
}
