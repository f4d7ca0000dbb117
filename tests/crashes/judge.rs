//! Holds a history against the promises, round by round.

use std::collections::BTreeMap;

use super::account::{Account, Possible};
use super::history::{Event, Moment, Outcome, Text};
use super::order::{self, Unexplained};
use super::verdicts;

#[cfg(test)]
mod tests;

/// A run of a replica, from its start to its end.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub killed: Option<Moment>,
}

/// What is known of each account after the rounds so far.
#[derive(Default)]
pub struct Judge {
    accounts: BTreeMap<Text, Known>,
}

struct Known {
    possible: Possible,
    events: Vec<Event>,
}

impl Default for Known {
    fn default() -> Self {
        Self { possible: Possible::from([Account::default()]), events: Vec::new() }
    }
}

impl Judge {
    /// Takes the events of a round, at whose end every replica serves and nothing is under way any more. Whoever
    /// verified since the moment `quiet` asked nothing but that.
    pub fn hear(&mut self, events: Vec<Event>, runs: &[Run], quiet: Moment) -> Result<(), String> {
        if let Some(event) = events.iter().find(|event| is_lost_for_nothing(event, runs)) {
            return Err(format!("an answer was lost, and no replica was killed for it: {event:?}"));
        }
        for (account, events) in by_account(events) {
            self.accounts.entry(account).or_default().hear(events, quiet)?;
        }
        Ok(())
    }

    /// Forgets all accounts but these: of the others nothing is asked any more.
    pub fn keep(&mut self, accounts: &[Text]) {
        self.accounts.retain(|account, _| accounts.contains(account));
    }
}

impl Known {
    fn hear(&mut self, events: Vec<Event>, quiet: Moment) -> Result<(), String> {
        self.possible = order::explain(&self.possible, &events).map_err(|unexplained| told(&unexplained, &events))?;
        let since = self.events.len();
        self.events.extend(events);
        if let Some(contradiction) = verdicts::contradiction(&self.events) {
            return Err(contradiction);
        }
        let has_ended = |session: &Text| self.possible.iter().all(|account| account.has_ended(session));
        match verdicts::outlived(&self.events[since..], quiet, has_ended) {
            Some(event) => Err(format!("an access token works whose session has ended: {event:?}")),
            None => Ok(()),
        }
    }
}

/// Only who was killed may leave a call without an answer.
fn is_lost_for_nothing(event: &Event, runs: &[Run]) -> bool {
    let killed = runs[event.run].killed;
    event.outcome == Outcome::Unknown { lost: true } && killed.is_none_or(|killed| killed > event.answered)
}

fn by_account(events: Vec<Event>) -> BTreeMap<Text, Vec<Event>> {
    let mut accounts = BTreeMap::<Text, Vec<Event>>::new();
    for event in events {
        accounts.entry(event.account.clone()).or_default().push(event);
    }
    accounts
}

fn told(unexplained: &Unexplained, events: &[Event]) -> String {
    let mut before: Vec<&Event> =
        events.iter().filter(|event| event.invoked <= unexplained.event.answered && !is_verdict(event)).collect();
    before.sort_by_key(|event| event.invoked);
    let lines: Vec<String> = before.iter().map(|event| format!("{event:?}")).collect();
    let Unexplained { event, possible } = unexplained;
    format!("no order explains {event:?}\non {possible:#?}\nafter\n{}", lines.join("\n"))
}

fn is_verdict(event: &Event) -> bool {
    matches!(event.outcome, Outcome::Verdict { .. })
}
