//! The endpoints' use cases on a service in RAM, for this room's tests.

use std::sync::Arc;
use std::time::Duration;

use super::OAuthApi;
use crate::domain::clock::Clock;
use crate::service::auth::logout::Logout;
use crate::service::oauth::client::CheckClient;
use crate::service::oauth::client_credentials_grant::ClientCredentialsGrant;
use crate::service::oauth::describe::Describe;
use crate::service::oauth::introspect::Introspect;
use crate::service::oauth::refresh_grant::RefreshGrant;
use crate::service::oauth::revoke::Revoke;
use crate::service::testing::World;
use crate::service::token::issue_service_token::IssueServiceToken;
use crate::service::token::revoke_token::RevokeToken;
use crate::service::token::service_authenticator::ServiceAuthenticator;

pub fn api(world: &World) -> OAuthApi {
    let store = Arc::new(world.store.clone());
    let clock: Arc<dyn Clock> = world.clock.clone();
    let authenticator = Arc::new(ServiceAuthenticator {
        accounts: store.clone(),
        audit: store.clone(),
        guard: world.guard.clone(),
        clock: clock.clone(),
    });
    let issue = IssueServiceToken {
        authenticator: authenticator.clone(),
        keys: world.keys.clone(),
        issuer: world.issuer.clone(),
    };
    let public_client = world.settings.tokens.client_id.clone();
    let clients = Arc::new(CheckClient { authenticator, public_client });
    let revoke_token = RevokeToken {
        verify_token: Arc::new(world.verify()),
        logout: Arc::new(Logout::new(
            store.clone(),
            world.keys.clone(),
            world.guard.clone(),
            world.ender(),
            clock.clone(),
            world.settings.sessions,
        )),
        ender: world.ender(),
        accounts: store,
        guard: world.guard.clone(),
        issuer: world.issuer.clone(),
        revoker: world.revoker.clone(),
        clock: clock.clone(),
    };
    OAuthApi {
        refresh_grant: RefreshGrant { clients: clients.clone(), refresh: Arc::new(world.refresh()) },
        client_credentials_grant: ClientCredentialsGrant { clients: clients.clone(), issue: Arc::new(issue) },
        introspect: Introspect {
            clients: clients.clone(),
            access: Arc::new(world.access()),
            verify_token: Arc::new(world.verify()),
        },
        revoke: Revoke { clients, revoke_token: Arc::new(revoke_token) },
        describe: Describe {
            issuer: world.settings.tokens.issuer.clone(),
            public_url: None,
            max_age: Duration::from_mins(5),
        },
        clock,
    }
}
