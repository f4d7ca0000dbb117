//! Judges what VerifyToken said: nothing revoked is active, and nothing is revoked that nobody touched.
//!
//! A revocation counts at once on the replica that acknowledged it. Another one says with each verdict as of when it
//! knows every revocation, and gives none when that is too long ago: both are held against it, so that no verdict
//! depends on how fast the machine is.

use super::history::{Event, Moment, Op, Outcome, Text};

/// What `revocation.max_staleness` is set to: an older state of revocations may not be judged by.
pub const MAX_STALENESS: Moment = 2_000_000_000;
/// `as_of` is told in whole milliseconds, of the wall clock.
pub const ROUNDING: Moment = 2_000_000;

/// A verdict on a token.
struct Verdict<'a> {
    event: &'a Event,
    session: &'a Text,
    issued: Moment,
    active: bool,
    as_of: Moment,
}

/// The first verdict that cannot be, with why. `events` are all of one account.
pub fn contradiction(events: &[Event]) -> Option<String> {
    events.iter().filter_map(verdict).find_map(|verdict| {
        if verdict.active {
            let known = events.iter().find(|event| ends(event, &verdict) && is_known(event, &verdict))?;
            Some(format!("an access token works that was revoked: {:?}\nrevoked by {known:?}", verdict.event))
        } else if events.iter().any(|event| may_end(event, &verdict)) {
            None
        } else {
            Some(format!("an access token was revoked by nobody: {:?}", verdict.event))
        }
    })
}

/// The first active verdict, made when everything before `quiet` was known, on a token of a session that has ended.
pub fn outlived(events: &[Event], quiet: Moment, has_ended: impl Fn(&Text) -> bool) -> Option<&Event> {
    let lies = |verdict: &Verdict<'_>| verdict.active && verdict.as_of > quiet + ROUNDING && has_ended(verdict.session);
    events.iter().filter_map(verdict).find(lies).map(|verdict| verdict.event)
}

fn verdict(event: &Event) -> Option<Verdict<'_>> {
    let (Op::Verify { session, issued, .. }, Outcome::Verdict { active, as_of }) = (&event.op, &event.outcome) else {
        return None;
    };
    Some(Verdict { event, session, issued: *issued, active: *active, as_of: *as_of })
}

/// Whether the token is revoked since the event was acknowledged.
fn ends(event: &Event, verdict: &Verdict<'_>) -> bool {
    let is_older = verdict.issued < event.invoked;
    match (&event.op, &event.outcome) {
        (Op::LogOut { session, .. } | Op::RevokeSession { session }, Outcome::Done) => session == verdict.session,
        (Op::ChangePassword { .. } | Op::ConfirmReset { .. } | Op::Disable, Outcome::Done) => is_older,
        _ => false,
    }
}

fn is_known(event: &Event, verdict: &Verdict<'_>) -> bool {
    let asked = verdict.event;
    event.answered < asked.invoked && event.run == asked.run
        || event.answered + ROUNDING < verdict.as_of
        || event.answered + MAX_STALENESS + ROUNDING < asked.invoked
}

/// Whether the event may have revoked the token by the time of the verdict.
fn may_end(event: &Event, verdict: &Verdict<'_>) -> bool {
    let is_possible = match &event.outcome {
        Outcome::Done | Outcome::Unknown { .. } => true,
        // A replay is refused, and ends its session all the same.
        Outcome::Refused => matches!(event.op, Op::Refresh { .. }),
        Outcome::Tokens(_) | Outcome::Verdict { .. } | Outcome::Declined => false,
    };
    let is_meant = match &event.op {
        Op::LogOut { session, everywhere, .. } => *everywhere || session == verdict.session,
        Op::RevokeSession { session } | Op::Refresh { session, .. } => session == verdict.session,
        Op::ChangePassword { .. } | Op::ConfirmReset { .. } | Op::Disable => true,
        Op::Register { .. }
        | Op::LogIn { .. }
        | Op::RequestReset
        | Op::Mailed { .. }
        | Op::Enable
        | Op::Verify { .. } => false,
    };
    is_possible && is_meant && event.invoked <= verdict.event.answered
}
