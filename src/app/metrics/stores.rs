//! The database, Redis, and mails on their way.

use super::{Measured, count, flag};
use crate::domain::mail::Backlog;
use crate::telemetry::exposition::Kind::{Counter, Gauge};
use crate::telemetry::exposition::{Page, number};

pub fn tell(page: &mut Page, measured: &Measured, backlog: Option<Backlog>) {
    tell_database(page, measured);
    tell_redis(page, measured);
    tell_mails(page, measured, backlog);
    tell_retention(page, measured);
}

fn tell_database(page: &mut Page, measured: &Measured) {
    let pools = measured.database.pools();
    let help = "Open connections to the database, by pool and by whether somebody uses them.";
    let mut connections = page.family(Gauge, "keystead_database_connections", help);
    for pool in &pools {
        let used = pool.open.saturating_sub(pool.idle);
        connections.sample(&[("pool", pool.name), ("state", "used")], count(used));
        connections.sample(&[("pool", pool.name), ("state", "idle")], count(pool.idle));
    }
    let help = "Connections to the database that may be open at once.";
    let mut most = page.family(Gauge, "keystead_database_connections_max", help);
    for pool in &pools {
        most.sample(&[("pool", pool.name)], count(pool.most));
    }
}

fn tell_redis(page: &mut Page, measured: &Measured) {
    let Some(redis) = &measured.redis else { return };
    let (open, most) = redis.connections();
    let help = "Whether Redis is asked: 1; or left alone because it did not answer: 0.";
    page.gauge("keystead_redis_available", help, flag(!redis.is_degraded()));
    page.gauge("keystead_redis_connections", "Open connections to Redis.", count(open));
    page.gauge("keystead_redis_connections_max", "Connections to Redis that may be open at once.", count(most));
}

fn tell_mails(page: &mut Page, measured: &Measured, backlog: Option<Backlog>) {
    if let Some(Backlog { mails, oldest }) = backlog {
        page.gauge("keystead_outbox_mails", "Mails that wait for delivery.", number(mails));
        let age = oldest.map(|oldest| measured.clock.now().since(oldest).as_secs_f64()).unwrap_or_default();
        page.gauge("keystead_outbox_oldest_mail_age_seconds", "How long the oldest of them has waited.", age);
    }
    let help = "Deliveries of mails by this replica, by what became of them.";
    let mut deliveries = page.family(Counter, "keystead_mail_deliveries_total", help);
    let tally = &measured.mails;
    for (outcome, counter) in
        [("delivered", &tally.delivered), ("postponed", &tally.postponed), ("given_up", &tally.given_up)]
    {
        deliveries.sample(&[("outcome", outcome)], number(counter.get()));
    }
}

fn tell_retention(page: &mut Page, measured: &Measured) {
    let help = "Rows that this replica has removed because they had had their time, by their kind.";
    let mut removed = page.family(Counter, "keystead_retention_rows_total", help);
    for (what, rows) in measured.purged.rows() {
        removed.sample(&[("kind", what.word())], number(rows));
    }
    let help = "Time since nothing that had had its time was left over.";
    let age = measured.purged.age(measured.clock.monotonic()).as_secs_f64();
    page.gauge("keystead_retention_age_seconds", help, age);
}
