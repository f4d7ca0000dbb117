//! I1: how fast accounts come in, beside what one connection to PostgreSQL allows.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::Found;
use crate::keystead::Installation;
use crate::report::{Figure, Target};
use crate::sql::{self, Length};
use crate::support::postgres::PostgresServer;

const ROWS: u32 = 1_000_000;
const ROUNDS: usize = 3;
/// As many as the command writes in one transaction.
const BATCH: u32 = 500;

/// Hashes as other services have them, and as ours are.
const BCRYPT: &str = "$2b$10$abcdefghijklmnopqrstuu10cNU3mXRamSUZYs8I8M/Szu..qXq5K";
pub const ARGON2: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$1G06hvLNVYYOip8xNneh7BSEw9mz3/2HyKr1gHMPrPg";

/// The tables that an import writes.
const TABLES: [(&str, &str); 3] = [
    (
        "users",
        "id, email, email_key, email_verified, display_name, state, epoch, password_hash, created_at, updated_at, \
      revision, language, external_id",
    ),
    ("user_roles", "user_id, role"),
    ("audit_events", "id, at, kind, outcome, actor, subject, session, detail, source, trace_id"),
];

pub async fn measure() -> Result<Found> {
    let server = PostgresServer::start_durable();
    let folder = TempDir::new()?;
    let file = folder.path().join("users.ndjson");
    write_rows(&file, ROWS, BCRYPT)?;
    let (mut copied, mut batched) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let database = server.fresh_database();
        let installation = Installation::postgres(&database)?;
        installation.migrate().await?;
        let begun = Instant::now();
        installation.import(&file).await?;
        let rate = per_second(begun);
        ensure!(sql::run(&database, "SELECT count(*) FROM users").await? == ROWS.to_string(), "every row is in");
        copied.push((rate, copy(&server, &database, folder.path()).await?));
        batched.push((rate, batches(&server).await?));
    }
    let figure = |what, rounds| Figure { id: "I1", what, unit: "/s", target: Target::AtLeast(0.5), rounds };
    let figures = vec![
        figure(
            "accounts imported on PostgreSQL, against pgbench that inserts the same rows by 500, made by the server",
            batched,
        ),
        figure("the same, against COPY of the same rows of all three tables in one transaction", copied),
    ];
    Ok(Found { figures, plots: Vec::new() })
}

fn per_second(begun: Instant) -> f64 {
    f64::from(ROWS) / begun.elapsed().as_secs_f64()
}

/// Writes a file as an import reads it.
pub fn write_rows(file: &Path, rows: u32, hash: &str) -> Result<()> {
    let mut file = BufWriter::new(File::create(file)?);
    for number in 0..rows {
        writeln!(
            file,
            r#"{{"external_id":"auth0|{number:024}","email":"user{number}@example.net","email_verified":true,"display_name":"Person {number}","password_hash":"{hash}","create_time":"2023-04-05T06:07:08.123Z"}}"#
        )?;
    }
    Ok(file.flush()?)
}

/// Accounts a second, where psql copies what an import has written into another database, over one connection.
async fn copy(server: &PostgresServer, from: &str, folder: &Path) -> Result<f64> {
    let to = server.fresh_database();
    Installation::postgres(&to)?.migrate().await?;
    let mut statements = vec!["BEGIN".to_owned()];
    for (table, columns) in TABLES {
        let file = folder.join(table);
        let file = file.display();
        sql::run(from, &format!("\\copy {table} ({columns}) TO '{file}'")).await?;
        statements.push(format!("\\copy {table} ({columns}) FROM '{file}'"));
    }
    statements.push("COMMIT".to_owned());
    let begun = Instant::now();
    sql::run_each(&to, &statements).await?;
    Ok(per_second(begun))
}

/// Accounts a second, where the server makes as many rows itself, a batch a transaction on one connection.
async fn batches(server: &PostgresServer) -> Result<f64> {
    let database = server.fresh_database();
    Installation::postgres(&database)?.migrate().await?;
    let transactions = sql::pgbench(&database, &script(), 1, Length::Transactions(ROWS / BATCH)).await?;
    Ok(transactions * f64::from(BATCH))
}

/// Ids in the order of time, as the service's are.
fn script() -> String {
    let id = "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || \
              substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid";
    format!(
        "WITH made AS (INSERT INTO users (id, email, email_key, email_verified, display_name, state, epoch, \
         password_hash, created_at, updated_at, revision, language, external_id) \
         SELECT id, id || '@example.com', id || '@example.com', true, 'Person ' || number, 'active', 0, '{BCRYPT}', \
         1680674828123, 1700000000000, 0, '', 'auth0|' || id FROM (SELECT {id} AS id, number FROM \
         generate_series(1, {BATCH}) AS number) AS rows ON CONFLICT DO NOTHING RETURNING id), \
         given AS (INSERT INTO user_roles (user_id, role) SELECT id, 'user' FROM made) \
         INSERT INTO audit_events (id, at, kind, outcome, subject, detail, trace_id) \
         SELECT {id}, 1700000000000, 'user_created', 'success', id, 'import', '00000000000000000000000000000000' FROM made;\n"
    )
}
