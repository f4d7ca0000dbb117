//! What signing up, in and again is set to.

use std::time::Duration;

use crate::domain::throttle::Limit;

/// Who may register, and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationSettings {
    /// Whether anybody may register.
    pub open: bool,
    /// Whether an address must be verified before its account can sign in. Sessions opened before this was switched on
    /// go on.
    pub verify_email: bool,
}

impl Default for RegistrationSettings {
    fn default() -> Self {
        Self { open: true, verify_email: false }
    }
}

/// How often may be tried. One budget covers every call that checks a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Secrets of every kind that one source (IPv4 address, IPv6 /64) presents.
    pub per_source: Limit,
    /// Passwords that one source tries on one account.
    pub per_account_and_source: Limit,
    /// Passwords that all sources new to an account try on it together.
    pub per_account: Limit,
    /// Mails that one source asks for.
    pub mail_per_source: Limit,
    /// Mails that one source asks for on behalf of one address.
    pub mail_per_address_and_source: Limit,
    /// Failures in a row after which an account takes no password from a source that is new to it, until a reset or a
    /// sign-in from a known source.
    pub max_failures: u32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            per_source: limit(60, 1),
            per_account_and_source: limit(10, 10),
            per_account: limit(50, 10),
            mail_per_source: limit(20, 30),
            mail_per_address_and_source: limit(5, 300),
            max_failures: 100,
        }
    }
}

const fn limit(burst: u32, period_seconds: u64) -> Limit {
    Limit { burst, period: Duration::from_secs(period_seconds) }
}
