//! The settings of every use case, composed; each part is owned by the folder that it speaks of.

use super::auth::settings::{LimitSettings, RegistrationSettings};
use super::federation::settings::FederationSettings;
use super::keys::settings::KeySettings;
use super::mail::settings::MailSettings;
use super::retention::settings::RetentionSettings;
use super::second_factor::settings::MfaSettings;
use super::token::settings::{RevocationSettings, TokenSettings};
use crate::domain::password::PasswordPolicy;
use crate::domain::session::SessionLimits;

/// What the use cases are set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    pub tokens: TokenSettings,
    pub sessions: SessionLimits,
    pub registration: RegistrationSettings,
    pub mfa: MfaSettings,
    pub passwords: PasswordPolicy,
    pub limits: LimitSettings,
    pub keys: KeySettings,
    pub revocation: RevocationSettings,
    pub mail: MailSettings,
    pub retention: RetentionSettings,
    pub federation: FederationSettings,
}
