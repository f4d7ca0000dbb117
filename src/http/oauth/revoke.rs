//! `/oauth2/revoke`: ends what a token belongs to (RFC 7009).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;

use super::error::OAuthError;
use super::form::Form;
use super::{OAuthApi, answer, client};
use crate::domain::origin::Origin;
use crate::service::oauth::revoke::RevokeRequest;

/// Answers 200 for every token, known or not (section 2.2). `token_type_hint` is not needed to find it.
pub async fn revoke(
    State(api): State<Arc<OAuthApi>>,
    Extension(origin): Extension<Origin>,
    request: Request,
) -> Result<Response, OAuthError> {
    let (headers, mut form) = Form::read(request).await?;
    let token = form.take("token").ok_or(OAuthError::invalid_request("token is missing"))?;
    let client = client::presented(&headers, &mut form)?;
    api.revoke.run(RevokeRequest { client, token }, &origin).await?;
    Ok(answer::empty(StatusCode::OK))
}
