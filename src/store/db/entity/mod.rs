//! The rows as SeaORM knows them. Private to `store::db`: nobody else sees a column.

pub(super) mod audit_event;
pub(super) mod audit_horizon;
pub(super) mod identity;
pub(super) mod key_ring;
pub(super) mod known_source;
pub(super) mod login_failure;
pub(super) mod oauth_flow;
pub(super) mod one_time_token;
pub(super) mod outbox;
pub(super) mod recovery_code;
pub(super) mod revocation;
pub(super) mod role;
pub(super) mod server_key;
pub(super) mod service_account;
pub(super) mod service_account_role;
pub(super) mod service_account_secret;
pub(super) mod session;
pub(super) mod sign_in_challenge;
pub(super) mod totp_factor;
pub(super) mod unlinked_identity;
pub(super) mod user;
pub(super) mod user_role;
