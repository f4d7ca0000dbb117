//! What clients asked, and what came of it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

/// Nanoseconds of the monotonic clock since the history began. Equal moments count as being at once.
pub type Moment = u64;

/// An address, a password, an id or a token.
pub type Text = Arc<str>;

/// What was asked of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Register {
        password: Text,
    },
    LogIn {
        password: Text,
    },
    Refresh {
        session: Text,
        presented: Text,
    },
    LogOut {
        session: Text,
        presented: Text,
        everywhere: bool,
    },
    RevokeSession {
        session: Text,
    },
    ChangePassword {
        by: Text,
        from: Text,
        to: Text,
    },
    RequestReset,
    /// Not asked for: what a mailed token is, between its request and the moment it was read in the mail.
    Mailed {
        token: Text,
    },
    ConfirmReset {
        token: Text,
        to: Text,
    },
    Disable,
    Enable,
    /// `issued` is when the answer with the token came.
    Verify {
        session: Text,
        access: Text,
        issued: Moment,
    },
}

/// The tokens of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub session: Text,
    pub refresh: Text,
    pub access: Text,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Tokens(Tokens),
    Done,
    /// Refused for what the account, its password or its tokens are.
    Refused,
    /// VerifyToken's answer; nothing revoked before `as_of` is unknown to it.
    Verdict {
        active: bool,
        as_of: Moment,
    },
    /// Refused before anything was done.
    Declined,
    /// Done or not: the service could not say, or could not be heard.
    Unknown {
        lost: bool,
    },
}

impl Outcome {
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// Whether the service has given its word.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Tokens(_) | Self::Done | Self::Verdict { .. })
    }
}

/// One operation on one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub account: Text,
    pub op: Op,
    /// Which run of a replica was asked.
    pub run: usize,
    pub invoked: Moment,
    pub answered: Moment,
    pub outcome: Outcome,
}

/// Where all clients write.
pub struct Recorder {
    began: Instant,
    began_at: SystemTime,
    events: Mutex<Vec<Event>>,
    acknowledged: watch::Sender<usize>,
}

#[expect(clippy::disallowed_methods, reason = "the history is one of real time")]
impl Default for Recorder {
    fn default() -> Self {
        let (began, began_at) = (Instant::now(), SystemTime::now());
        Self { began, began_at, events: Mutex::default(), acknowledged: watch::Sender::new(0) }
    }
}

impl Recorder {
    pub fn now(&self) -> Moment {
        moment(self.began.elapsed())
    }

    /// The moment at which the wall clock showed this time.
    pub fn moment_of(&self, time: SystemTime) -> Moment {
        moment(time.duration_since(self.began_at).unwrap_or_default())
    }

    pub fn write(&self, event: Event) {
        let acknowledged = event.outcome.is_acknowledged();
        self.events.lock().expect("no poison").push(event);
        if acknowledged {
            self.acknowledged.send_modify(|count| *count += 1);
        }
    }

    /// What was written since the last time, in the order of the answers.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events.lock().expect("no poison"))
    }

    /// Waits until so many more operations have been acknowledged.
    pub async fn acknowledges(&self, more: usize) {
        let mut count = self.acknowledged.subscribe();
        let goal = *count.borrow_and_update() + more;
        count.wait_for(|count| *count >= goal).await.expect("the recorder is there");
    }
}

fn moment(span: Duration) -> Moment {
    u64::try_from(span.as_nanos()).expect("less than five hundred years")
}
