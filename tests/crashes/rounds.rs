//! Round after round: clients work, something is killed and starts again, and what they saw is judged.
//!
//! `KEYSTEAD_CRASH_ROUNDS` and `KEYSTEAD_CRASH_SEED` ask for more rounds, and for others. A seed decides what clients
//! do and when something is killed, not how their calls interleave.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::administrator::{Administrator, List};
use super::caller::Caller;
use super::dice::Dice;
use super::fleet::Fleet;
use super::harness::Backend;
use super::history::{Event, Op, Outcome, Recorder, Text};
use super::judge::Judge;
use super::owner::Owner;
use super::remains::{Accounts, half_done};

const OWNERS: usize = 4;
/// Longer than any round takes, on whatever machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// What is killed in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strike {
    OneReplica,
    EveryReplica,
    Database,
    Everything,
}

const OF_MANY: &[Strike] =
    &[Strike::OneReplica, Strike::Database, Strike::EveryReplica, Strike::OneReplica, Strike::Everything];

/// All that takes part.
struct Play {
    fleet: Fleet,
    recorder: Arc<Recorder>,
    dice: Dice,
    owners: Vec<Owner>,
    administrator: Administrator,
    judge: Judge,
    accounts: Accounts,
    tally: Tally,
}

impl Play {
    async fn begin(backend: Backend, seed: u64) -> Self {
        let (fleet, recorder) = (Fleet::start(backend).await, Arc::<Recorder>::default());
        let (mut dice, list, mail) = (Dice::of(seed), List::default(), Arc::new(fleet.mailboxes()));
        let standing = fleet.standing();
        let mut caller = || Caller::new(Arc::clone(&recorder), dice.split(), standing.clone());
        let owners = (0..OWNERS).map(|_| Owner::new(caller(), Arc::clone(&list), Arc::clone(&mail))).collect();
        let administrator = Administrator::register(caller(), list, &fleet.records().await).await;
        let (judge, accounts, tally) = (Judge::default(), Accounts::default(), Tally::default());
        Self { fleet, recorder, dice, owners, administrator, judge, accounts, tally }
    }

    async fn round(&mut self, strike: Strike) -> Result<(), String> {
        let enough = CancellationToken::new();
        let owners = join_all(self.owners.iter_mut().map(|owner| owner.work(&enough)));
        let struck = async {
            strike.fall(&mut self.fleet, &self.recorder, &mut self.dice).await;
            enough.cancel();
        };
        tokio::join!(owners, self.administrator.work(&enough), struck);
        join_all(self.owners.iter_mut().map(Owner::try_everything)).await;
        let quiet = self.recorder.now();
        join_all(self.owners.iter_mut().map(|owner| owner.verify_everything(quiet))).await;

        let events = self.recorder.take();
        self.tally.count(strike, &events);
        self.accounts.learn(&events);
        self.judge.hear(events, self.fleet.runs(), quiet)?;
        let owners = self.owners.iter().map(|owner| owner.account().clone());
        let in_use: Vec<Text> = owners.chain([self.administrator.account().clone()]).collect();
        self.judge.keep(&in_use);
        self.fleet.forget_mail();
        half_done(&self.fleet.records().await).await
    }
}

impl Strike {
    /// Kills and starts again, each after so many answers.
    async fn fall(self, fleet: &mut Fleet, recorder: &Recorder, dice: &mut Dice) {
        recorder.acknowledges(dice.below(60)).await;
        if matches!(self, Self::Database | Self::Everything) {
            fleet.kill_database();
        }
        match self {
            Self::Database => {}
            Self::OneReplica => {
                let replica = dice.below(fleet.size());
                fleet.kill(replica, recorder).await;
                if fleet.size() > 1 {
                    recorder.acknowledges(dice.below(10)).await;
                }
            }
            Self::EveryReplica | Self::Everything => {
                for replica in 0..fleet.size() {
                    fleet.kill(replica, recorder).await;
                }
            }
        }
        fleet.complete().await;
        recorder.acknowledges(10 + dice.below(20)).await;
    }
}

/// How often what came of what.
#[derive(Default)]
struct Tally {
    strikes: BTreeMap<String, usize>,
    outcomes: BTreeMap<(&'static str, &'static str), usize>,
}

impl Tally {
    fn count(&mut self, strike: Strike, events: &[Event]) {
        *self.strikes.entry(format!("{strike:?}")).or_default() += 1;
        for event in events {
            *self.outcomes.entry((name(&event.op), word(&event.outcome))).or_default() += 1;
        }
    }

    fn print(&self) {
        println!("struck: {:?}", self.strikes);
        let mut total = 0;
        for ((op, outcome), count) in &self.outcomes {
            println!("{op:>16} {outcome:<12} {count:>8}");
            total += count;
        }
        println!("{total:>38} operations");
    }
}

fn name(op: &Op) -> &'static str {
    match op {
        Op::Register { .. } => "Register",
        Op::LogIn { .. } => "Login",
        Op::Refresh { .. } => "Refresh",
        Op::LogOut { .. } => "Logout",
        Op::RevokeSession { .. } => "RevokeSession",
        Op::ChangePassword { .. } => "ChangePassword",
        Op::RequestReset => "RequestReset",
        Op::Mailed { .. } => "(mail read)",
        Op::ConfirmReset { .. } => "ConfirmReset",
        Op::Disable => "DisableUser",
        Op::Enable => "EnableUser",
        Op::Verify { .. } => "VerifyToken",
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Tokens(_) | Outcome::Done => "done",
        Outcome::Refused => "refused",
        Outcome::Verdict { active: true, .. } => "active",
        Outcome::Verdict { active: false, .. } => "revoked",
        Outcome::Declined => "declined",
        Outcome::Unknown { lost: true } => "lost",
        Outcome::Unknown { lost: false } => "unknown",
    }
}

#[expect(clippy::disallowed_methods, reason = "how long to try is said where the tests are run")]
fn asked(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`")),
        Err(_) => otherwise,
    }
}

async fn play(backend: Backend, strikes: &[Strike], rounds: u64) {
    let (rounds, seed) = (asked("KEYSTEAD_CRASH_ROUNDS", rounds), asked("KEYSTEAD_CRASH_SEED", 1));
    println!("{rounds} rounds on {backend:?} by the seed {seed}");
    let mut play = Play::begin(backend, seed).await;
    for (number, strike) in (1..=rounds).zip(strikes.iter().cycle()) {
        let round = tokio::time::timeout(PATIENCE, play.round(*strike)).await;
        let round = round.unwrap_or_else(|_| panic!("seed {seed}, round {number}, {strike:?}: does not end"));
        round.unwrap_or_else(|fault| panic!("seed {seed}, round {number}, {strike:?}: {fault}"));
        println!("round {number}, {strike:?}: {:?} after the start", Duration::from_nanos(play.recorder.now()));
    }
    play.accounts.are_there(&play.fleet.records().await).await;
    play.tally.print();
    let killed = play.fleet.runs().iter().filter(|run| run.killed.is_some()).count();
    println!("{killed} replicas killed; {} accounts acknowledged, and all of them there", play.accounts.acknowledged());
    play.fleet.stop().await;
}

// promises K1, K2, K3, R4, R5, R6, T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_outlives_every_kill_of_two_replicas_and_postgres() {
    play(Backend::OwnPostgresRedis, OF_MANY, 5).await;
}

// promises K1, K2, K3, R5, R6, T8
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_acknowledged_outlives_every_kill_of_one_replica_on_sqlite() {
    play(Backend::Sqlite, &[Strike::OneReplica], 3).await;
}
