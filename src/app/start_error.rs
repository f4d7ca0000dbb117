//! Why Keystead did not start, or ended: what the exit code is chosen by.

/// Why Keystead did not start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What it was set to will not do, and will not until somebody changes it.
    #[error("{0}")]
    Settings(String),
    /// Something it stands on failed; another try may do.
    #[error("{0}")]
    Failed(String),
}
