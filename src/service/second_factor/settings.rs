//! What second factors are set to.

use std::time::Duration;

use crate::domain::role::RoleName;

/// Who must have a second factor, and how one is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MfaSettings {
    /// Whoever has one of these roles needs a second factor.
    pub required_roles: Vec<RoleName>,
    /// For how long a sign-in waits for its second factor, and an enrolment for its confirmation.
    pub challenge_lifetime: Duration,
    /// The name under which an authenticator shows the account.
    pub issuer: String,
}

impl Default for MfaSettings {
    fn default() -> Self {
        Self { required_roles: Vec::new(), challenge_lifetime: Duration::from_mins(10), issuer: "Keystead".to_owned() }
    }
}
