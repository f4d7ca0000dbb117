//! Requests that wait at Envoy, and decisions on them.

use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use tonic::Code;

use crate::grpc::pb::envoy;
use crate::grpc::pb::envoy::check_response::HttpResponse;
use crate::grpc::pb::envoy::header_value_option::HeaderAppendAction;
use crate::service::gateway::authorize_request::{Caller, Decision, Denial};
use crate::service::gateway::route::{self, Route, RouteFault};
use crate::service::gateway::words;
use crate::service::token::verify::Claims;

/// How the context extensions begin that speak to Keystead; others may speak to somebody else.
const PREFIX: &str = "keystead.";
/// What no extension of somebody else begins with, in whatever case: a misspelt one of ours.
const NEARLY_PREFIX: &str = "keystead";

/// The request's `authorization`. Envoy joins several values of a name by commas, and so makes one of no scheme of them.
pub fn authorization(attributes: &envoy::AttributeContext) -> Option<&str> {
    let http = attributes.request.as_ref()?.http.as_ref()?;
    http.headers.get("authorization").map(String::as_str)
}

/// What the route's context extensions ask for. One that nearly speaks to Keystead was meant to: to pass it over would
/// drop what it asks for.
pub fn route(attributes: &envoy::AttributeContext) -> Result<Route, RouteFault> {
    let mut ours = Vec::new();
    for (name, value) in &attributes.context_extensions {
        match name.strip_prefix(PREFIX) {
            Some(name) => ours.push((name, value.as_str())),
            None if is_nearly_ours(name) => return Err(RouteFault),
            None => {}
        }
    }
    Route::parse(ours)
}

fn is_nearly_ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(NEARLY_PREFIX) || route::NAMES.contains(&name.as_str())
}

pub fn answer(decision: &Decision) -> envoy::CheckResponse {
    match decision {
        Decision::PassUnknown => pass(None),
        Decision::Pass(caller) => pass(Some(caller)),
        Decision::Deny(denial) => deny(*denial),
    }
}

/// Envoy sets headers first and removes afterwards, so that none may stand in both lists.
fn pass(caller: Option<&Caller>) -> envoy::CheckResponse {
    let identity = caller.map(Caller::headers).into_iter().flatten().filter(|(_, value)| !value.is_empty());
    let headers: Vec<_> = identity.map(|(name, value)| header(name, value)).collect();
    let is_set = |name: &str| headers.iter().any(|set| set.header.as_ref().is_some_and(|header| header.key == name));
    let from_outside = words::IDENTITY_HEADERS.into_iter().chain(words::LOOK_ALIKES);
    let headers_to_remove = from_outside.filter(|name| !is_set(name)).map(str::to_owned).collect();
    envoy::CheckResponse {
        status: Some(envoy::Status { code: Code::Ok.into() }),
        http_response: Some(HttpResponse::OkResponse(envoy::OkHttpResponse { headers, headers_to_remove })),
        dynamic_metadata: caller.map(|caller| metadata(&caller.claims)),
    }
}

fn deny(denial: Denial) -> envoy::CheckResponse {
    let (code, status) = match denial {
        Denial::BearerMissing | Denial::BearerRefused => (Code::Unauthenticated, 401),
        Denial::RoleMissing => (Code::PermissionDenied, 403),
        Denial::Unknown => (Code::Unavailable, 503),
        Denial::RouteAtFault => (Code::Internal, 500),
    };
    let headers = denial.challenge().map(|challenge| header("www-authenticate", challenge.to_owned()));
    let denied = envoy::DeniedHttpResponse {
        status: Some(envoy::HttpStatus { code: status }),
        headers: headers.into_iter().collect(),
    };
    envoy::CheckResponse {
        status: Some(envoy::Status { code: code.into() }),
        http_response: Some(HttpResponse::DeniedResponse(denied)),
        dynamic_metadata: None,
    }
}

fn header(name: &str, value: String) -> envoy::HeaderValueOption {
    envoy::HeaderValueOption {
        header: Some(envoy::HeaderValue { key: name.to_owned(), value }),
        append: Some(false),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
    }
}

/// The claims under the names that they have in the token.
fn metadata(claims: &Claims) -> Struct {
    let text = |text: &str| Value { kind: Some(Kind::StringValue(text.to_owned())) };
    let list = |texts: &[String]| Value {
        kind: Some(Kind::ListValue(ListValue { values: texts.iter().map(|one| text(one)).collect() })),
    };
    // A Struct knows floating point alone; seconds stay exact in it for 285 million years.
    #[expect(clippy::cast_precision_loss, reason = "below 2 to the power of 53")]
    let number = |number: i64| Value { kind: Some(Kind::NumberValue(number as f64)) };
    let fields = [
        ("iss", text(&claims.iss)),
        ("sub", text(&claims.sub.to_string())),
        ("aud", list(&claims.aud)),
        ("client_id", text(&claims.client_id)),
        ("exp", number(claims.exp)),
        ("iat", number(claims.iat)),
        ("nbf", number(claims.nbf)),
        ("jti", text(&claims.jti.to_string())),
        ("sid", text(&claims.sid.to_string())),
        ("epoch", number(claims.epoch)),
        ("auth_time", number(claims.auth_time)),
        ("amr", list(&claims.amr)),
        ("roles", list(&claims.roles)),
        ("scope", text(&claims.scope.join(" "))),
    ];
    Struct { fields: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

#[cfg(test)]
mod tests;
