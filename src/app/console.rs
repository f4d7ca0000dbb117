//! What the operator's commands work with: the service's own use cases on the service's own database, without its
//! edges and loops. Replicas that run hear of what is done here as they hear of one another.

use std::sync::Arc;

use super::start_error::StartError;
use super::stores::Stores;
use super::use_cases::UseCases;
use super::{Parts, install_tls_provider, master_keys, start_hashing};
use crate::config::Settings;
use crate::crypto::password_hasher;
use crate::domain::caller::Initiator;
use crate::domain::ports::Users;
use crate::service::keys::ensure::in_background;

pub use super::use_cases::ConsoleApi;

/// An open console.
pub struct Console {
    pub api: ConsoleApi,
    pub users: Arc<dyn Users>,
    stores: Stores,
}

impl Console {
    pub async fn open(settings: &Settings, parts: &Parts) -> Result<Self, StartError> {
        install_tls_provider();
        let master_keys = master_keys(settings, parts)?;
        // One password at most is hashed here.
        let hashing = password_hasher::Settings { threads: Some(1), ..settings.passwords.clone() };
        let hasher = start_hashing(&hashing, parts)?;
        let stores = Stores::connect(settings, parts).await?;
        let use_cases = UseCases::build(settings, parts, &stores, master_keys, hasher).await?;
        let users = Arc::clone(&stores.database) as _;
        Ok(Self { api: use_cases.into_console(&stores), users, stores })
    }

    /// The operator, who is nobody's account.
    pub fn operator() -> Initiator {
        Initiator { actor: None, origin: in_background() }
    }

    pub async fn close(self) {
        let Self { api, users, stores } = self;
        drop((api, users));
        stores.close().await;
    }
}
