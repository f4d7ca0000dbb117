//! The use cases that judge access tokens, and what they judge by.

pub mod issue_service_token;
pub mod jwks;
pub mod read_revocations;
pub mod revocation_state;
pub mod revoke_token;
pub mod revoker;
pub mod service_authenticator;
pub mod settings;
pub mod verify;
pub mod watch_revocations;
