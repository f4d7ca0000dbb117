//! Gives every account away, page by page: told in the audit trail before the first one leaves.

use std::sync::Arc;

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::caller::Initiator;
use crate::domain::clock::Clock;
use crate::domain::ports::AuditLog;
use crate::domain::ports::user_transfer::UserTransfer;
use crate::domain::user_list::{UserFilter, UserOrder, UserPosition, UserQuery};
use crate::domain::user_transfer::ExportedUser;
use crate::service::access::admission::Admission;
use crate::service::error::ServiceResult;
use crate::service::security_event;

/// How many accounts a page has at most.
const PAGE_SIZE: u32 = 200;

/// Gives every account away.
pub struct ExportUsers {
    pub transfer: Arc<dyn UserTransfer>,
    pub audit: Arc<dyn AuditLog>,
    pub clock: Arc<dyn Clock>,
}

/// Whether hashes of passwords go along: at the operator's word alone, never over the wire (promise A7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hashes {
    Included,
    LeftOut,
}

/// An export under way.
pub struct UserExport {
    transfer: Arc<dyn UserTransfer>,
    /// `None` at the command line.
    admission: Option<Admission>,
    hashes: Hashes,
    query: UserQuery,
    is_over: bool,
}

impl ExportUsers {
    pub async fn run(
        &self,
        filter: UserFilter,
        hashes: Hashes,
        by: &Initiator,
        admission: Option<Admission>,
    ) -> ServiceResult<UserExport> {
        let context = by.context(self.clock.now());
        let detail = (hashes == Hashes::Included).then(|| "hashes".to_owned());
        let event = AuditEvent { detail, ..AuditEvent::by_actor(AuditKind::UsersExported, None, &context) };
        self.audit.record(event.clone(), &context).await?;
        security_event::log(&event, &by.origin);
        let query = UserQuery { filter, order: UserOrder::Created, after: None, limit: PAGE_SIZE };
        Ok(UserExport { transfer: Arc::clone(&self.transfer), admission, hashes, query, is_over: false })
    }
}

impl UserExport {
    /// The next accounts, by their time of creation; `None` after the last. Fails when the caller's leave is gone.
    pub async fn next(&mut self) -> ServiceResult<Option<Vec<ExportedUser>>> {
        if self.is_over {
            return Ok(None);
        }
        if let Some(admission) = &self.admission {
            admission.check().await?;
        }
        let mut users = self.transfer.export(&self.query).await?;
        if self.hashes == Hashes::LeftOut {
            for exported in &mut users {
                exported.password_hash = None;
            }
        }
        self.is_over = users.len() < usize::try_from(self.query.limit).unwrap_or(usize::MAX);
        self.query.after = users.last().map(|last| UserPosition::of(&last.user));
        Ok((!users.is_empty()).then_some(users))
    }
}
