//! What lies in the database after a round: nothing that is half done, and every account that was acknowledged.

use std::collections::BTreeSet;

use super::harness::Records;
use super::history::{Event, Op, Outcome, Text};

/// What must not be there, and how to find it. Each is one statement, which sees whole transactions alone, and reads a
/// table once, for the trail has no index that a question by row could use.
const HALF_DONE: &[(&str, &str)] = &[
    (
        "accounts without their role",
        "users u WHERE NOT EXISTS (SELECT 1 FROM user_roles r WHERE r.user_id = u.id AND r.role = 'user')",
    ),
    (
        "accounts that the trail does not tell of",
        "users u WHERE u.id NOT IN (SELECT e.subject FROM audit_events e WHERE e.kind = 'user_created' AND e.outcome = 'success' AND e.subject IS NOT NULL)",
    ),
    (
        "accounts told of that are not there",
        "audit_events e WHERE e.kind = 'user_created' AND e.outcome = 'success' AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = e.subject)",
    ),
    ("sessions without an account", "sessions s WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = s.user_id)"),
    (
        "sessions that the trail does not tell of",
        "sessions s WHERE (s.id, s.user_id) NOT IN (SELECT e.session, e.subject FROM audit_events e WHERE e.kind = 'session_created' AND e.session IS NOT NULL AND e.subject IS NOT NULL)",
    ),
    (
        "sessions told of that are not there",
        "audit_events e WHERE e.kind = 'session_created' AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = e.session)",
    ),
    (
        "ends of sessions that the trail does not tell of",
        "sessions s WHERE s.ended_at IS NOT NULL AND s.id NOT IN (SELECT e.session FROM audit_events e WHERE e.kind = 'session_expired' AND e.session IS NOT NULL)",
    ),
    (
        "ends told of sessions that go on",
        "sessions s WHERE s.ended_at IS NULL AND s.id IN (SELECT e.session FROM audit_events e WHERE e.kind = 'session_expired')",
    ),
    (
        "ended sessions whose tokens nothing revokes",
        "sessions s WHERE s.ended_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM revocations v WHERE v.target = {session} AND v.kind = 'session') AND NOT EXISTS (SELECT 1 FROM revocations v WHERE v.target = {user} AND v.kind = 'user')",
    ),
    (
        "open sessions of disabled accounts",
        "sessions s JOIN users u ON u.id = s.user_id WHERE u.state = 'disabled' AND s.ended_at IS NULL",
    ),
    (
        "accounts that were changed more or less often than the trail tells",
        "users u LEFT JOIN (SELECT subject, count(*) AS told FROM audit_events WHERE outcome = 'success' AND kind IN ('authn_password_change', 'user_disabled') GROUP BY subject) e ON e.subject = u.id WHERE u.epoch <> coalesce(e.told, 0)",
    ),
    (
        "changes of accounts without their revocation",
        "users u WHERE u.epoch > 0 AND NOT EXISTS (SELECT 1 FROM revocations v WHERE v.target = {owner} AND v.kind = 'user' AND v.min_epoch = u.epoch)",
    ),
];

/// Which accounts must be there, and which may be.
#[derive(Default)]
pub struct Accounts {
    acknowledged: BTreeSet<Text>,
    asked_for: BTreeSet<Text>,
}

impl Accounts {
    pub fn learn(&mut self, events: &[Event]) {
        for event in events.iter().filter(|event| matches!(event.op, Op::Register { .. })) {
            self.asked_for.insert(event.account.clone());
            if matches!(event.outcome, Outcome::Tokens(_)) {
                self.acknowledged.insert(event.account.clone());
            }
        }
    }

    pub fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// Fails where one is missing, or one is there that nobody asked for.
    pub async fn are_there(&self, records: &Records) {
        let stored: BTreeSet<Text> =
            records.texts("SELECT email_key FROM users").await.into_iter().map(Text::from).collect();
        let lost: Vec<_> = self.acknowledged.difference(&stored).collect();
        assert!(lost.is_empty(), "acknowledged, and lost: {lost:?}");
        let invented: Vec<_> = stored.difference(&self.asked_for).collect();
        assert!(invented.is_empty(), "nobody asked for {invented:?}");
    }
}

/// Says what lies there that is half done, if anything does.
pub async fn half_done(records: &Records) -> Result<(), String> {
    for (what, from) in HALF_DONE {
        let text = |id: &str| if records.is_sqlite() { sqlite_text(id) } else { format!("{id}::text") };
        let from = from.replace("{session}", &text("s.id")).replace("{user}", &text("s.user_id"));
        let found = records.count(&from.replace("{owner}", &text("u.id"))).await;
        if found > 0 {
            return Err(format!("{found} {what}"));
        }
    }
    Ok(())
}

/// An id as it is written, of the bytes that SQLite keeps.
fn sqlite_text(id: &str) -> String {
    let part = |first, length| format!("substr(lower(hex({id})), {first}, {length})");
    [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)].join(" || '-' || ")
}
