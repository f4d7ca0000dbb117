//! `/oauth2/token`: a refresh token, or the secret of a service account, for an access token (RFC 6749, section 5.1).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::error::OAuthError;
use super::form::Form;
use super::{OAuthApi, answer, client};
use crate::domain::clock::Timestamp;
use crate::domain::origin::Origin;
use crate::service::oauth::client::PresentedClient;
use crate::service::oauth::client_credentials_grant::ClientCredentialsRequest;
use crate::service::oauth::refresh_grant::RefreshGrantRequest;

#[derive(Serialize)]
struct Issued {
    access_token: String,
    token_type: &'static str,
    /// Seconds from now.
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// Answers with the tokens of the grant.
pub async fn token(
    State(api): State<Arc<OAuthApi>>,
    Extension(origin): Extension<Origin>,
    request: Request,
) -> Result<Response, OAuthError> {
    let (headers, mut form) = Form::read(request).await?;
    let grant_type = form.take("grant_type").ok_or(OAuthError::invalid_request("grant_type is missing"))?;
    let client = client::presented(&headers, &mut form)?;
    let issued = match grant_type.as_str() {
        "refresh_token" => refreshed(&api, client, form, &origin).await?,
        "client_credentials" => of_service_account(&api, client, form, &origin).await?,
        _ => return Err(OAuthError::unsupported_grant_type()),
    };
    Ok(answer::json(StatusCode::OK, &issued))
}

async fn refreshed(
    api: &OAuthApi,
    client: PresentedClient,
    mut form: Form,
    origin: &Origin,
) -> Result<Issued, OAuthError> {
    let refresh_token = form.take("refresh_token").ok_or(OAuthError::invalid_request("refresh_token is missing"))?;
    without_scope(&form)?;
    if audience(&mut form)?.is_some() {
        return Err(OAuthError::invalid_target("a session keeps the audiences that it was opened for"));
    }
    let tokens = api.refresh_grant.run(RefreshGrantRequest { client, refresh_token }, origin).await?;
    Ok(issued(api, tokens.access_token, tokens.access_token_expires_at, Some(tokens.refresh_token)))
}

async fn of_service_account(
    api: &OAuthApi,
    client: PresentedClient,
    mut form: Form,
    origin: &Origin,
) -> Result<Issued, OAuthError> {
    without_scope(&form)?;
    let audience = audience(&mut form)?.unwrap_or_default();
    let token = api.client_credentials_grant.run(ClientCredentialsRequest { client, audience }, origin).await?;
    Ok(issued(api, token.access_token, token.expires_at, None))
}

fn issued(api: &OAuthApi, access_token: String, expires_at: Timestamp, refresh_token: Option<String>) -> Issued {
    let expires_in = expires_at.since(api.clock.now()).as_secs();
    Issued { access_token, token_type: "Bearer", expires_in, refresh_token }
}

fn without_scope(form: &Form) -> Result<(), OAuthError> {
    if form.has("scope") { Err(OAuthError::invalid_scope()) } else { Ok(()) }
}

/// What the token is to be good for: `audience` (RFC 8693, section 2.1) or `resource` (RFC 8707, section 2), two names for
/// one thing here.
fn audience(form: &mut Form) -> Result<Option<String>, OAuthError> {
    match (form.take("audience"), form.take("resource")) {
        (Some(audience), Some(resource)) if audience != resource => {
            Err(OAuthError::invalid_target("audience and resource name two audiences"))
        }
        (audience, resource) => Ok(audience.or(resource)),
    }
}
