//! What the keeping of rows is set to.

use std::time::Duration;

/// How long rows are kept that only people ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionSettings {
    /// How long an audit event is kept; `None` for ever.
    pub audit: Option<Duration>,
}

impl Default for RetentionSettings {
    fn default() -> Self {
        Self { audit: Some(Duration::from_hours(365 * 24)) }
    }
}
