//! The endpoints' use cases on a service in RAM, for this room's tests.

use std::sync::Arc;
use std::time::Duration;

use super::OAuthApi;
use crate::domain::clock::Clock;
use crate::service::oauth::client::CheckClient;
use crate::service::oauth::client_credentials_grant::ClientCredentialsGrant;
use crate::service::oauth::describe::Describe;
use crate::service::oauth::introspect::Introspect;
use crate::service::oauth::refresh_grant::RefreshGrant;
use crate::service::oauth::revoke::Revoke;
use crate::service::testing::World;

pub fn api(world: &World) -> OAuthApi {
    let clock: Arc<dyn Clock> = world.clock.clone();
    let public_client = world.settings.tokens.client_id.clone();
    let clients = Arc::new(CheckClient { authenticator: world.service_authenticator(), public_client });
    OAuthApi {
        refresh_grant: RefreshGrant { clients: clients.clone(), refresh: Arc::new(world.refresh()) },
        client_credentials_grant: ClientCredentialsGrant {
            clients: clients.clone(),
            issue: Arc::new(world.issue_service_token()),
        },
        introspect: Introspect {
            clients: clients.clone(),
            access: Arc::new(world.access()),
            verify_token: Arc::new(world.verify()),
        },
        revoke: Revoke { clients, revoke_token: Arc::new(world.revoke_token()) },
        describe: Describe {
            issuer: world.settings.tokens.issuer.clone(),
            public_url: None,
            max_age: Duration::from_mins(5),
        },
        clock,
    }
}
