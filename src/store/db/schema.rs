//! How the schema stands beside the steps that this binary knows, and how it is brought up to date.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use sea_orm_migration::{MigratorTrait as _, SchemaManager};

use super::database::Database;
use super::fault::Fault;
use super::migrations::Migrator;
use crate::domain::ports::StoreResult;

/// Where the steps that were taken are written down.
const STEPS_TABLE: &str = "seaql_migrations";
const TAKEN_STEPS: &str = "SELECT version FROM seaql_migrations";
/// Names the lock under which replicas migrate one after the other; any number that nobody else uses.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7236451)";
/// A step may take longer than any request, and wait for another replica's.
const NO_TIMEOUT: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
                          SET LOCAL idle_in_transaction_session_timeout = 0";
/// How often it begins anew while another process has SQLite's file.
const MAX_TRIES: u32 = 50;
/// What the name of a step that removes something ends in, before the version of the first release that does without.
const UNREAD_SINCE: &str = "_unread_since_";

/// How the schema stands beside the steps that this binary knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaState {
    Current,
    /// It lacks so many steps.
    Behind(usize),
    /// Newer releases have taken so many steps more, and left what this binary reads.
    Ahead(usize),
    /// Of so many steps that this binary does not know, one has removed what it reads; or it has some itself that the
    /// schema lacks, so that neither goes before the other.
    Foreign(usize),
}

impl SchemaState {
    /// Whether a binary of this version can serve on it.
    pub const fn is_served(self) -> bool {
        matches!(self, Self::Current | Self::Ahead(_))
    }

    fn judge(taken: &HashSet<String>, known: &HashSet<String>, version: &str) -> Self {
        let pending = known.difference(taken).count();
        let unknown = taken.difference(known).count();
        let is_left_alone = taken.difference(known).all(|step| leaves_what_is_read(step, version));
        match (pending, unknown) {
            (0, 0) => Self::Current,
            (pending, 0) => Self::Behind(pending),
            (0, unknown) if is_left_alone => Self::Ahead(unknown),
            (_, unknown) => Self::Foreign(unknown),
        }
    }

    pub(super) async fn read(schema: &SchemaManager<'_>) -> Result<Self, Fault> {
        let known = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
        let mut taken = HashSet::new();
        if schema.has_table(STEPS_TABLE).await? {
            let connection = schema.get_connection();
            let query = Statement::from_string(connection.get_database_backend(), TAKEN_STEPS);
            for row in connection.query_all_raw(query).await? {
                taken.insert(row.try_get_by_index(0)?);
            }
        }
        Ok(Self::judge(&taken, &known, env!("CARGO_PKG_VERSION")))
    }
}

/// Whether a step has removed nothing that a release of this version reads. A name that says so in words that cannot be
/// read is taken for a no.
fn leaves_what_is_read(step: &str, version: &str) -> bool {
    let Some((_, since)) = step.rsplit_once(UNREAD_SINCE) else { return true };
    numbers(since, '_').zip(numbers(version, '.')).is_some_and(|(since, version)| version >= since)
}

/// A version as numbers, that of a preview as that of its release.
fn numbers(version: &str, between: char) -> Option<Vec<u64>> {
    let release = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<u64> = release.split(between).map(str::parse).collect::<Result<_, _>>().ok()?;
    (numbers.len() == 3).then_some(numbers)
}

impl Database {
    /// How the schema stands.
    pub async fn schema_state(&self) -> StoreResult<SchemaState> {
        self.run(|| async { SchemaState::read(&SchemaManager::new(&self.reader)).await }).await
    }

    /// Brings the schema up to date, in one transaction: wholly or not at all; how it stood before. One that newer
    /// releases have gone on with is left as it is. Of replicas that start at once one does it and the others wait for
    /// that. No deadline: a step may take long.
    pub async fn migrate(&self) -> StoreResult<SchemaState> {
        let mut tries = 0;
        loop {
            match self.try_migrate().await {
                Err(fault) if fault.is_contention() && tries < MAX_TRIES => {
                    tries += 1;
                    tokio::time::sleep(self.pause(tries)).await;
                }
                outcome => return outcome.map_err(|fault| fault.report()),
            }
        }
    }

    async fn try_migrate(&self) -> Result<SchemaState, Fault> {
        let transaction = self.begin().await?;
        if self.backend() == DbBackend::Postgres {
            transaction.execute_unprepared(NO_TIMEOUT).await?;
            transaction.execute_unprepared(MIGRATION_LOCK).await?;
        }
        let before = SchemaState::read(&SchemaManager::new(&transaction)).await?;
        if matches!(before, SchemaState::Behind(_)) {
            Migrator::up(&transaction, None).await?;
        }
        transaction.commit().await?;
        Ok(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(taken: &[&str], known: &[&str]) -> SchemaState {
        let set = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect();
        SchemaState::judge(&set(taken), &set(known), "0.3.1")
    }

    // promise D5
    #[test]
    fn a_schema_that_newer_releases_have_added_to_is_served() {
        assert_eq!(judge(&["m1", "m2"], &["m1", "m2"]), SchemaState::Current);
        assert_eq!(judge(&["m1"], &["m1", "m2", "m3"]), SchemaState::Behind(2));
        assert_eq!(judge(&["m1", "m2", "m3"], &["m1"]), SchemaState::Ahead(2));
        assert_eq!(judge(&["m1", "m3"], &["m1", "m2"]), SchemaState::Foreign(1), "neither goes before the other");
    }

    // promise D5
    #[test]
    fn a_step_that_removes_what_this_release_reads_is_not_served() {
        for since in ["0_3_1", "0_3_0", "0_2_9"] {
            let step = format!("m2_no_salt_unread_since_{since}");
            assert_eq!(judge(&["m1", &step], &["m1"]), SchemaState::Ahead(1), "{since}");
        }
        for since in ["0_3_2", "0_10_0", "1_0_0", "0_3", "soon", ""] {
            let step = format!("m2_no_salt_unread_since_{since}");
            assert_eq!(judge(&["m1", "m3", &step], &["m1"]), SchemaState::Foreign(2), "{since}");
        }
    }

    #[test]
    fn a_preview_counts_as_its_release() {
        assert!(leaves_what_is_read("m2_no_salt_unread_since_0_4_0", "0.4.0-rc.1+7"));
    }
}
