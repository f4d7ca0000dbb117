//! The trail of what is done to keys at somebody's word.

use crate::domain::audit::{AuditEvent, AuditKind};
use crate::domain::ports::AuditContext;

/// An event of a key; its id is public.
pub fn key_event(kind: AuditKind, id: &str, context: &AuditContext) -> AuditEvent {
    AuditEvent { detail: Some(id.to_owned()), ..AuditEvent::by_actor(kind, None, context) }
}
