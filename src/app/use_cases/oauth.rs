//! The use cases behind OAuth's endpoints: those of sessions and tokens, for clients that name themselves.

use std::sync::Arc;

use super::Shared;
use crate::app::Parts;
use crate::config::Settings;
use crate::grpc::token_service::TokenApi;
use crate::http::oauth::OAuthApi;
use crate::service::access::CheckAccess;
use crate::service::auth::refresh::Refresh;
use crate::service::oauth::client::CheckClient;
use crate::service::oauth::client_credentials_grant::ClientCredentialsGrant;
use crate::service::oauth::describe::Describe;
use crate::service::oauth::introspect::Introspect;
use crate::service::oauth::refresh_grant::RefreshGrant;
use crate::service::oauth::revoke::Revoke;
use crate::service::token::service_authenticator::ServiceAuthenticator;

impl Shared {
    pub(super) fn oauth(
        &self,
        settings: &Settings,
        parts: &Parts,
        authenticator: Arc<ServiceAuthenticator>,
        access: &Arc<CheckAccess>,
        refresh: &Arc<Refresh>,
        tokens: &TokenApi,
    ) -> OAuthApi {
        let public_client = settings.service.tokens.client_id.clone();
        let clients = Arc::new(CheckClient { authenticator, public_client });
        OAuthApi {
            refresh_grant: RefreshGrant { clients: Arc::clone(&clients), refresh: Arc::clone(refresh) },
            client_credentials_grant: ClientCredentialsGrant {
                clients: Arc::clone(&clients),
                issue: Arc::clone(&tokens.issue_service_token),
            },
            introspect: Introspect {
                clients: Arc::clone(&clients),
                access: Arc::clone(access),
                verify_token: Arc::clone(&self.verify_token),
            },
            revoke: Revoke { clients, revoke_token: Arc::clone(&tokens.revoke_token) },
            describe: Describe {
                issuer: settings.service.tokens.issuer.clone(),
                public_url: settings.http.public_url.clone(),
                max_age: settings.service.keys.jwks_max_age,
            },
            clock: Arc::clone(&parts.clock),
        }
    }
}
