//! What a test's thread tells the log of security events.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Metadata, Subscriber};

use super::origin;
use crate::domain::audit::{AuditKind, AuditOutcome};
use crate::service::security_event;

/// The fields of an event that are there, as they are written.
pub type Told = BTreeMap<&'static str, String>;

/// Listens for as long as it lives.
pub struct SecurityLog {
    told: Arc<Mutex<Vec<Told>>>,
    _listening: DefaultGuard,
}

impl SecurityLog {
    pub fn listen() -> Self {
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let listening = tracing::subscriber::set_default(Listener(Arc::clone(&told)));
        let log = Self { told, _listening: listening };
        log.is_heard();
        log
    }

    /// Another thread that logs for the first time right now may believe that nobody listens, and have all believe it.
    fn is_heard(&self) {
        let probe = security_event::event(AuditKind::LoginFailed, AuditOutcome::Failure);
        while self.told.lock().unwrap().is_empty() {
            tracing::callsite::rebuild_interest_cache();
            security_event::log(&probe, &origin(1));
        }
        self.told.lock().unwrap().clear();
    }

    /// The last event of this name.
    pub fn last(&self, event: &str) -> Told {
        let told = self.told.lock().unwrap();
        let named = |told: &&Told| told.get("event").map(String::as_str) == Some(event);
        told.iter().rev().find(named).cloned().unwrap_or_else(|| panic!("nothing of {event}"))
    }
}

struct Listener(Arc<Mutex<Vec<Told>>>);

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
        self.0.lock().unwrap().push(fields.0);
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
