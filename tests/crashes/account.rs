//! One account as the contract has it, one operation after the other.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Op, Outcome, Text, Tokens};

/// What an account is between two operations.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    user: Option<User>,
    sessions: BTreeMap<Text, Session>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct User {
    password: Text,
    active: bool,
    /// The mailed token that sets a new password.
    reset: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Session {
    /// The live token; `None` where the answer with it was lost.
    newest: Option<Text>,
    /// The one used last, which gives `newest` again.
    former: Option<Text>,
    ended: bool,
}

/// How a refresh token stands to its session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Current,
    JustUsed,
    Older,
    Gone,
}

impl Session {
    fn standing(&self, presented: &Text) -> Standing {
        if self.ended {
            Standing::Gone
        } else if self.newest.as_ref() == Some(presented) {
            Standing::Current
        } else if self.former.as_ref() == Some(presented) {
            Standing::JustUsed
        } else {
            Standing::Older
        }
    }
}

impl Account {
    /// The account after the operation; `None` where it cannot have had that outcome.
    pub fn after(&self, op: &Op, outcome: &Outcome) -> Option<Self> {
        let mut next = self.clone();
        let explained = match outcome {
            Outcome::Declined | Outcome::Verdict { .. } => true,
            Outcome::Unknown { .. } => {
                next.befall(op);
                true
            }
            Outcome::Refused => next.refuses(op),
            Outcome::Done => {
                next.befall(op);
                self.admits(op)
            }
            Outcome::Tokens(tokens) => next.gives(op, tokens),
        };
        explained.then_some(next)
    }

    /// Whether the session has ended, or never was.
    pub fn has_ended(&self, session: &Text) -> bool {
        self.sessions.get(session).is_none_or(|session| session.ended)
    }

    fn has_password(&self, password: &Text) -> bool {
        self.user.as_ref().is_some_and(|user| user.active && user.password == *password)
    }

    fn standing(&self, session: &Text, presented: &Text) -> Standing {
        self.sessions.get(session).map_or(Standing::Gone, |session| session.standing(presented))
    }

    fn holds_reset(&self, token: &Text) -> bool {
        self.user.as_ref().is_some_and(|user| user.active && user.reset.as_ref() == Some(token))
    }

    /// Whether the operation can have succeeded, where it gives nothing.
    fn admits(&self, op: &Op) -> bool {
        match op {
            Op::ChangePassword { from, .. } => self.has_password(from),
            Op::RevokeSession { session } => !self.has_ended(session),
            Op::ConfirmReset { token, .. } => self.holds_reset(token),
            Op::Disable | Op::Enable | Op::Mailed { .. } => self.user.is_some(),
            Op::LogOut { .. } | Op::RequestReset | Op::Verify { .. } => true,
            Op::Register { .. } | Op::LogIn { .. } | Op::Refresh { .. } => false,
        }
    }

    /// Whether the operation can have been refused; a replay is, and ends its session.
    fn refuses(&mut self, op: &Op) -> bool {
        match op {
            Op::Register { .. } => self.user.is_some(),
            Op::LogIn { password } => !self.has_password(password),
            Op::Refresh { session, presented } => {
                let standing = self.standing(session, presented);
                self.befall(op);
                matches!(standing, Standing::Older | Standing::Gone)
            }
            Op::RevokeSession { .. } | Op::ChangePassword { .. } | Op::ConfirmReset { .. } => !self.admits(op),
            Op::LogOut { .. } | Op::RequestReset | Op::Mailed { .. } | Op::Verify { .. } => false,
            Op::Disable | Op::Enable => self.user.is_none(),
        }
    }

    /// Whether the operation can have given these tokens.
    fn gives(&mut self, op: &Op, tokens: &Tokens) -> bool {
        match op {
            Op::Register { .. } if self.user.is_none() => {
                self.befall(op);
                self.open(tokens)
            }
            Op::LogIn { password } if self.has_password(password) => self.open(tokens),
            Op::Refresh { session, presented } if *session == tokens.session => self.moves_on(presented, tokens),
            Op::Register { .. }
            | Op::LogIn { .. }
            | Op::Refresh { .. }
            | Op::LogOut { .. }
            | Op::RevokeSession { .. }
            | Op::ChangePassword { .. }
            | Op::RequestReset
            | Op::Mailed { .. }
            | Op::ConfirmReset { .. }
            | Op::Disable
            | Op::Enable
            | Op::Verify { .. } => false,
        }
    }

    fn open(&mut self, tokens: &Tokens) -> bool {
        let session = Session { newest: Some(tokens.refresh.clone()), former: None, ended: false };
        self.sessions.insert(tokens.session.clone(), session).is_none()
    }

    /// Whether the presented token's successor can be this one.
    fn moves_on(&mut self, presented: &Text, tokens: &Tokens) -> bool {
        let Some(session) = self.sessions.get_mut(&tokens.session) else { return false };
        match session.standing(presented) {
            Standing::Current => {
                session.former = session.newest.replace(tokens.refresh.clone());
                tokens.refresh != *presented
            }
            Standing::JustUsed => *session.newest.get_or_insert_with(|| tokens.refresh.clone()) == tokens.refresh,
            Standing::Older | Standing::Gone => false,
        }
    }

    /// What the operation does where nobody hears of it.
    fn befall(&mut self, op: &Op) {
        match op {
            Op::Register { password } => {
                let user = || User { password: password.clone(), active: true, reset: None };
                self.user.get_or_insert_with(user);
            }
            Op::Refresh { session, presented } => self.use_up(session, presented),
            Op::LogOut { session, presented, everywhere } => match self.standing(session, presented) {
                Standing::Gone => {}
                Standing::Current | Standing::JustUsed if *everywhere => self.end_all_but(None),
                Standing::Current | Standing::JustUsed | Standing::Older => self.end(session),
            },
            Op::RevokeSession { session } => self.end(session),
            Op::ChangePassword { by, from, to } if self.has_password(from) => self.set_password(to, Some(by)),
            Op::ConfirmReset { token, to } if self.holds_reset(token) => self.set_password(to, None),
            Op::Mailed { token } => self.replace_reset(Some(token)),
            Op::RequestReset => self.replace_reset(None),
            Op::Disable => {
                self.set_active(false);
                self.end_all_but(None);
            }
            Op::Enable => self.set_active(true),
            Op::ChangePassword { .. } | Op::ConfirmReset { .. } | Op::LogIn { .. } | Op::Verify { .. } => {}
        }
    }

    fn use_up(&mut self, session: &Text, presented: &Text) {
        let Some(session) = self.sessions.get_mut(session) else { return };
        match session.standing(presented) {
            Standing::Current => session.former = session.newest.take(),
            Standing::Older => session.ended = true,
            Standing::JustUsed | Standing::Gone => {}
        }
    }

    fn end(&mut self, session: &Text) {
        self.sessions.entry(session.clone()).and_modify(|session| session.ended = true);
    }

    fn end_all_but(&mut self, spared: Option<&Text>) {
        let others = self.sessions.iter_mut().filter(|(id, _)| Some(*id) != spared);
        others.for_each(|(_, session)| session.ended = true);
    }

    fn set_password(&mut self, to: &Text, spared: Option<&Text>) {
        if let Some(user) = &mut self.user {
            user.password = to.clone();
            user.reset = None;
        }
        self.end_all_but(spared);
    }

    fn replace_reset(&mut self, token: Option<&Text>) {
        if let Some(user) = &mut self.user {
            user.reset = token.cloned();
        }
    }

    fn set_active(&mut self, active: bool) {
        if let Some(user) = &mut self.user {
            user.active = active;
        }
    }
}

/// What an account may be, as far as one knows.
pub type Possible = BTreeSet<Account>;
