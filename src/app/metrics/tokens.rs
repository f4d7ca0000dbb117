//! What tokens are judged and signed by.

use super::{Measured, count};
use crate::telemetry::exposition::{Page, number};

pub fn tell(page: &mut Page, measured: &Measured) {
    tell_remembered(page, measured);
    tell_revocations(page, measured);
    tell_keys(page, measured);
}

fn tell_remembered(page: &mut Page, measured: &Measured) {
    let seen = measured.verify_token.remembered();
    let tokens = "Tokens whose signature has been checked and is remembered.";
    page.gauge("keystead_verified_tokens", tokens, number(seen.tokens));
    page.gauge("keystead_verified_tokens_bytes", "Memory that they take, about.", number(seen.bytes));
    let hits = "Verifications of a token that was remembered.";
    page.counter("keystead_verified_tokens_hits_total", hits, seen.hits);
    let misses = "Verifications of a token that was not.";
    page.counter("keystead_verified_tokens_misses_total", misses, seen.misses);
}

fn tell_revocations(page: &mut Page, measured: &Measured) {
    let revocations = &measured.revocations;
    page.gauge("keystead_revocations", "Live revocations in memory.", count(revocations.index().count()));
    if let Some(age) = revocations.age() {
        let help = "Time since every revocation was known.";
        page.gauge("keystead_revocation_state_age_seconds", help, age.as_secs_f64());
    }
    let help = "The age beyond which no token is judged.";
    let most = revocations.max_staleness().as_secs_f64();
    page.gauge("keystead_revocation_state_age_max_seconds", help, most);
}

fn tell_keys(page: &mut Page, measured: &Measured) {
    let (keys, settings) = (&measured.keys, &measured.key_settings);
    let age = measured.clock.now().since(keys.ring().signing_since()).as_secs_f64();
    page.gauge("keystead_signing_key_age_seconds", "How long the signing key has been signing.", age);
    let period = settings.rotation_period.as_secs_f64();
    page.gauge(
        "keystead_signing_key_rotation_period_seconds",
        "How long a key signs before the next takes over.",
        period,
    );
    let age = keys.age().as_secs_f64();
    page.gauge("keystead_key_ring_age_seconds", "Time since the key ring was the newest.", age);
    let most = settings.publish_lead().as_secs_f64();
    page.gauge("keystead_key_ring_age_max_seconds", "The age beyond which nothing is signed.", most);
}
