//! L1 to L3: what passwords cost, and whom.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tonic::Code;

use crate::Found;
use crate::api::{self, Caller};
use crate::h2load::{Load, Outcome};
use crate::keystead::{Installation, Keystead, PASSWORD};
use crate::load::{Done, closed_loop};
use crate::plot::{Plot, Series};
use crate::report::{Figure, Target, percentile};
use crate::verification::VERIFY;

const PEOPLE: usize = 64;
const FLOOD: usize = 16;
const ROUNDS: usize = 3;
const SPAN: Duration = Duration::from_secs(5);
/// RFC 9106 and the defaults of `passwords`: KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// L1.
pub async fn saturation() -> Result<Found> {
    let keystead = Installation::sqlite()?.start().await?;
    api::register_all(&keystead, PEOPLE).await?;
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let logins = flood_for(&keystead, SPAN).await?.rate();
        rounds.push((logins, raw_hashes().await?));
    }
    let what = "logins, against raw Argon2id with kept memory on as many threads";
    let figure = Figure { id: "L1", what, unit: "/s", target: Target::AtLeast(0.95), rounds };
    Ok(Found { figures: vec![figure], plots: Vec::new() })
}

/// L2.
pub async fn flood() -> Result<Found> {
    let keystead = Installation::sqlite()?.start().await?;
    let tokens = api::register_all(&keystead, PEOPLE).await?;
    let question = api::question(&tokens[0].access_token);
    let paced = Load::closed(keystead.grpc, VERIFY, &question, (4, 1)).at_rate(50);
    let closed = Load::closed(keystead.grpc, VERIFY, &question, (4, 1));
    let mut found = Flooded::default();
    for _ in 0..ROUNDS {
        found.idle.push(paced.run_with_latencies().await?);
        found.idle_closed.push(closed.run_with_latencies().await?);
        found.alone.push(flood_for(&keystead, SPAN).await?.rate());
        let (logins, load) = tokio::join!(flood_for(&keystead, SPAN), paced.run_with_latencies());
        found.paced.push(load?);
        found.logins_beside_paced.push(logins?.rate());
        let (logins, load) = tokio::join!(flood_for(&keystead, SPAN), closed.run_with_latencies());
        found.closed.push(load?);
        found.logins_beside_closed.push(logins?.rate());
    }
    Ok(Found { figures: found.figures(), plots: vec![found.plot()] })
}

#[derive(Default)]
struct Flooded {
    idle: Vec<Outcome>,
    idle_closed: Vec<Outcome>,
    alone: Vec<f64>,
    paced: Vec<Outcome>,
    closed: Vec<Outcome>,
    logins_beside_paced: Vec<f64>,
    logins_beside_closed: Vec<f64>,
}

impl Flooded {
    fn figures(&self) -> Vec<Figure> {
        let p99 = |outcomes: &[Outcome]| outcomes.iter().map(Outcome::p99).collect::<Vec<_>>();
        let rate = |outcomes: &[Outcome]| outcomes.iter().map(|outcome| outcome.rate).collect::<Vec<_>>();
        let pairs = |a: &[f64], b: &[f64]| a.iter().copied().zip(b.iter().copied()).collect::<Vec<_>>();
        let against = |what, unit, target, figure: &[f64], limit: &[f64]| Figure {
            id: "L2",
            what,
            unit,
            target,
            rounds: pairs(figure, limit),
        };
        let (most, least) = (Target::AtMost(1.5), Target::AtLeast(0.84));
        vec![
            Figure::at_most("L2", "p99 of VerifyToken at 200/s in a login flood", "ms", 1.0, &p99(&self.paced)),
            against("the same against idle", "ms", most, &p99(&self.paced), &p99(&self.idle)),
            Figure::at_most("L2", "p99 of VerifyToken on 4 connections in the flood", "ms", 1.0, &p99(&self.closed)),
            against("the same against idle", "ms", most, &p99(&self.closed), &p99(&self.idle_closed)),
            against(
                "VerifyToken on 4 connections in the flood",
                "/s",
                least,
                &rate(&self.closed),
                &rate(&self.idle_closed),
            ),
            against("logins beside 200/s", "/s", Target::AtLeast(0.9), &self.logins_beside_paced, &self.alone),
            against("logins beside 4 connections", "/s", Target::AtLeast(0.9), &self.logins_beside_closed, &self.alone),
        ]
    }

    fn plot(&self) -> Plot {
        let line = |name: &str, outcomes: &[Outcome]| {
            let latencies = outcomes.first().map(|outcome| outcome.latencies.as_slice()).unwrap_or_default();
            // The axis is logarithmic: one call in so many is slower.
            let points = [2.0, 4.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];
            let points = points.map(|one_in: f64| (one_in, percentile(latencies, 1.0 - 1.0 / one_in))).to_vec();
            Series { name: name.to_owned(), points }
        };
        Plot {
            file: "flood.svg",
            title: "Latency of VerifyToken at 200 a second, idle and in a flood of logins",
            across: "one call in so many takes longer",
            upwards: "milliseconds",
            series: vec![line("idle", &self.idle), line("16 clients sign in", &self.paced)],
        }
    }
}

/// L3.
pub async fn overload() -> Result<Found> {
    let keystead = Installation::sqlite()?.start().await?;
    let base = keystead.usage()?.resident;
    api::register_all(&keystead, PEOPLE).await?;
    let capacity = flood_for(&keystead, SPAN).await?.rate();
    let mut points = Vec::new();
    let mut last = None;
    for times in [0.5, 1.0, 2.0, 5.0, 10.0] {
        let offered = offer(&keystead, capacity * times).await?;
        points.push((times, offered.goodput / capacity));
        last = Some(offered);
    }
    let offered = last.context("a load")?;
    let again = flood_for(&keystead, SPAN).await?.rate();
    let threads = f64::from(u32::try_from(thread::available_parallelism()?.get())?);
    let allowed = threads * f64::from(COST.0) / 1024.0 + 32.0;
    let goodput = vec![(offered.goodput, capacity), (offered.goodput, again)];
    let what = "logins done where ten times more are offered than can be hashed";
    let figures = vec![
        Figure { id: "L3", what, unit: "/s", target: Target::AtLeast(0.9), rounds: goodput },
        Figure::at_most("L3", "p99 of the refusals", "ms", 50.0, &[percentile(&offered.refusals, 0.99)]),
        Figure::at_most(
            "L3",
            "most memory over that before the first password",
            "MiB",
            allowed,
            &[mebibytes(keystead.usage()?.peak, base)],
        ),
    ];
    let plot = Plot {
        file: "overload.svg",
        title: "Logins done, where more are offered than can be hashed",
        across: "offered, as multiples of what can be hashed",
        upwards: "done, as a part of what can be hashed",
        series: vec![Series { name: "logins done".to_owned(), points }],
    };
    Ok(Found { figures, plots: vec![plot] })
}

struct Offered {
    /// Logins a second.
    goodput: f64,
    /// In milliseconds, in order of size.
    refusals: Vec<f64>,
}

/// Offers so many logins a second, whatever becomes of them.
async fn offer(keystead: &Keystead, rate: f64) -> Result<Offered> {
    let callers = Caller::many(keystead.grpc, 16).await?;
    let emails: Arc<[String]> = (0..PEOPLE).map(api::email).collect();
    let (tell, mut told) = mpsc::unbounded_channel();
    let begun = Instant::now();
    let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
    let mut attempts = 0;
    while begun.elapsed() < SPAN {
        pace.tick().await;
        let (mut caller, emails, tell) = (callers[attempts % callers.len()].clone(), Arc::clone(&emails), tell.clone());
        let number = attempts;
        let attempt: JoinHandle<()> = tokio::spawn(async move {
            let asked = Instant::now();
            let answer = caller.log_in(&emails[number % PEOPLE]).await.map(|_| ());
            // Nobody listens any more where the bench has failed already.
            tell.send((answer.map_err(|status| status.code()), asked.elapsed())).unwrap_or_default();
        });
        drop(attempt);
        attempts += 1;
    }
    drop(tell);
    let (mut done, mut refusals) = (0_u32, Vec::new());
    while let Some((answer, took)) = told.recv().await {
        match answer {
            Ok(()) => done += 1,
            Err(Code::ResourceExhausted) => refusals.push(took.as_secs_f64() * 1_000.0),
            Err(code) => return Err(anyhow!("a login ended with {code}")),
        }
    }
    refusals.sort_by(f64::total_cmp);
    Ok(Offered { goodput: f64::from(done) / begun.elapsed().as_secs_f64(), refusals })
}

#[expect(clippy::cast_precision_loss, reason = "far from 2^52 bytes")]
fn mebibytes(peak: u64, base: u64) -> f64 {
    peak.saturating_sub(base) as f64 / f64::from(1 << 20)
}

/// Sixteen clients sign in, one time after the other.
async fn flood_for(keystead: &Keystead, span: Duration) -> Result<Done> {
    let callers = Caller::many(keystead.grpc, FLOOD).await?;
    let callers = callers.into_iter().enumerate().map(|(place, caller)| (caller, place)).collect();
    closed_loop(callers, span, async |(caller, place): &mut (Caller, usize)| {
        *place += FLOOD;
        caller.log_in(&api::email(*place % PEOPLE)).await?;
        Ok(())
    })
    .await
}

/// Hashes a second on as many threads as there are processors, each with its memory kept.
async fn raw_hashes() -> Result<f64> {
    let threads = thread::available_parallelism()?.get();
    let hashing: Vec<_> = (0..threads).map(|_| tokio::task::spawn_blocking(hash_for_a_while)).collect();
    let mut sum = 0.0;
    for thread in hashing {
        sum += thread.await??;
    }
    ensure!(sum > 0.0, "something is hashed");
    Ok(sum)
}

fn hash_for_a_while() -> Result<f64> {
    let params = Params::new(COST.0, COST.1, COST.2, Some(32)).map_err(|error| anyhow!("{error}"))?;
    let mut blocks = vec![Block::default(); params.block_count()];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (mut hashes, mut output) = (0.0, [0; 32]);
    let begun = Instant::now();
    while begun.elapsed() < SPAN {
        let done =
            argon.hash_password_into_with_memory(PASSWORD.as_bytes(), b"sixteen bytes ok", &mut output, &mut blocks);
        done.map_err(|error| anyhow!("{error}"))?;
        hashes += 1.0;
    }
    Ok(hashes / begun.elapsed().as_secs_f64())
}
