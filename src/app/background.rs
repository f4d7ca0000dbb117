//! The loops that go on behind the calls.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Parts;
use super::start_error::StartError;
use super::stores::Stores;
use super::use_cases::UseCases;
use crate::config::Settings;
use crate::domain::ports::Mailer;
use crate::service::health::HealthState;
use crate::service::keys::maintain::MaintainKeys;
use crate::service::mail::deliver::DeliverMail;
use crate::service::mail::templates::Templates;
use crate::service::retention::purge::PurgeExpired;
use crate::service::token::read_revocations::ReadRevocations;

/// What mails are written and sent with.
pub struct Mail {
    pub mailer: Arc<dyn Mailer>,
    pub templates: Arc<Templates>,
}

/// The loops, not yet begun.
pub struct Background {
    revocations: ReadRevocations,
    keys: MaintainKeys,
    mail: DeliverMail,
    purge: PurgeExpired,
    health: Arc<HealthState>,
}

impl Background {
    pub fn new(settings: &Settings, parts: &Parts, stores: &Stores, use_cases: &UseCases, mail: Mail) -> Self {
        let revocations = ReadRevocations::new(
            Arc::clone(&stores.database) as _,
            Arc::clone(&stores.signal),
            Arc::clone(&use_cases.revocations),
            settings.service.revocation.poll_interval,
        );
        let keys = MaintainKeys {
            ring: Arc::clone(&use_cases.ring),
            revocations: Arc::clone(&use_cases.revocations),
            token_reach: settings.service.tokens.reach(),
        };
        let mail = DeliverMail {
            outbox: Arc::clone(&stores.database) as _,
            users: Arc::clone(&stores.database) as _,
            mailer: mail.mailer,
            keys: Arc::clone(&use_cases.keys),
            clock: Arc::clone(&parts.clock),
            entropy: Arc::clone(&parts.entropy),
            templates: mail.templates,
            settings: settings.service.mail.clone(),
            tally: Arc::clone(&use_cases.mails),
        };
        let purge = PurgeExpired {
            store: Arc::clone(&stores.database) as _,
            probe: Arc::clone(&stores.database) as _,
            clock: Arc::clone(&parts.clock),
            settings: settings.service.retention,
            tally: Arc::clone(&use_cases.purged),
        };
        Self { revocations, keys, mail, purge, health: Arc::clone(&use_cases.health) }
    }

    /// What must be known before the first call: every live revocation, and what the service can do.
    pub async fn first_round(&self) -> Result<(), StartError> {
        let read = self.revocations.run_once().await;
        read.map_err(|error| StartError::Failed(format!("the revocations cannot be read: {error}")))?;
        self.health.run_once().await;
        Ok(())
    }

    /// Begins every loop; each goes on until cancelled.
    pub fn spawn(self, cancelled: &CancellationToken) -> JoinSet<()> {
        let Self { revocations, keys, mail, purge, health } = self;
        let mut loops = JoinSet::new();
        let token = cancelled.clone();
        loops.spawn(async move { revocations.run(token).await });
        let token = cancelled.clone();
        loops.spawn(async move { keys.run(token).await });
        let token = cancelled.clone();
        loops.spawn(async move { mail.run(token).await });
        let token = cancelled.clone();
        loops.spawn(async move { purge.run(token).await });
        let token = cancelled.clone();
        loops.spawn(async move { health.run(token).await });
        loops
    }
}
