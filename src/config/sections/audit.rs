//! The audit trail.

use std::time::Duration;

use crate::config::reader::Reader;
use crate::service::retention::settings::RetentionSettings;

pub fn read(reader: &mut Reader) -> RetentionSettings {
    let default = RetentionSettings::default().audit.unwrap_or_default();
    let kept = reader.checked(
        "audit.retention",
        default,
        "a span of 1d or more, or 0s",
        |span| span.is_zero() || *span >= Duration::from_hours(24),
        "How long an audit event is kept; `0s` is for ever.",
    );
    RetentionSettings { audit: (!kept.is_zero()).then_some(kept) }
}
