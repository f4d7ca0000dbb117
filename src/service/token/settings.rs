//! What access tokens and the knowledge of revocations are set to.

use std::time::Duration;

/// Keystead's own audience: a bearer of AccountService and AdminService must be meant for it.
pub const OWN_AUDIENCE: &str = "keystead";

/// What goes into access tokens, and how long they live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSettings {
    /// `iss`: the URL that clients know this service by.
    pub issuer: String,
    /// `client_id` of sign-ins by people.
    pub client_id: String,
    /// What a sign-in may name as its audience.
    pub audiences: Vec<String>,
    /// `aud` of a sign-in that names none.
    pub default_audiences: Vec<String>,
    /// How long an access token lives.
    pub access_lifetime: Duration,
    /// How far clocks may differ when `exp`, `nbf` and `iat` are judged; 5 seconds at most.
    pub leeway: Duration,
    /// A token that lives longer is refused though signed.
    pub max_lifetime: Duration,
    /// How many bytes the tokens may take whose signature need not be checked again; 0 remembers none.
    pub remembered_bytes: usize,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self {
            issuer: "http://localhost:8080".to_owned(),
            client_id: "keystead".to_owned(),
            audiences: vec![OWN_AUDIENCE.to_owned()],
            default_audiences: vec![OWN_AUDIENCE.to_owned()],
            access_lifetime: Duration::from_mins(10),
            leeway: Duration::from_secs(5),
            max_lifetime: Duration::from_hours(1),
            remembered_bytes: 32 << 20,
        }
    }
}

impl TokenSettings {
    /// For how long after its issue an access token can be accepted anywhere: what a revocation must outlast. By the
    /// longest lifetime that any verifier takes, since tokens from before a change of the settings may still be out.
    pub fn reach(&self) -> Duration {
        self.max_lifetime + 2 * self.leeway
    }
}

/// How the table of revocations is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationSettings {
    /// How often the table is read, whatever other replicas announce.
    pub poll_interval: Duration,
    /// Without a complete reading for so long, no token is judged.
    pub max_staleness: Duration,
}

impl Default for RevocationSettings {
    fn default() -> Self {
        Self { poll_interval: Duration::from_millis(500), max_staleness: Duration::from_secs(5) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // promise T8
    #[test]
    fn a_revocation_outlasts_tokens_from_before_the_lifetime_was_shortened() {
        let shortened = TokenSettings { access_lifetime: Duration::from_secs(10), ..TokenSettings::default() };
        assert!(shortened.reach() >= shortened.max_lifetime + 2 * shortened.leeway);
    }
}
