//! The endpoints of OAuth: a file each, one for what a request is read by, one for how it names its client, and one for
//! the errors.

mod answer;
pub mod client;
pub mod error;
pub mod form;
mod introspect;
mod metadata;
mod revoke;
#[cfg(test)]
pub mod testing;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::front::{self, Front};
use super::problem;
use crate::domain::clock::Clock;
use crate::service::oauth::client_credentials_grant::ClientCredentialsGrant;
use crate::service::oauth::describe::Describe;
use crate::service::oauth::introspect::Introspect;
use crate::service::oauth::refresh_grant::RefreshGrant;
use crate::service::oauth::revoke::Revoke;

const TOKEN: &str = "/oauth2/token";
const INTROSPECT: &str = "/oauth2/introspect";
const REVOKE: &str = "/oauth2/revoke";

/// The use cases behind the endpoints.
pub struct OAuthApi {
    pub refresh_grant: RefreshGrant,
    pub client_credentials_grant: ClientCredentialsGrant,
    pub introspect: Introspect,
    pub revoke: Revoke,
    pub describe: Describe,
    /// For what is told in seconds from now.
    pub clock: Arc<dyn Clock>,
}

/// The endpoints, and what is said of them. What is said of them passes no front: it is the same for everybody.
pub fn router(api: OAuthApi, front: &Arc<Front>) -> Router {
    let api = Arc::new(api);
    let doors = Router::new()
        .route(TOKEN, post(token::token))
        .route(INTROSPECT, post(introspect::introspect))
        .route(REVOKE, post(revoke::revoke))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(front), front::pass));
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata::authorization_server))
        .route("/.well-known/openid-configuration", get(metadata::openid_configuration))
        .merge(doors)
        .with_state(api)
}
