//! The owner of an account, who does everything that owners do, in an order that chance decides.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::administrator::{List, Listed};
use super::caller::{Caller, Place};
use super::harness::mailbox::RESET;
use super::harness::{Mailbox, Person, until};
use super::history::{Event, Moment, Op, Outcome, Text, Tokens};
use super::verdicts::ROUNDING;

/// How long a mail is waited for: whoever was killed while sending it keeps it for longer.
const MAIL_WITHIN: Duration = Duration::from_secs(2);
/// Tokens of ended sessions that are tried when all is quiet.
const TRIED: usize = 4;

/// A session that the owner has tokens of.
#[derive(Clone, Debug)]
struct Held {
    tokens: Tokens,
    /// When the access token had come.
    issued: Moment,
    /// The refresh tokens before the newest, oldest first.
    former: Vec<Text>,
}

pub struct Owner {
    caller: Caller,
    list: List,
    mail: Arc<Vec<Mailbox>>,
    account: Text,
    /// What the password may be, what it probably is first.
    passwords: Vec<Text>,
    /// What it was.
    outdated: Vec<Text>,
    open: Vec<Held>,
    ended: Vec<Held>,
    has_reset: bool,
}

impl Owner {
    /// Somebody who has yet to register.
    pub fn new(caller: Caller, list: List, mail: Arc<Vec<Mailbox>>) -> Self {
        let person = Person::new("owner");
        Self {
            caller,
            list,
            mail,
            account: person.email.into(),
            passwords: vec![person.password.into()],
            outdated: Vec::new(),
            open: Vec::new(),
            ended: Vec::new(),
            has_reset: false,
        }
    }

    pub fn account(&self) -> &Text {
        &self.account
    }

    /// Uses the account until told to stop; begins with a new one now and then.
    pub async fn work(&mut self, enough: &CancellationToken) {
        if self.is_new() || self.caller.dice.below(2) == 0 {
            self.register().await;
        }
        while !enough.is_cancelled() {
            self.act().await;
        }
    }

    fn is_new(&self) -> bool {
        self.open.is_empty() && self.ended.is_empty()
    }

    async fn register(&mut self) {
        let person = Person::new("owner");
        let former = std::mem::replace(&mut self.account, person.email.into());
        self.list.lock().expect("no poison").retain(|listed| listed.account != former);
        (self.passwords, self.outdated) = (vec![person.password.into()], Vec::new());
        (self.open, self.ended, self.has_reset) = (Vec::new(), Vec::new(), false);
        let (account, password) = (self.account.clone(), self.passwords[0].clone());
        let outcome = self.caller.insist(async |place| place.register(&account, &password).await).await;
        self.hold(outcome);
        if self.open.is_empty() {
            self.log_in().await;
        }
        let listed = self.open.first().map(|held| Listed::of(&self.account, &held.tokens));
        self.list.lock().expect("no poison").extend(listed);
    }

    async fn act(&mut self) {
        if self.open.is_empty() {
            return self.log_in().await;
        }
        let chosen = self.caller.dice.below(self.open.len());
        match self.caller.dice.below(24) {
            0..=4 => self.refresh(chosen).await,
            5..=6 => self.refresh_twice_at_once(chosen).await,
            7..=8 => self.log_in().await,
            9 => self.log_in_by_an_outdated_password().await,
            10..=11 => self.log_out(chosen).await,
            12 => self.revoke(chosen).await,
            13..=14 => self.change_password(chosen).await,
            15 => self.replay(chosen).await,
            16 => self.try_ended().await,
            17 => self.reset().await,
            18 => self.register().await,
            _ => self.verify_one().await,
        }
    }

    fn hold(&mut self, outcome: Outcome) {
        if let Outcome::Tokens(tokens) = outcome {
            self.open.push(Held { tokens, issued: self.caller.recorder.now(), former: Vec::new() });
        }
    }

    /// Tries what the password may be until one is right, which is the password then.
    async fn log_in(&mut self) {
        let account = self.account.clone();
        for password in self.passwords.clone() {
            let outcome = self.caller.insist(async |place| place.log_in(&account, &password).await).await;
            if matches!(outcome, Outcome::Tokens(_)) {
                self.passwords.retain(|possible| *possible != password);
                self.outdated.append(&mut self.passwords);
                self.passwords.push(password);
                return self.hold(outcome);
            }
        }
    }

    async fn log_in_by_an_outdated_password(&mut self) {
        let Some(password) = self.caller.dice.pick(&self.outdated).cloned() else { return };
        let account = self.account.clone();
        let outcome = self.caller.insist(async |place| place.log_in(&account, &password).await).await;
        self.hold(outcome);
    }

    async fn refresh(&mut self, chosen: usize) {
        let (account, tokens) = (self.account.clone(), self.open[chosen].tokens.clone());
        let ask = async |place: &Place| place.refresh(&account, &tokens.session, &tokens.refresh).await;
        let outcome = self.caller.insist(ask).await;
        self.take_successor(chosen, outcome);
    }

    /// As two tabs of a browser do, each on a replica of its own where there are two.
    async fn refresh_twice_at_once(&mut self, chosen: usize) {
        let (account, tokens) = (self.account.clone(), self.open[chosen].tokens.clone());
        let places = [self.caller.place().await, self.caller.place().await];
        let ask = async |place: &Place| place.refresh(&account, &tokens.session, &tokens.refresh).await;
        let (first, second) = tokio::join!(ask(&places[0]), ask(&places[1]));
        match [first, second].into_iter().find(|outcome| !outcome.is_unknown()) {
            Some(known) => self.take_successor(chosen, known),
            None => self.refresh(chosen).await,
        }
    }

    fn take_successor(&mut self, chosen: usize, outcome: Outcome) {
        match outcome {
            Outcome::Tokens(tokens) => {
                let issued = self.caller.recorder.now();
                let held = &mut self.open[chosen];
                let former = std::mem::replace(&mut held.tokens, tokens);
                held.former.push(former.refresh);
                held.issued = issued;
            }
            Outcome::Refused => self.end(chosen),
            Outcome::Done | Outcome::Verdict { .. } | Outcome::Declined | Outcome::Unknown { .. } => {}
        }
    }

    fn end(&mut self, chosen: usize) {
        let held = self.open.remove(chosen);
        self.ended.push(held);
    }

    fn end_all_but(&mut self, spared: Option<&Text>) {
        let (open, ended): (Vec<_>, _) =
            std::mem::take(&mut self.open).into_iter().partition(|held| Some(&held.tokens.session) == spared);
        self.open = open;
        self.ended.extend(ended);
    }

    async fn log_out(&mut self, chosen: usize) {
        let (account, tokens) = (self.account.clone(), self.open[chosen].tokens.clone());
        let everywhere = self.caller.dice.below(4) == 0;
        let outcome = self.caller.insist(async |place| place.log_out(&account, &tokens, everywhere).await).await;
        match (outcome == Outcome::Done, everywhere) {
            (true, true) => self.end_all_but(None),
            (true, false) => self.end(chosen),
            (false, _) => {}
        }
    }

    /// Ends a session by the bearer of another one, or of itself.
    async fn revoke(&mut self, chosen: usize) {
        let account = self.account.clone();
        let bearer = self.caller.dice.pick(&self.open).expect("a session").tokens.clone();
        let session = self.open[chosen].tokens.session.clone();
        let ask = async |place: &Place| place.revoke_session(&account, &bearer, &session).await;
        if matches!(self.caller.insist(ask).await, Outcome::Done | Outcome::Refused) {
            self.end(chosen);
        }
    }

    /// Not insisted on: whether it was done, the next sign-in tells.
    async fn change_password(&mut self, chosen: usize) {
        let (account, bearer) = (self.account.clone(), self.open[chosen].tokens.clone());
        let (from, to) = (self.passwords[0].clone(), Text::from(Person::new("owner").password));
        let place = self.caller.place().await;
        match place.change_password(&account, &bearer, &from, &to).await {
            Outcome::Done => {
                self.passwords.push(to);
                self.outdate_all_but_the_last();
                self.end_all_but(Some(&bearer.session));
            }
            Outcome::Unknown { .. } => self.passwords.insert(0, to),
            Outcome::Refused => self.passwords.rotate_left(1),
            // The bearer is of before the last change: the next one is not.
            Outcome::Declined => self.refresh(chosen).await,
            Outcome::Tokens(_) | Outcome::Verdict { .. } => {}
        }
    }

    fn outdate_all_but_the_last(&mut self) {
        let last = self.passwords.split_off(self.passwords.len() - 1);
        self.outdated.append(&mut self.passwords);
        self.passwords = last;
    }

    /// Uses a token from two generations ago, as a thief does.
    async fn replay(&mut self, chosen: usize) {
        let held = &self.open[chosen];
        let Some(place_of_old) = held.former.len().checked_sub(2) else { return };
        let (account, session, old) =
            (self.account.clone(), held.tokens.session.clone(), held.former[place_of_old].clone());
        let ask = async |place: &Place| place.refresh(&account, &session, &old).await;
        let outcome = self.caller.insist(ask).await;
        self.take_successor(chosen, outcome);
    }

    async fn try_ended(&mut self) {
        let Some(held) = self.caller.dice.pick(&self.ended).cloned() else { return };
        self.use_ended(&held).await;
    }

    async fn use_ended(&mut self, held: &Held) {
        let (account, Tokens { session, refresh, .. }) = (self.account.clone(), &held.tokens);
        self.caller.insist(async |place| place.refresh(&account, session, refresh).await).await;
    }

    async fn verify_one(&mut self) {
        let ended = self.caller.dice.below(2) == 0 && !self.ended.is_empty();
        let held = self.caller.dice.pick(if ended { &self.ended } else { &self.open }).cloned();
        let Some(Held { tokens, issued, .. }) = held else { return };
        self.caller.place().await.verify(&self.account, &tokens, issued).await;
    }

    /// Once an account: a second mail could come before the first, which a killed replica may keep for minutes.
    async fn reset(&mut self) {
        if std::mem::replace(&mut self.has_reset, true) {
            return;
        }
        let account = self.account.clone();
        let invoked = self.caller.recorder.now();
        self.caller.insist(async |place| place.request_reset(&account).await).await;
        let Some(token) = self.mailed_token().await else { return };
        let answered = self.caller.recorder.now();
        let (op, outcome) = (Op::Mailed { token: token.clone() }, Outcome::Done);
        self.caller.recorder.write(Event { account: account.clone(), op, run: 0, invoked, answered, outcome });
        let to = Text::from(Person::new("owner").password);
        let outcome = self.caller.insist(async |place| place.confirm_reset(&account, &token, &to).await).await;
        self.passwords.push(to);
        if outcome == Outcome::Done {
            self.outdate_all_but_the_last();
            self.end_all_but(None);
        } else {
            // An answer that was lost may have been the good one.
            self.passwords.rotate_right(1);
        }
    }

    async fn mailed_token(&self) -> Option<Text> {
        let look = || {
            let mut mails = self.mail.iter().flat_map(|mailbox| mailbox.to(&self.account));
            mails.find_map(|mail| mail.token(RESET))
        };
        let found = async {
            let mut pause = tokio::time::interval(Duration::from_millis(20));
            loop {
                pause.tick().await;
                if let Some(token) = look() {
                    return token;
                }
            }
        };
        tokio::time::timeout(MAIL_WITHIN, found).await.ok().map(Text::from)
    }

    /// Once every replica serves again: signs in, and uses every token that should work and some that should not.
    pub async fn try_everything(&mut self) {
        self.log_in().await;
        self.log_in_by_an_outdated_password().await;
        for chosen in (0..self.open.len()).rev() {
            self.refresh(chosen).await;
        }
        let last: Vec<Held> = self.ended.iter().rev().take(TRIED).cloned().collect();
        for held in &last {
            self.use_ended(held).await;
        }
    }

    /// Verifies on every replica, once it knows all that was revoked before the moment.
    pub async fn verify_everything(&mut self, quiet: Moment) {
        let ended = self.ended.iter().rev().take(2 * TRIED);
        let all: Vec<Held> = self.open.iter().chain(ended).cloned().collect();
        for place in self.caller.places() {
            for Held { tokens, issued, .. } in &all {
                until("a verdict by all that was revoked", async || {
                    let outcome = place.verify(&self.account, tokens, *issued).await;
                    matches!(outcome, Outcome::Verdict { as_of, .. } if as_of > quiet + ROUNDING)
                })
                .await;
            }
        }
    }
}
