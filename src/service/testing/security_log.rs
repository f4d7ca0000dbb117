//! What a test's thread tells the log of security events.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::origin;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::service::security_event;

/// The fields of an event that are there, as they are written.
pub type Told = BTreeMap<&'static str, String>;

thread_local!(static TOLD: RefCell<Vec<Told>> = RefCell::default());

/// Has every thread of the process write down what it tells. Whoever could log waits for the first to come here: a thread
/// that logs while nobody listens may find that nobody ever will, and have the others believe it.
pub fn begin() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        tracing::subscriber::set_global_default(Listener).expect("nobody else listens for all threads");
        security_event::log(&security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure), &origin(1));
    });
}

/// What this thread tells from a moment on.
pub struct SecurityLog {
    /// How much it had told before.
    before: usize,
}

impl SecurityLog {
    pub fn listen() -> Self {
        Self { before: TOLD.with_borrow(Vec::len) }
    }

    /// The last event of this name.
    pub fn last(&self, event: &str) -> Told {
        let named = |told: &&Told| told.get("event").map(String::as_str) == Some(event);
        let last = TOLD.with_borrow(|told| told[self.before..].iter().rev().find(named).cloned());
        last.unwrap_or_else(|| panic!("nothing of {event}"))
    }
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "keystead::security"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        TOLD.with_borrow_mut(|told| told.push(fields.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields(Told);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
