//! V4: what verification costs in a caller's own process.

use std::hint::black_box;

use anyhow::{Result, ensure};
use keystead_client::Outcome;
use tokio::time::Instant;

use crate::Found;
use crate::api;
use crate::keystead::Installation;
use crate::report::{Figure, Target};
use crate::verification::{micros, raw_signature_check};

pub async fn measure() -> Result<Found> {
    const SEEN: u32 = 200_000;
    const NEW: usize = 1_000;
    let installation = Installation::sqlite()?;
    let keystead = installation.start().await?;
    let client = api::following(&keystead, api::service_account(&installation, &keystead).await?).await?;
    let mut sessions = api::register_all(&keystead, 8).await?;
    let tokens = api::fresh_tokens(&keystead, &mut sessions, NEW * 3).await?;
    let expected = client.expectations();
    let (mut seen, mut unseen) = (Vec::new(), Vec::new());
    for tokens in tokens.chunks(NEW) {
        let begun = Instant::now();
        for token in tokens {
            let outcome = client.verify(black_box(token), &expected).await;
            ensure!(matches!(outcome, Outcome::Active(_)), "a good token");
        }
        unseen.push((micros(begun.elapsed()) / f64::from(u32::try_from(NEW)?), raw_signature_check()?));
        let begun = Instant::now();
        for _ in 0..SEEN {
            let outcome = client.verify(black_box(&tokens[0]), &expected).await;
            ensure!(matches!(black_box(outcome), Outcome::Active(_)), "a good token");
        }
        seen.push(micros(begun.elapsed()) / f64::from(SEEN));
    }
    let what = "the client crate, a token never seen, against a raw ES256 check";
    let figures = vec![
        Figure::at_most("V4", "the client crate, a token seen before", "us", 2.0, &seen),
        Figure { id: "V4", what, unit: "us", target: Target::AtMost(1.2), rounds: unseen },
    ];
    Ok(Found { figures, plots: Vec::new() })
}
