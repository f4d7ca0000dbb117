//! Connects to the database and to Redis.

use std::sync::Arc;
use std::time::Duration;

use crate::app::Parts;
use crate::app::start_error::StartError;
use crate::config::DatabaseSettings;
use crate::config::Settings;
use crate::domain::ports::{RevocationSignal, StoreError, Throttle};
use crate::store::db::{Database, SchemaState};
use crate::store::memory::signal::LocalSignal;
use crate::store::memory::throttle::MemoryThrottle;
use crate::store::redis::Redis;

/// How long a database that is away is waited for; then whoever runs us starts us again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// What keeps state.
pub struct Stores {
    pub database: Arc<Database>,
    pub throttle: Arc<dyn Throttle>,
    pub signal: Arc<dyn RevocationSignal>,
    /// Where limits are shared.
    pub redis: Option<Arc<Redis>>,
}

impl Stores {
    /// Connects, and brings the schema up to date where that is set.
    pub async fn connect(settings: &Settings, parts: &Parts) -> Result<Self, StartError> {
        let database = connect(&settings.database, parts).await?;
        if settings.database.migrate_at_start {
            migrate(&database).await?;
        }
        require_served(&database).await?;
        let local = Arc::new(MemoryThrottle::new(Arc::clone(&parts.clock)));
        let Some(redis) = &settings.redis else {
            let signal = Arc::new(LocalSignal);
            return Ok(Self { database: Arc::new(database), throttle: local, signal, redis: None });
        };
        let redis = Redis::connect(redis, Arc::clone(&parts.clock), local)
            .map_err(|fault| StartError::Settings(format!("redis: {fault}")))?;
        let (throttle, signal) = (redis.throttle(), redis.signal());
        Ok(Self { database: Arc::new(database), throttle, signal, redis: Some(Arc::new(redis)) })
    }

    /// Closes the database; what cannot be closed is closed by the end of the process.
    pub async fn close(self) {
        let database = Database::clone(&self.database);
        drop(self);
        if let Err(error) = database.close().await {
            tracing::warn!(%error, "the database was not closed");
        }
    }
}

/// Connects, again and again for a while: after a power cut the database may be slower than we are.
pub async fn connect(settings: &DatabaseSettings, parts: &Parts) -> Result<Database, StartError> {
    let started = parts.clock.monotonic();
    let mut pause = FIRST_PAUSE;
    loop {
        match Database::connect(&settings.store, Arc::clone(&parts.entropy)).await {
            Ok(database) => return Ok(database),
            Err(StoreError::Unavailable) if parts.clock.monotonic().saturating_sub(started) < CONNECT_TIMEOUT => {
                tracing::warn!(retry_in = ?pause, "the database does not answer");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => return Err(cannot("be reached", error)),
        }
    }
}

/// Brings the schema up to date, where no newer release has gone on with it; how it stood before.
pub async fn migrate(database: &Database) -> Result<SchemaState, StartError> {
    database.migrate().await.map_err(|error| cannot("be migrated", error))
}

/// Fails unless this binary can serve on the schema as it stands now.
pub async fn require_served(database: &Database) -> Result<(), StartError> {
    match database.schema_state().await.map_err(|error| cannot("be asked for its schema", error))? {
        SchemaState::Current => Ok(()),
        SchemaState::Ahead(steps) => {
            tracing::warn!(steps, "a newer release has taken steps of the schema, on which this one serves on");
            Ok(())
        }
        SchemaState::Behind(steps) => {
            Err(StartError::Failed(format!("the schema lacks {steps} steps: run `keystead migrate`")))
        }
        SchemaState::Foreign(steps) => Err(StartError::Failed(format!(
            "a newer release has taken {steps} steps of the schema that this one cannot serve on: run that release, or \
             restore the backup from before it"
        ))),
    }
}

fn cannot(what: &str, error: StoreError) -> StartError {
    StartError::Failed(format!("the database cannot {what}: {error}"))
}
