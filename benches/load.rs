//! Loads from this process, for calls that differ from each other.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use tokio::time::Instant;

/// What came of a closed loop.
pub struct Done {
    pub calls: usize,
    pub took: Duration,
    /// In milliseconds, in order of size.
    pub latencies: Vec<f64>,
}

impl Done {
    /// Calls a second.
    #[expect(clippy::cast_precision_loss, reason = "far from 2^52 calls")]
    pub fn rate(&self) -> f64 {
        self.calls as f64 / self.took.as_secs_f64()
    }
}

/// Each caller calls, one call after the other, until the time is up.
pub async fn closed_loop<C, F>(callers: Vec<C>, duration: Duration, call: F) -> Result<Done>
where
    F: AsyncFnMut(&mut C) -> Result<()> + Clone,
{
    let begun = Instant::now();
    let loops = callers.into_iter().map(|mut caller| {
        let mut call = call.clone();
        async move {
            let mut latencies = Vec::new();
            while begun.elapsed() < duration {
                let asked = Instant::now();
                call(&mut caller).await?;
                latencies.push(asked.elapsed().as_secs_f64() * 1_000.0);
            }
            anyhow::Ok(latencies)
        }
    });
    let mut latencies = try_join_all(loops).await?.concat();
    let took = begun.elapsed();
    latencies.sort_by(f64::total_cmp);
    Ok(Done { calls: latencies.len(), took, latencies })
}
