//! What OAuth's own endpoints ask: the use cases of sessions and tokens, for clients that name and prove themselves after
//! RFC 6749, section 2.3.

pub mod client;
pub mod client_credentials_grant;
pub mod describe;
pub mod introspect;
pub mod refresh_grant;
pub mod revoke;
