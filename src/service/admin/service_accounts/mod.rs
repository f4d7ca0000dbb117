//! Service accounts, as administrators make and end them.

pub mod create;
pub mod delete;
pub mod list;
pub mod rotate_secret;

use zeroize::Zeroizing;

use crate::domain::service_account::ServiceAccount;

/// A service account, and the secret that it has just been given: nobody can be shown it again.
pub struct WithSecret {
    pub account: ServiceAccount,
    pub secret: Zeroizing<String>,
}
