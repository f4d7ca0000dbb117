//! M1 and S2: what a replica takes before anybody calls, and what it keeps.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::Instant;

use crate::Found;
use crate::api::{self, Caller};
use crate::keystead::{Installation, Keystead};
use crate::refresh::refresh_for;
use crate::report::{Figure, median};
use crate::sql;
use crate::support::postgres;

const STARTS: usize = 7;
const MEBIBYTE: f64 = 1_048_576.0;
const A_MILLION: f64 = 1e6;

/// M1.
pub async fn footprint() -> Result<Found> {
    let (mut first, mut again, mut resident) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let installation = Installation::sqlite()?;
        first.push(timed_start(&installation).await?.0);
        let (took, keystead) = timed_start(&installation).await?;
        again.push(took);
        resident.push(mebibytes(&keystead)?);
    }
    let keystead = Installation::sqlite()?.start().await?;
    let mut caller = Caller::connect(keystead.grpc).await?;
    caller.register("ada@example.com").await?;
    tokio::time::sleep(Duration::from_secs(70)).await;
    let idle = mebibytes(&keystead)?;
    let binary = Installation::binary_size()? / MEBIBYTE;
    let figures = vec![
        Figure::at_most("M1", "from the start to ready, in a new folder", "ms", 150.0, &[median(&first)]),
        Figure::at_most("M1", "from the start to ready, once more", "ms", 150.0, &[median(&again)]),
        Figure::at_most("M1", "resident before the first password", "MiB", 25.0, &[median(&resident)]),
        Figure::at_most("M1", "resident an idle minute after a password", "MiB", 25.0, &[idle]),
        Figure::at_most("M1", "the binary, without an image around it", "MiB", 30.0, &[binary]),
    ];
    Ok(Found { figures, plots: Vec::new() })
}

async fn timed_start(installation: &Installation) -> Result<(f64, Keystead)> {
    let begun = Instant::now();
    let keystead = installation.start().await?;
    Ok((begun.elapsed().as_secs_f64() * 1_000.0, keystead))
}

#[expect(clippy::cast_precision_loss, reason = "far from 2^52 bytes")]
fn mebibytes(keystead: &Keystead) -> Result<f64> {
    Ok(keystead.usage()?.resident as f64 / MEBIBYTE)
}

/// S2.
pub async fn revocations() -> Result<Found> {
    let database = postgres::fresh_database();
    let installation = Installation::postgres(&database)?;
    let keystead = installation.start().await?;
    let rows = rows_per_session(&keystead, &database).await?;
    drop(keystead);
    let without = mebibytes(&installation.start().await?)?;
    let insert = "INSERT INTO revocations (kind, target, min_epoch, expires_at) SELECT 'session', gen_random_uuid()::text, \
        NULL, (extract(epoch FROM now()) * 1000)::bigint + 3600000 FROM generate_series(1, 1000000)";
    sql::run(&database, insert).await?;
    let (took, keystead) = timed_start(&installation).await?;
    let bytes = (mebibytes(&keystead)? - without) * MEBIBYTE / A_MILLION;
    let figures = vec![
        Figure::at_most("S2", "rows of a session that was refreshed often", "rows", 1.0, &[rows]),
        Figure::at_most("S2", "resident memory of a live revocation, of a million", "bytes", 100.0, &[bytes]),
        Figure::at_most("S2", "from the start to ready, with a million live revocations", "ms", 3_000.0, &[took]),
    ];
    Ok(Found { figures, plots: Vec::new() })
}

/// Of all tables together.
async fn rows_per_session(keystead: &Keystead, database: &str) -> Result<f64> {
    const COUNT: &str = "SELECT sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I', tablename), \
        false, true, '')))[1]::text::bigint) FROM pg_tables WHERE schemaname = 'public'";
    let mut sessions = api::register_all(keystead, 4).await?;
    let before: f64 = sql::run(database, COUNT).await?.parse()?;
    let refreshed = refresh_for(keystead, &mut sessions, Duration::from_secs(2)).await?;
    ensure!(refreshed.calls > 100, "the sessions were refreshed often");
    let after: f64 = sql::run(database, COUNT).await?.parse()?;
    Ok(1.0 + (after - before) / 4.0)
}
