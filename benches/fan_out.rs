//! V5, the feed: revocations by the thousand each second, told to many watchers at once.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tonic::{Request, Streaming};

use crate::Found;
use crate::api;
use crate::keystead::Installation;
use crate::pb::revocation::Target;
use crate::pb::token_service_client::TokenServiceClient;
use crate::pb::{WatchRevocationsRequest, WatchRevocationsResponse};
use crate::report::{Figure, Target as Asked};
use crate::sql;
use crate::support::postgres;

const WATCHERS: usize = 50;
const A_SECOND: usize = 10_000;
const SECONDS: usize = 5;
const WAVES_A_SECOND: usize = 10;
const WAVE: usize = A_SECOND / WAVES_A_SECOND;
const ALL: usize = A_SECOND * SECONDS;
/// Within which a revocation is heard of without Redis.
const PROMISED_MS: f64 = 1_500.0;

pub async fn measure() -> Result<Found> {
    let database = postgres::fresh_database();
    let installation = Installation::postgres(&database)?.with("GRPC_OPEN_REVOCATION_FEED", "true");
    let keystead = installation.start().await?;
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        watchers.push(Watcher::begin(keystead.grpc).await?);
    }
    let watching: Vec<_> = watchers.into_iter().map(|watcher| tokio::spawn(watcher.hear_all())).collect();
    let began = Instant::now();
    revoke_in_waves(&database).await?;
    let written = Instant::now();
    let offered = rate(written - began);
    let mut latest = Duration::ZERO;
    for heard in try_join_all(watching).await? {
        latest = latest.max(heard?.saturating_duration_since(written));
    }
    let lag = latest.as_secs_f64() * 1_000.0;
    let rounds = vec![(offered, f64::from(u32::try_from(A_SECOND)?))];
    let what = "revocations a second, written past the service";
    Ok(Found {
        figures: vec![
            Figure { id: "V5", what, unit: "/s", target: Asked::AtLeast(0.95), rounds },
            Figure::at_most("V5", "the last of 50 watchers has all of them, none lost", "ms", PROMISED_MS, &[lag]),
        ],
        plots: Vec::new(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "some thousands")]
fn rate(span: Duration) -> f64 {
    ALL as f64 / span.as_secs_f64()
}

async fn revoke_in_waves(database: &str) -> Result<()> {
    let mut wave_is_due = interval(Duration::from_secs(1) / u32::try_from(WAVES_A_SECOND)?);
    wave_is_due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for first in (0..ALL).step_by(WAVE) {
        wave_is_due.tick().await;
        let numbers = format!("generate_series({first}, {}) n", first + WAVE - 1);
        let target = "'00000000-0000-4000-8000-' || lpad(n::text, 12, '0')";
        let insert = "INSERT INTO revocations (kind, target, expires_at)";
        sql::run(database, &format!("{insert} SELECT 'session', {target}, {} FROM {numbers}", i64::MAX / 2)).await?;
    }
    Ok(())
}

/// A reader of the feed, on a connection of its own.
struct Watcher {
    feed: Streaming<WatchRevocationsResponse>,
    heard: Vec<bool>,
    missing: usize,
}

impl Watcher {
    async fn begin(address: SocketAddr) -> Result<Self> {
        let mut client = TokenServiceClient::new(api::channel(address).await?);
        let feed = client.watch_revocations(Request::new(WatchRevocationsRequest::default())).await?.into_inner();
        Ok(Self { feed, heard: vec![false; ALL], missing: ALL })
    }

    /// When the last revocation was heard of.
    async fn hear_all(mut self) -> Result<Instant> {
        while self.missing > 0 {
            let message = self.feed.message().await?.context("the feed goes on")?;
            for revocation in message.revocations {
                let Some(Target::SessionId(session)) = revocation.target else { continue };
                self.hear(&session)?;
            }
        }
        Ok(Instant::now())
    }

    fn hear(&mut self, session: &str) -> Result<()> {
        let number: usize = session.rsplit('-').next().context("a number")?.parse()?;
        ensure!(number < ALL, "no session of the bench");
        if !std::mem::replace(&mut self.heard[number], true) {
            self.missing -= 1;
        }
        Ok(())
    }
}
