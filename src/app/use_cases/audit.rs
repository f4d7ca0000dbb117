//! The use cases that speak of the audit trail.

use std::sync::Arc;

use super::Shared;
use crate::app::Parts;
use crate::app::stores::Stores;
use crate::grpc::admin::audit::AuditApi;
use crate::service::admin::audit::list::ListAuditEvents;
use crate::service::admin::audit::watch::WatchAuditEvents;

impl Shared {
    pub(super) fn audit(&self, parts: &Parts, stores: &Stores) -> AuditApi {
        AuditApi {
            list: ListAuditEvents {
                trail: Arc::clone(&stores.database) as _,
                keys: Arc::clone(&self.keys),
                entropy: Arc::clone(&parts.entropy),
            },
            watch: WatchAuditEvents {
                trail: Arc::clone(&stores.database) as _,
                keys: Arc::clone(&self.keys),
                clock: Arc::clone(&parts.clock),
                entropy: Arc::clone(&parts.entropy),
            },
        }
    }
}
