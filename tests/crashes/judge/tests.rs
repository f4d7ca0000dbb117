//! Histories by hand: each good one passes, and each bad one is refused for what is bad about it.

use super::{Judge, Run};
use crate::history::{Event, Moment, Op, Outcome, Text, Tokens};
use crate::verdicts::MAX_STALENESS;

const MILLISECOND: Moment = 1_000_000;
/// After everything in a history.
const NEVER: Moment = Moment::MAX / 2;

/// Writes a history of one account, an operation each ten milliseconds.
#[derive(Default)]
struct Book {
    events: Vec<Event>,
    now: Moment,
}

fn text(text: &str) -> Text {
    text.into()
}

fn tokens(session: &str, refresh: &str) -> Outcome {
    Outcome::Tokens(Tokens { session: text(session), refresh: text(refresh), access: text("access") })
}

const LOST: Outcome = Outcome::Unknown { lost: true };
const UNSAID: Outcome = Outcome::Unknown { lost: false };

fn register(password: &str) -> Op {
    Op::Register { password: text(password) }
}

fn log_in(password: &str) -> Op {
    Op::LogIn { password: text(password) }
}

fn refresh(session: &str, presented: &str) -> Op {
    Op::Refresh { session: text(session), presented: text(presented) }
}

fn log_out(session: &str, presented: &str) -> Op {
    Op::LogOut { session: text(session), presented: text(presented), everywhere: false }
}

fn log_out_everywhere(session: &str, presented: &str) -> Op {
    Op::LogOut { session: text(session), presented: text(presented), everywhere: true }
}

fn revoke(session: &str) -> Op {
    Op::RevokeSession { session: text(session) }
}

fn change(by: &str, from: &str, to: &str) -> Op {
    Op::ChangePassword { by: text(by), from: text(from), to: text(to) }
}

fn mailed(token: &str) -> Op {
    Op::Mailed { token: text(token) }
}

fn reset(token: &str, to: &str) -> Op {
    Op::ConfirmReset { token: text(token), to: text(to) }
}

impl Book {
    /// An account with the password `p0` and a session `s0`, whose token is `a0`.
    fn begun() -> Self {
        Self::default().then(register("p0"), tokens("s0", "a0"))
    }

    /// One more operation, after all the others.
    fn then(self, op: Op, outcome: Outcome) -> Self {
        self.on(0, op, outcome)
    }

    fn on(mut self, run: usize, op: Op, outcome: Outcome) -> Self {
        let invoked = self.now;
        self.now += 10 * MILLISECOND;
        let answered = invoked + 5 * MILLISECOND;
        self.events.push(Event { account: text("ada"), op, run, invoked, answered, outcome });
        self
    }

    /// One more, called just when the last one was.
    fn beside(mut self, op: Op, outcome: Outcome) -> Self {
        let last = self.events.last().expect("an operation").clone();
        self.events.push(Event { op, outcome, ..last });
        self
    }

    fn later(mut self, span: Moment) -> Self {
        self.now += span;
        self
    }

    /// A verdict on the token that the answer `issued` gave, by a state of revocations so old.
    fn verdict(self, run: usize, issued: usize, active: bool, age: Moment) -> Self {
        let first = &self.events[issued];
        let Outcome::Tokens(given) = &first.outcome else { panic!("{first:?} gave nothing") };
        let op = Op::Verify { session: given.session.clone(), access: given.access.clone(), issued: first.answered };
        let as_of = self.now.saturating_sub(age);
        self.on(run, op, Outcome::Verdict { active, as_of })
    }

    fn judged_when_quiet_since(self, quiet: Moment) -> Result<(), String> {
        let runs = [Run { killed: Some(0) }, Run { killed: None }];
        Judge::default().hear(self.events, &runs, quiet)
    }

    fn judged(self) -> Result<(), String> {
        self.judged_when_quiet_since(NEVER)
    }

    #[track_caller]
    fn passes(self) {
        assert_eq!(self.judged(), Ok(()));
    }

    #[track_caller]
    fn fails(self, why: &str) {
        let fault = self.judged().expect_err("a fault");
        assert!(fault.starts_with(why), "{fault}");
    }

    /// The last operation has an outcome that nothing explains.
    #[track_caller]
    fn ends_unexplained(self) {
        let last = format!("no order explains {:?}", self.events.last().expect("an operation"));
        self.fails(&last);
    }
}

#[test]
fn an_ordinary_life_is_explained() {
    Book::begun()
        .then(register("p1"), Outcome::Refused)
        .then(log_in("p1"), Outcome::Refused)
        .then(log_in("p0"), tokens("s1", "b0"))
        .then(refresh("s1", "b0"), tokens("s1", "b1"))
        .then(change("s1", "p0", "p1"), Outcome::Done)
        .then(refresh("s0", "a0"), Outcome::Refused)
        .then(refresh("s1", "b1"), tokens("s1", "b2"))
        .then(log_in("p0"), Outcome::Refused)
        .then(log_in("p1"), tokens("s2", "c0"))
        .then(revoke("s1"), Outcome::Done)
        .then(revoke("s1"), Outcome::Refused)
        .then(Op::Disable, Outcome::Done)
        .then(log_in("p1"), Outcome::Refused)
        .then(refresh("s2", "c0"), Outcome::Refused)
        .then(Op::Enable, Outcome::Done)
        .then(log_in("p1"), tokens("s3", "d0"))
        .then(log_out("s3", "d0"), Outcome::Done)
        .then(refresh("s3", "d0"), Outcome::Refused)
        .then(mailed("m"), Outcome::Done)
        .then(reset("m", "p2"), Outcome::Done)
        .then(reset("m", "p3"), Outcome::Refused)
        .then(log_in("p2"), tokens("s4", "e0"))
        .passes();
}

#[test]
fn an_acknowledged_account_cannot_be_lost() {
    Book::begun().then(log_in("p0"), Outcome::Refused).ends_unexplained();
    Book::begun().then(register("p1"), tokens("s1", "b0")).ends_unexplained();
}

#[test]
fn an_acknowledged_session_cannot_be_lost() {
    Book::begun().then(refresh("s0", "a0"), Outcome::Refused).ends_unexplained();
    Book::begun().then(log_in("p0"), tokens("s1", "b0")).then(revoke("s1"), Outcome::Refused).ends_unexplained();
}

#[test]
fn an_acknowledged_successor_cannot_be_lost() {
    let rotated = || Book::begun().then(refresh("s0", "a0"), tokens("s0", "a1"));
    rotated().then(refresh("s0", "a1"), tokens("s0", "a2")).passes();
    rotated().then(refresh("s0", "a1"), Outcome::Refused).ends_unexplained();
}

#[test]
fn an_acknowledged_change_of_password_cannot_be_lost() {
    let changed = || Book::begun().then(change("s0", "p0", "p1"), Outcome::Done);
    changed().then(log_in("p0"), tokens("s1", "b0")).ends_unexplained();
    changed().then(log_in("p1"), Outcome::Refused).ends_unexplained();
    let reset = || Book::begun().then(mailed("m"), Outcome::Done).then(reset("m", "p1"), Outcome::Done);
    reset().then(log_in("p0"), tokens("s1", "b0")).ends_unexplained();
    reset().then(log_in("p1"), Outcome::Refused).ends_unexplained();
}

#[test]
fn no_session_that_was_ended_can_be_refreshed() {
    let two = || Book::begun().then(log_in("p0"), tokens("s1", "b0"));
    let enders =
        [log_out("s0", "a0"), log_out_everywhere("s1", "b0"), revoke("s0"), change("s1", "p0", "p1"), Op::Disable];
    for ender in enders {
        let ended = || two().then(ender.clone(), Outcome::Done);
        ended().then(refresh("s0", "a0"), Outcome::Refused).passes();
        ended().then(refresh("s0", "a0"), tokens("s0", "a1")).ends_unexplained();
    }
    let reset = two().then(mailed("m"), Outcome::Done).then(reset("m", "p1"), Outcome::Done);
    reset.then(refresh("s1", "b0"), tokens("s1", "b1")).ends_unexplained();
}

#[test]
fn a_disabled_account_stays_disabled_until_it_is_enabled() {
    let disabled = || Book::begun().then(Op::Disable, Outcome::Done);
    disabled().then(log_in("p0"), tokens("s1", "b0")).ends_unexplained();
    disabled().then(Op::Enable, Outcome::Done).then(log_in("p0"), Outcome::Refused).ends_unexplained();
    disabled().then(Op::Enable, Outcome::Done).then(refresh("s0", "a0"), tokens("s0", "a1")).ends_unexplained();
}

#[test]
fn a_mailed_token_works_once() {
    let used = || Book::begun().then(mailed("m"), Outcome::Done).then(reset("m", "p1"), Outcome::Done);
    used().then(reset("m", "p2"), Outcome::Done).ends_unexplained();
    Book::begun().then(mailed("m"), Outcome::Done).then(reset("m", "p1"), Outcome::Refused).ends_unexplained();
}

#[test]
fn one_request_has_one_successor_however_often_it_is_answered() {
    let twice = |second| {
        Book::begun().then(refresh("s0", "a0"), tokens("s0", "a1")).then(refresh("s0", "a0"), tokens("s0", second))
    };
    twice("a1").then(refresh("s0", "a1"), tokens("s0", "a2")).passes();
    twice("a2").ends_unexplained();
    let at_once = |second| {
        Book::begun().then(refresh("s0", "a0"), tokens("s0", "a1")).beside(refresh("s0", "a0"), tokens("s0", second))
    };
    at_once("a1").passes();
    at_once("a2").fails("no order explains");
}

#[test]
fn a_lost_answer_is_given_again() {
    let lost = || Book::begun().then(refresh("s0", "a0"), LOST);
    lost().then(refresh("s0", "a0"), tokens("s0", "a1")).then(refresh("s0", "a1"), tokens("s0", "a2")).passes();
    lost().then(refresh("s0", "a0"), Outcome::Refused).ends_unexplained();
}

#[test]
fn a_token_is_never_its_own_successor() {
    Book::begun().then(refresh("s0", "a0"), tokens("s0", "a0")).ends_unexplained();
}

#[test]
fn a_replay_is_refused_and_ends_its_session() {
    let old =
        || Book::begun().then(refresh("s0", "a0"), tokens("s0", "a1")).then(refresh("s0", "a1"), tokens("s0", "a2"));
    old().then(refresh("s0", "a0"), tokens("s0", "a2")).ends_unexplained();
    let replayed = || old().then(refresh("s0", "a0"), Outcome::Refused);
    replayed().then(refresh("s0", "a2"), Outcome::Refused).passes();
    replayed().then(refresh("s0", "a2"), tokens("s0", "a3")).ends_unexplained();
}

#[test]
fn what_nobody_heard_of_happened_wholly_or_not_at_all() {
    for unknown in [LOST, UNSAID] {
        let lost =
            || Book::begun().then(log_in("p0"), tokens("s1", "b0")).then(change("s1", "p0", "p1"), unknown.clone());
        lost().then(log_in("p1"), tokens("s2", "c0")).then(refresh("s0", "a0"), Outcome::Refused).passes();
        lost().then(log_in("p0"), tokens("s2", "c0")).then(refresh("s0", "a0"), tokens("s0", "a1")).passes();
        // The new password, and the sessions that it should have ended.
        lost().then(log_in("p1"), tokens("s2", "c0")).then(refresh("s0", "a0"), tokens("s0", "a1")).ends_unexplained();
        // Their end, and the old password.
        lost().then(refresh("s0", "a0"), Outcome::Refused).then(log_in("p0"), tokens("s2", "c0")).ends_unexplained();
    }
}

#[test]
fn what_was_seen_once_is_not_undone() {
    let seen = || Book::begun().then(change("s0", "p0", "p1"), LOST).then(log_in("p1"), tokens("s1", "b0"));
    seen().then(log_in("p0"), tokens("s2", "c0")).ends_unexplained();
}

#[test]
fn operations_at_once_happen_in_some_order_and_no_other() {
    let at_once = |first, second| Book::begun().then(log_in("p0"), first).beside(Op::Disable, second);
    at_once(tokens("s1", "b0"), Outcome::Done).passes();
    at_once(Outcome::Refused, Outcome::Done).passes();
    at_once(tokens("s1", "b0"), Outcome::Done).then(refresh("s1", "b0"), tokens("s1", "b1")).ends_unexplained();
}

#[test]
fn what_was_declined_was_not_done() {
    let declined = || Book::begun().then(change("s0", "p0", "p1"), Outcome::Declined);
    declined().then(log_in("p0"), tokens("s1", "b0")).passes();
    declined().then(log_in("p1"), tokens("s1", "b0")).ends_unexplained();
}

#[test]
fn an_account_is_remembered_from_round_to_round() {
    let runs = [Run { killed: None }];
    let mut judge = Judge::default();
    judge.hear(Book::begun().events, &runs, NEVER).expect("a good round");
    let second = Book::default().then(refresh("s0", "a0"), Outcome::Refused).events;
    judge.hear(second, &runs, NEVER).expect_err("the session was lost between the rounds");
}

#[test]
fn no_revoked_token_is_active_where_it_was_revoked() {
    let enders = [log_out("s0", "a0"), revoke("s0"), change("s0", "p0", "p1"), Op::Disable];
    for ender in enders {
        let ended = || Book::begun().then(ender.clone(), Outcome::Done);
        ended().verdict(0, 0, false, 0).passes();
        ended().verdict(0, 0, true, 400 * MILLISECOND).fails("an access token works that was revoked");
    }
}

#[test]
fn another_replica_may_be_late_but_not_when_it_says_that_it_knows() {
    let ended = || Book::begun().then(log_out("s0", "a0"), Outcome::Done);
    ended().verdict(1, 0, true, 400 * MILLISECOND).passes();
    ended().later(10 * MILLISECOND).verdict(1, 0, true, 0).fails("an access token works that was revoked");
}

#[test]
fn no_replica_is_later_than_the_bound() {
    let ended = |age| {
        Book::begun().then(log_out("s0", "a0"), Outcome::Done).later(age).verdict(1, 0, true, age + 10 * MILLISECOND)
    };
    ended(MAX_STALENESS / 2).passes();
    ended(MAX_STALENESS * 2).fails("an access token works that was revoked");
}

#[test]
fn a_token_from_after_a_change_of_password_is_not_meant_by_it() {
    let changed = Book::begun().then(change("s0", "p0", "p1"), Outcome::Done).then(log_in("p1"), tokens("s1", "b0"));
    changed.verdict(0, 2, true, 0).passes();
}

#[test]
fn nothing_is_revoked_that_nobody_touched() {
    let fault = "an access token was revoked by nobody";
    Book::begun().verdict(0, 0, false, 0).fails(fault);
    Book::begun()
        .then(log_in("p0"), tokens("s1", "b0"))
        .then(revoke("s1"), Outcome::Done)
        .verdict(0, 0, false, 0)
        .fails(fault);
    Book::begun().then(change("s0", "p1", "p2"), Outcome::Refused).verdict(0, 0, false, 0).fails(fault);
    Book::begun().then(Op::Disable, LOST).verdict(0, 0, false, 0).passes();
}

#[test]
fn when_all_is_quiet_no_ended_session_has_an_active_token() {
    let ended =
        || Book::begun().then(log_in("p0"), tokens("s1", "b0")).then(log_out_everywhere("s1", "b0"), Outcome::Done);
    let quiet = ended().now;
    let later = || ended().later(10 * MILLISECOND);
    let fault = later().verdict(1, 0, true, 0).judged_when_quiet_since(quiet).expect_err("a fault");
    assert!(fault.starts_with("an access token works whose session has ended"), "{fault}");
    assert_eq!(later().verdict(1, 0, true, 400 * MILLISECOND).judged_when_quiet_since(quiet), Ok(()));
    assert_eq!(later().verdict(1, 0, false, 0).judged_when_quiet_since(quiet), Ok(()));
}

#[test]
fn only_a_killed_replica_loses_answers() {
    Book::begun().on(0, log_in("p0"), LOST).passes();
    Book::begun().on(1, log_in("p0"), LOST).fails("an answer was lost");
    Book::begun().on(1, log_in("p0"), UNSAID).passes();
}
