//! The second factor of an account: a time-based code (RFC 6238), and recovery codes for whoever has lost it.

use std::fmt;
use std::time::Duration;

use super::audit::{AuditEvent, AuditKind};
use super::clock::Timestamp;
use super::id::{PrincipalId, SessionId, UserId};
use super::mail::MailKind;
use super::name::Name;
use super::ports::AuditContext;
use super::revocation::Revocation;
use super::session::{NewSession, Rehash};
use super::user::{Epoch, User};

/// How many recovery codes an account has.
pub const RECOVERY_CODES: usize = 10;

/// How many wrong codes end a challenge.
pub const MAX_WRONG_CODES: u32 = 5;

/// How often the owner is warned of challenges that have ended so.
pub const WARNING_PAUSE: Duration = Duration::from_hours(1);

/// How the trail names the call at which a second factor was wrong.
pub const COMPLETION: &str = "CompleteMfa";

/// How a token says that a code of an authenticator was shown (RFC 8176, section 2).
pub const METHOD_OTP: &str = "otp";
/// How it says that more than one factor was. With a recovery code it stands without [`METHOD_OTP`]: the registry has no
/// word for one.
pub const METHOD_MFA: &str = "mfa";

/// How many digits a code has.
const DIGITS: usize = 6;
/// How long a step lasts (RFC 6238, section 4.1).
const STEP_SECONDS: i64 = 30;

/// Why a text is no code of an authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be six digits")]
pub struct TotpCodeFault;

/// A code of an authenticator, well-formed: six digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TotpCode(pub u32);

impl TotpCode {
    pub fn parse(text: &str) -> Result<Self, TotpCodeFault> {
        let is_code = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_code).map(Self).ok_or(TotpCodeFault)
    }
}

impl fmt::Debug for TotpCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

/// A step of time: the number of whole 30 seconds since the Unix epoch (RFC 6238, section 4.2). Each is used once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotpStep(pub i64);

impl TotpStep {
    pub const fn at(moment: Timestamp) -> Self {
        Self(moment.as_seconds().div_euclid(STEP_SECONDS))
    }

    /// The step before, this one and the next: a code may be a little late, and a clock a little wrong (section 5.2).
    pub fn around(self) -> [Self; 3] {
        [-1, 0, 1].map(|distance| Self(self.0.saturating_add(distance)))
    }
}

/// The SHA-256 of a challenge's token: all that is stored of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChallengeHash(pub [u8; 32]);

/// The SHA-256 of a recovery code: all that is stored of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecoveryCodeHash(pub [u8; 32]);

/// What a challenge asks for. The token of one is never accepted where the other is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengePurpose {
    /// The account's second factor.
    Completion,
    /// That one be enrolled: a role of the account asks for it, and the account has none.
    Enrollment,
}

/// The authenticator of an account, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpFactor {
    /// The secret, sealed for its user.
    pub sealed: Vec<u8>,
    /// The last step that was used.
    pub last_step: TotpStep,
    /// Wrong codes in a row.
    pub failures: u32,
}

/// What may be told of an account's authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnrolledFactor {
    pub enrolled_at: Timestamp,
    /// Recovery codes that have not been used.
    pub codes_left: u32,
}

/// A sign-in that waits for its second factor, as it is written.
#[derive(Clone, Debug)]
pub struct NewChallenge {
    pub hash: ChallengeHash,
    pub user_id: UserId,
    /// The epoch that the first factor was checked under; with it the challenge ends.
    pub seen_epoch: Epoch,
    /// How the user has proved who they are so far (RFC 8176).
    pub methods: Vec<String>,
    pub audience: Vec<String>,
    pub device_name: Name,
    /// The password hash to put in the place of the one that was checked.
    pub rehash: Option<Rehash>,
    pub expires_at: Timestamp,
}

/// What became of a challenge.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeCreation {
    Created,
    /// The user's epoch or state is no longer what was read: nothing was written.
    UserChanged,
}

/// A sign-in that waits, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenChallenge {
    /// As the account is now: active, and with the epoch that the challenge was made under.
    pub user: User,
    pub factor: Option<TotpFactor>,
    pub methods: Vec<String>,
    pub audience: Vec<String>,
    pub device_name: Name,
}

/// What shows the second factor.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A code that was right for this step of this authenticator; whether the step is unused the store decides.
    Totp { sealed: Vec<u8>, step: TotpStep },
    /// A recovery code; whether the account has it the store decides.
    RecoveryCode(RecoveryCodeHash),
    /// A code that is known to be wrong.
    Wrong,
}

/// A second factor on its way to a session.
#[derive(Clone, Debug)]
pub struct Completion {
    pub challenge: ChallengeHash,
    pub proof: Proof,
    /// What is opened where the proof holds.
    pub session: NewSession,
    /// Wrong codes in a row after which the authenticator's codes are wrong, whatever they are.
    pub max_failures: u32,
}

/// What became of a completion.
#[must_use]
#[derive(Clone, Debug)]
pub enum CompletionOutcome {
    /// Challenge and code are used up, the session stands; sessions over the cap have ended with these revocations.
    Completed { revocations: Vec<Revocation> },
    /// The code is wrong or used up; it is counted against the challenge and the authenticator, and told.
    WrongCode {
        /// Whether it was the last one that the challenge allows.
        is_last: bool,
    },
    /// The challenge opens nothing (any more); told.
    Gone,
}

/// What shall become of an account's second factor.
#[derive(Clone, Debug)]
pub enum FactorEdit {
    /// In the place of the one that was, if any.
    Enroll {
        sealed: Vec<u8>,
        /// The step whose code has confirmed it, which is used by that.
        step: TotpStep,
        codes: Vec<RecoveryCodeHash>,
    },
    ReplaceCodes(Vec<RecoveryCodeHash>),
    Remove,
}

/// A change of the second factor.
#[derive(Clone, Debug)]
pub struct FactorChange {
    pub user: UserId,
    /// The epoch that it was decided under; `None` at the word of somebody else, whatever has become of the account.
    pub seen_epoch: Option<Epoch>,
    pub edit: FactorEdit,
    /// The session that goes on; every other one ends. Where the factor is removed, it goes on as one of the first alone.
    pub spared: Option<SessionId>,
    /// The sign-in that goes on with the change.
    pub opening: Option<OpeningByChallenge>,
    /// Until when the revocation of the user's tokens matters.
    pub revocation_expires_at: Timestamp,
}

impl FactorEdit {
    /// What the owner is told by mail.
    pub const fn notice(&self) -> MailKind {
        match self {
            Self::Enroll { .. } => MailKind::TotpEnrolled,
            Self::ReplaceCodes(_) => MailKind::RecoveryCodesReplaced,
            Self::Remove => MailKind::TotpRemoved,
        }
    }
}

impl FactorChange {
    /// What the trail is told. Where nobody shows a bearer the user acts, by the challenge; without one, the operator.
    pub fn event(&self, context: &AuditContext) -> AuditEvent {
        let kind = match self.edit {
            FactorEdit::Enroll { .. } => AuditKind::SecondFactorEnrolled,
            FactorEdit::ReplaceCodes(_) => AuditKind::RecoveryCodesReplaced,
            FactorEdit::Remove => AuditKind::SecondFactorRemoved,
        };
        let user = PrincipalId::from(self.user);
        let by_actor = AuditEvent::by_actor(kind, Some(user), context);
        match &self.opening {
            Some(opening) => AuditEvent { actor: Some(user), session: Some(opening.session.session.id), ..by_actor },
            None => by_actor,
        }
    }
}

/// A session that a challenge is used up for.
#[derive(Clone, Debug)]
pub struct OpeningByChallenge {
    pub challenge: ChallengeHash,
    pub session: NewSession,
}

/// What is left of the methods of a sign-in where its second factor counts no more.
pub fn first_factor_alone(methods: &[String]) -> Vec<String> {
    methods.iter().filter(|method| ![METHOD_OTP, METHOD_MFA].contains(&method.as_str())).cloned().collect()
}

/// What became of a change of the second factor.
#[must_use]
#[expect(clippy::large_enum_variant, reason = "there is one for a request, and it is moved once")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorOutcome {
    /// The account as it now stands, what was revoked with the change, and the sessions that ended.
    Changed { user: User, revocations: Vec<Revocation>, ended: Vec<SessionId> },
    /// The account is gone, or its epoch or state is no longer what was read: nothing was written.
    UserChanged,
    /// The account has no second factor: nothing was written.
    NotEnrolled,
    /// The challenge opens nothing (any more): nothing was written.
    ChallengeGone,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits() {
        assert_eq!(TotpCode::parse("012345"), Ok(TotpCode(12_345)));
        for text in ["", "12345", "1234567", "12345a", "+12345", " 12345", "１２３４５６", "12 345"] {
            assert_eq!(TotpCode::parse(text), Err(TotpCodeFault), "{text:?}");
        }
        assert_eq!(format!("{:?}", TotpCode(12_345)), "[redacted]");
    }

    // promise M7
    #[test]
    fn the_first_factor_stays_whatever_it_was() {
        let left =
            |methods: &[&str]| first_factor_alone(&methods.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
        assert_eq!(left(&["pwd", "otp", "mfa"]), ["pwd"]);
        assert_eq!(left(&["fed", "mfa"]), ["fed"]);
        assert_eq!(left(&["pwd"]), ["pwd"]);
    }

    #[test]
    fn a_step_is_thirty_seconds() {
        let steps = [0, 29_999, 30_000, 59_999, 60_000].map(|millis| TotpStep::at(Timestamp::from_millis(millis)).0);
        assert_eq!(steps, [0, 0, 1, 1, 2]);
        assert_eq!(TotpStep(7).around(), [TotpStep(6), TotpStep(7), TotpStep(8)]);
    }
}
