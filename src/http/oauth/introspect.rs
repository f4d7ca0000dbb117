//! `/oauth2/introspect`: whether an access token is good now, and what it says (RFC 7662).

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::error::OAuthError;
use super::form::Form;
use super::{OAuthApi, answer, client};
use crate::domain::origin::Origin;
use crate::service::oauth::introspect::IntrospectRequest;
use crate::service::token::verify::Claims;

/// Section 2.2, and the two claims by which services decide.
#[derive(Serialize)]
struct Introspection<'a> {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    client_id: &'a str,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    nbf: i64,
    sub: String,
    aud: &'a [String],
    iss: &'a str,
    jti: String,
    sid: String,
    roles: &'a [String],
}

/// Answers 200 with what the token says, or with nothing but that it is not active, whatever the reason.
pub async fn introspect(
    State(api): State<Arc<OAuthApi>>,
    Extension(origin): Extension<Origin>,
    request: Request,
) -> Result<Response, OAuthError> {
    let (headers, mut form) = Form::read(request).await?;
    let token = form.take("token").ok_or(OAuthError::invalid_request("token is missing"))?;
    let caller = client::caller(&headers, &mut form)?;
    let claims = api.introspect.run(IntrospectRequest { caller, token }, &origin).await?;
    Ok(claims.map_or_else(
        || answer::json(StatusCode::OK, &serde_json::json!({ "active": false })),
        |claims| answer::json(StatusCode::OK, &of_active(&claims)),
    ))
}

fn of_active(claims: &Claims) -> Introspection<'_> {
    Introspection {
        active: true,
        scope: (!claims.scope.is_empty()).then(|| claims.scope.join(" ")),
        client_id: &claims.client_id,
        token_type: "Bearer",
        exp: claims.exp,
        iat: claims.iat,
        nbf: claims.nbf,
        sub: claims.sub.to_string(),
        aud: &claims.aud,
        iss: &claims.iss,
        jti: claims.jti.to_string(),
        sid: claims.sid.to_string(),
        roles: &claims.roles,
    }
}
