//! F1: what a refresh costs beside the one statement that it cannot do without.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::Found;
use crate::api::{self, Caller};
use crate::keystead::{Installation, Keystead};
use crate::load::{Done, closed_loop};
use crate::pb::TokenSet;
use crate::report::{Figure, Target};
use crate::sql::{self, Length};
use crate::support::postgres::PostgresServer;

const CLIENTS: usize = 8;
const ROUNDS: usize = 3;
const SPAN: Duration = Duration::from_secs(5);

pub async fn measure() -> Result<Found> {
    let server = PostgresServer::start_durable();
    let database = server.fresh_database();
    let keystead = Installation::postgres(&database)?.start().await?;
    let mut sessions = api::register_all(&keystead, CLIENTS).await?;
    // The rows that pgbench works on have ids that it can make out of its clients' numbers.
    api::register_all_from(&keystead, CLIENTS, CLIENTS).await?;
    let named = "UPDATE sessions s SET id = ('00000000-0000-4000-8000-' || lpad((n.n - 1)::text, 12, '0'))::uuid FROM \
        (SELECT s.id, row_number() OVER (ORDER BY s.id) AS n FROM sessions s JOIN users u ON u.id = s.user_id \
        WHERE substring(u.email FROM '[0-9]+')::int >= 8) n WHERE n.id = s.id";
    sql::run(&database, named).await?;
    let script = script();
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let refreshed = refresh_for(&keystead, &mut sessions, SPAN).await?.rate();
        sql::run(&database, "UPDATE sessions SET generation = 0 WHERE id::text LIKE '00000000-0000-4000-8000-%'")
            .await?;
        rounds.push((refreshed, sql::pgbench(&database, &script, CLIENTS, Length::Seconds(SPAN.as_secs())).await?));
    }
    let bare = "SELECT min(generation) FROM sessions WHERE id::text LIKE '00000000-0000-4000-8000-%'";
    ensure!(sql::run(&database, bare).await?.parse::<i64>()? > 10, "pgbench has rotated every session");
    let what = "Refresh on PostgreSQL, 8 clients, against the same conditional update by pgbench";
    let figure = Figure { id: "F1", what, unit: "/s", target: Target::AtLeast(0.5), rounds };
    Ok(Found { figures: vec![figure], plots: Vec::new() })
}

/// The statement of a rotation, each client on a session of its own.
fn script() -> String {
    "UPDATE sessions SET generation = generation + 1, rotated_at = rotated_at + 1, idle_expires_at = CASE \
     WHEN expires_at < idle_expires_at THEN expires_at ELSE idle_expires_at END \
     WHERE id = ('00000000-0000-4000-8000-' || lpad(:client_id::text, 12, '0'))::uuid AND ended_at IS NULL \
     AND expires_at > 0 AND idle_expires_at > 0 AND generation >= 0 \
     AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND epoch >= 0 AND state = 'active') \
     RETURNING *;\n"
        .to_owned()
}

/// Each session is refreshed by a client of its own, one time after the other.
pub async fn refresh_for(keystead: &Keystead, sessions: &mut [TokenSet], span: Duration) -> Result<Done> {
    let callers = Caller::many(keystead.grpc, sessions.len()).await?;
    let callers: Vec<_> = callers.into_iter().zip(sessions).collect();
    closed_loop(callers, span, async |(caller, session): &mut (Caller, &mut TokenSet)| {
        **session = caller.refresh(std::mem::take(&mut session.refresh_token)).await?;
        Ok(())
    })
    .await
}
