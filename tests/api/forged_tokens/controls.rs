//! Tokens that are good though the service has not issued them: signed with its key, faultless in content.

use keystead::grpc::pb::TokenStatus::Active;
use serde_json::json;

use super::{Forgery, Workshop};

/// The longest token that is judged at all.
pub const MAX_BYTES: usize = 8 * 1024;

pub fn table(workshop: &Workshop) -> Vec<Forgery> {
    let Workshop { good, key, .. } = workshop;
    vec![
        Forgery::new("the token itself", workshop.token.clone(), Active),
        Forgery::new("the same, signed anew", key.compact(good.clone()), Active),
        Forgery::new("one audience as a string", key.compact(good.clone().claim("aud", json!("keystead"))), Active),
        Forgery::new("a claim that nobody knows", key.compact(good.clone().claim("x", json!({"y": [1]}))), Active),
        Forgery::new("a parameter that nobody knows", key.compact(good.clone().header("x", json!(1.5))), Active),
        Forgery::new("just 8 KiB", of_length(workshop, MAX_BYTES), Active),
    ]
}

/// A good token of exactly so many bytes.
pub fn of_length(workshop: &Workshop, length: usize) -> String {
    let filled = |header: usize, payload: usize| {
        let jwt = workshop.good.clone().header("x", json!("x".repeat(header)));
        workshop.key.compact(jwt.claim("x", json!("x".repeat(payload))))
    };
    let missing = length - filled(0, 0).len();
    // Base64 grows in uneven steps; a little more or less in the header evens them out.
    let payloads = (missing * 3 / 4).saturating_sub(6)..=missing * 3 / 4;
    let fitting = payloads.flat_map(|payload| (0..4).map(move |header| (header, payload)));
    let mut tokens = fitting.map(|(header, payload)| filled(header, payload));
    tokens.find(|token| token.len() == length).expect("a token of the length")
}
