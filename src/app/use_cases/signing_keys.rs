//! The use cases that speak of signing keys.

use std::sync::Arc;

use super::Shared;
use crate::app::Parts;
use crate::config::Settings;
use crate::grpc::admin::signing_keys::SigningKeysApi;
use crate::service::admin::signing_keys::list::ListSigningKeys;
use crate::service::admin::signing_keys::revoke::RevokeSigningKey;
use crate::service::admin::signing_keys::rotate::RotateSigningKey;
use crate::service::keys::stored_ring::StoredRing;

impl Shared {
    pub(super) fn signing_keys(&self, settings: &Settings, parts: &Parts, ring: &Arc<StoredRing>) -> SigningKeysApi {
        let clock = || Arc::clone(&parts.clock);
        SigningKeysApi {
            list: ListSigningKeys { ring: Arc::clone(ring) },
            rotate: RotateSigningKey { ring: Arc::clone(ring), clock: clock() },
            revoke: RevokeSigningKey {
                ring: Arc::clone(ring),
                revoker: Arc::clone(&self.revoker),
                clock: clock(),
                token_reach: settings.service.tokens.reach(),
            },
        }
    }
}
