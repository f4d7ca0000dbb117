//! V5: how long after its acknowledgement a revocation is heard of elsewhere.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use keystead_client::{KeysteadClient, Outcome};
use tokio::time::Instant;

use crate::Found;
use crate::api::{self, Caller};
use crate::keystead::Installation;
use crate::pb::TokenSet;
use crate::report::{Figure, percentile};
use crate::support::postgres;
use crate::support::redis::RedisServer;

const PEOPLE: usize = 200;
/// Logouts at once, spread over time so that they fall anywhere between two looks into the database.
const AT_ONCE: usize = 20;
const POLL: Duration = Duration::from_millis(2);

pub async fn measure() -> Result<Found> {
    let redis = RedisServer::start();
    let mut figures = Vec::new();
    for (redis, promised, on_replica, in_client) in [
        (Some(redis.url()), 100.0, "99th percentile on another replica, with Redis", "in a client of it, with Redis"),
        (None, 1_500.0, "99th percentile on another replica, without Redis", "in a client of it, without Redis"),
    ] {
        let [mut replica, mut client] = spans(redis.as_deref()).await?;
        replica.sort_by(f64::total_cmp);
        client.sort_by(f64::total_cmp);
        figures.push(Figure::at_most("V5", on_replica, "ms", promised, &[percentile(&replica, 0.99)]));
        figures.push(Figure::at_most("V5", in_client, "ms", promised, &[percentile(&client, 0.99)]));
    }
    Ok(Found { figures, plots: Vec::new() })
}

/// From the answer to a logout on one replica to the refusal by another, and by a client that follows the other.
async fn spans(redis: Option<&str>) -> Result<[Vec<f64>; 2]> {
    let mut installation = Installation::postgres(&postgres::fresh_database())?;
    if let Some(url) = redis {
        installation = installation.with("REDIS_URL", url);
    }
    let (here, there) = (installation.start().await?, installation.start().await?);
    let client = api::following(&there, api::service_account(&installation, &here).await?).await?;
    let people = api::register_all(&here, PEOPLE).await?;
    let (near, far) = (Caller::connect(here.grpc).await?, Caller::connect(there.grpc).await?);
    let mut spans = [Vec::new(), Vec::new()];
    for crowd in people.chunks(AT_ONCE) {
        let measured = crowd.iter().enumerate().map(|(place, tokens)| {
            let (near, far, client) = (near.clone(), far.clone(), client.clone());
            async move {
                tokio::time::sleep(Duration::from_millis(37) * u32::try_from(place)?).await;
                log_out_and_wait(near, far, &client, tokens).await
            }
        });
        for [replica, client] in try_join_all(measured).await? {
            spans[0].push(replica);
            spans[1].push(client);
        }
    }
    Ok(spans)
}

async fn log_out_and_wait(
    mut near: Caller,
    mut far: Caller,
    client: &KeysteadClient,
    tokens: &TokenSet,
) -> Result<[f64; 2]> {
    ensure!(far.accepts(&tokens.access_token).await?, "good on the other replica");
    ensure!(is_accepted(client, tokens).await, "good in the client");
    near.log_out(tokens.refresh_token.clone()).await?;
    let acknowledged = Instant::now();
    let replica = async {
        while far.accepts(&tokens.access_token).await? {
            tokio::time::sleep(POLL).await;
        }
        anyhow::Ok(acknowledged.elapsed())
    };
    let client = async {
        while is_accepted(client, tokens).await {
            tokio::time::sleep(POLL).await;
        }
        anyhow::Ok(acknowledged.elapsed())
    };
    let (replica, client) = tokio::try_join!(replica, client)?;
    Ok([replica, client].map(|span| span.as_secs_f64() * 1_000.0))
}

async fn is_accepted(client: &KeysteadClient, tokens: &TokenSet) -> bool {
    matches!(client.verify(&tokens.access_token, &client.expectations()).await, Outcome::Active(_))
}
