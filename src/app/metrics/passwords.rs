//! Hashing, and attempts that were refused.

use super::{Measured, count};
use crate::telemetry::exposition::Kind::{Counter, Histogram};
use crate::telemetry::exposition::{Page, number};

pub fn tell(page: &mut Page, measured: &Measured) {
    let load = measured.hasher.load();
    let threads = "Threads that hash passwords.";
    page.gauge("keystead_password_hash_threads", threads, count(load.threads));
    let places = "Passwords that may be hashed or wait at once.";
    page.gauge("keystead_password_hash_places", places, count(load.places));
    let taken = "Places that are reserved, wait or are being hashed.";
    page.gauge("keystead_password_hash_places_taken", taken, count(load.taken));
    page.gauge("keystead_password_hash_waiting", "Passwords that wait for a thread.", count(load.waiting));
    let refused = "Requests refused because their password would not have been hashed in time.";
    page.counter("keystead_password_hash_refusals_total", refused, load.refused);
    let help = "Time that a thread took to hash one password.";
    let seen = &load.durations;
    page.family(Histogram, "keystead_password_hash_duration_seconds", help).histogram(
        &[],
        &seen.buckets,
        seen.count,
        seen.sum,
    );
    let help = "Attempts refused, by the limit that refused them.";
    let mut refusals = page.family(Counter, "keystead_throttle_refusals_total", help);
    for (limit, seen) in measured.guard.refusals() {
        refusals.sample(&[("limit", limit)], number(seen));
    }
}
