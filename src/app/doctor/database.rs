//! The database, its schema, its clock, and what is sealed in it.

use std::sync::Arc;
use std::time::Duration;

use super::{Finding, TIMEOUT, Verdict, bounded, keys};
use crate::app::Parts;
use crate::config::{DatabaseKind, Settings};
use crate::domain::clock::Timestamp;
use crate::domain::ports::{Probe as _, StoreError};
use crate::store::db::{Database, Inspection, NO_CONNECTION, SchemaState, Unreachable};

const DATABASE: &str = "database";
const SCHEMA: &str = "schema";
const CLOCK: &str = "clock";
const KEYS: &str = "keys";

/// By how much the clocks of replica and database may differ.
const MAX_CLOCK_DIFFERENCE: Duration = Duration::from_secs(2);

/// Everything that can be asked of the database.
pub async fn examine(settings: &Settings, parts: &Parts) -> Vec<Finding> {
    let connecting = Database::connect_read_only(&settings.database.store, Arc::clone(&parts.entropy));
    let connected = tokio::time::timeout(TIMEOUT, connecting).await;
    let database = match connected.unwrap_or_else(|_| Err(Unreachable::Refused("no answer in time".to_owned()))) {
        Ok(database) => database,
        Err(Unreachable::Missing) => return vec![Finding::ok(DATABASE, "SQLite: the first start makes the file")],
        Err(Unreachable::Refused(code)) => return vec![unreachable(settings, &code)],
    };
    let mut findings = looked_at(settings, parts, &database).await;
    // Whatever comes of it, the process ends soon.
    drop(tokio::time::timeout(TIMEOUT, database.close()).await);
    findings.sort_by_key(|finding| [DATABASE, SCHEMA, CLOCK, KEYS].iter().position(|name| *name == finding.check));
    findings
}

async fn looked_at(settings: &Settings, parts: &Parts, database: &Database) -> Vec<Finding> {
    let inspected = tokio::time::timeout(TIMEOUT, database.inspect(&settings.database.store)).await;
    let inspection = match inspected.unwrap_or(Err(StoreError::Unavailable)) {
        Ok(inspection) => inspection,
        Err(error) => return vec![Finding::fail(DATABASE, error.to_string(), "see the database's own log")],
    };
    let mut findings = vec![server(settings, &inspection), schema(settings, &inspection)];
    findings.push(bounded(CLOCK, Verdict::Fail, clock(parts, database)).await);
    if inspection.schema.is_served() {
        findings.push(bounded(KEYS, Verdict::Fail, keys::examine(KEYS, settings, parts, database)).await);
    }
    findings
}

pub(super) fn unreachable(settings: &Settings, code: &str) -> Finding {
    let remedy = match (settings.database.kind, code) {
        (DatabaseKind::Sqlite, _) => "let the service's user read the file and its folder; see also its disk",
        (_, "SQLSTATE 28P01" | "SQLSTATE 28000") => "correct user and password in database.url",
        (_, "SQLSTATE 3D000") => "create the database that database.url names",
        (_, NO_CONNECTION) => {
            "start the server, correct host and port in database.url, or raise max_connections of a server that has none left"
        }
        (_, "TLS") => "name the authority of its certificate by tls.ca_file, and the host as the certificate does",
        _ => "start the server, or correct host and port in database.url",
    };
    Finding::fail(DATABASE, format!("it cannot be reached: {code}"), remedy)
}

pub(super) fn server(settings: &Settings, inspection: &Inspection) -> Finding {
    let Inspection { product, encryption, unwritable, .. } = inspection;
    if let Some(problem) = unwritable {
        return Finding::fail(DATABASE, format!("{product}: {problem}"), "name one that the service can write to");
    }
    match encryption {
        Some(version) => Finding::ok(DATABASE, format!("{product} answers, by {version}")),
        None if settings.database.store.is_remote() => Finding::warn(
            DATABASE,
            format!("{product} answers, in clear text over the network"),
            "set sslmode=verify-full in database.url, and take database.allow_weak_tls away",
        ),
        None => Finding::ok(DATABASE, format!("{product} answers, on this machine")),
    }
}

fn schema(settings: &Settings, inspection: &Inspection) -> Finding {
    match inspection.schema {
        SchemaState::Current => Finding::ok(SCHEMA, "up to date"),
        SchemaState::Behind(steps) if settings.database.migrate_at_start => {
            Finding::ok(SCHEMA, format!("{steps} steps are pending, which the next start takes"))
        }
        SchemaState::Behind(steps) => {
            Finding::fail(SCHEMA, format!("{steps} steps are pending"), "run `keystead migrate`")
        }
        SchemaState::Ahead(steps) => Finding::warn(
            SCHEMA,
            format!("a newer release has taken {steps} steps that this one does not know, and serves on"),
            "go on to that release, or stay for as long as the upgrade or the way back takes",
        ),
        SchemaState::Foreign(steps) => Finding::fail(
            SCHEMA,
            format!("a newer release has taken {steps} steps that this one cannot serve on"),
            "run that release, or restore the backup from before it",
        ),
    }
}

async fn clock(parts: &Parts, database: &Database) -> Finding {
    let before = parts.clock.now();
    let told = match database.time().await {
        Ok(Some(told)) => told,
        Ok(None) => return Finding::ok(CLOCK, "the database has this machine's"),
        Err(error) => return Finding::fail(CLOCK, error.to_string(), "see the database's own log"),
    };
    drift(before, told, parts.clock.now())
}

/// By how much the database's clock differs, which was asked for between these moments.
pub(super) fn drift(before: Timestamp, told: Timestamp, after: Timestamp) -> Finding {
    // The database looked at its clock between the two: the way there and back is no difference.
    let millis = (before.as_millis() - told.as_millis()).max(told.as_millis() - after.as_millis()).max(0);
    let difference = Duration::from_millis(millis.unsigned_abs());
    if difference <= MAX_CLOCK_DIFFERENCE {
        return Finding::ok(CLOCK, format!("{} ms from the database's", difference.as_millis()));
    }
    Finding::fail(
        CLOCK,
        format!("{} s from the database's", difference.as_secs()),
        "have both machines' clocks set by NTP",
    )
}
