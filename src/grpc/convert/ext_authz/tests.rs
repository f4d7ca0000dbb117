//! What Envoy's routes may ask for, and what it is answered.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::*;

fn extensions(values: &[(&str, &str)]) -> envoy::AttributeContext {
    let context_extensions: HashMap<_, _> =
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    envoy::AttributeContext { context_extensions, ..Default::default() }
}

fn caller(roles: &[&str]) -> Caller {
    Caller {
        claims: Arc::new(Claims {
            iss: "https://issuer.example".to_owned(),
            sub: Uuid::from_u128(1),
            aud: vec!["shop".to_owned(), "bank".to_owned()],
            client_id: "client".to_owned(),
            exp: 1_700_000_600,
            iat: 1_700_000_001,
            nbf: 1_700_000_002,
            jti: Uuid::from_u128(2),
            sid: Uuid::from_u128(3),
            epoch: 7,
            auth_time: 1_700_000_003,
            amr: vec!["pwd".to_owned()],
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            scope: vec!["read".to_owned(), "write".to_owned()],
        }),
    }
}

/// The headers that are set, with their values, and those that are removed.
fn headers(response: &envoy::CheckResponse) -> (Vec<(String, String)>, Vec<String>) {
    let Some(HttpResponse::OkResponse(ok)) = &response.http_response else { panic!("denied") };
    let set = ok.headers.iter().filter_map(|set| set.header.clone()).map(|header| (header.key, header.value));
    (set.collect(), ok.headers_to_remove.clone())
}

fn plain(value: &Value) -> serde_json::Value {
    match value.kind.as_ref().expect("a value") {
        Kind::StringValue(text) => text.clone().into(),
        Kind::NumberValue(number) => (*number).into(),
        Kind::ListValue(list) => list.values.iter().map(plain).collect(),
        Kind::NullValue(_) | Kind::BoolValue(_) | Kind::StructValue(_) => panic!("no claim is of this kind"),
    }
}

#[test]
fn extensions_of_others_are_passed_over_and_misspelt_ones_of_ours_are_not() {
    let shop = ("keystead.audience", "shop");
    assert!(route(&extensions(&[shop, ("virtual_host", "shop"), ("team.roles", "x")])).is_ok());
    for misspelt in
        ["roles", "Roles", "audience", "public", "keystead.role", "Keystead.roles", "keystead_roles", "keystead"]
    {
        assert_eq!(route(&extensions(&[shop, (misspelt, "admin")])), Err(RouteFault), "{misspelt}");
    }
    assert_eq!(route(&extensions(&[])), Err(RouteFault), "a route that says nothing");
}

#[test]
fn what_speaks_of_the_caller_is_set_or_removed() {
    let (set, removed) = headers(&answer(&Decision::Pass(caller(&["admin", "user"]))));
    let text = |number: u128| Uuid::from_u128(number).to_string();
    let expected =
        [("x-auth-subject", text(1)), ("x-auth-session", text(3)), ("x-auth-roles", "admin,user".to_owned())];
    assert_eq!(set, expected.map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(removed, words::LOOK_ALIKES);

    let (set, removed) = headers(&answer(&Decision::Pass(caller(&[]))));
    assert!(set.iter().all(|(name, _)| name != "x-auth-roles"), "{set:?}");
    assert!(removed.iter().any(|name| name == "x-auth-roles"), "{removed:?}");

    let (set, removed) = headers(&answer(&Decision::PassUnknown));
    assert!(set.is_empty());
    assert_eq!(removed, [words::IDENTITY_HEADERS, words::LOOK_ALIKES].concat());
}

#[test]
fn every_claim_goes_on_as_metadata_and_nobody_s_where_nobody_was_asked() {
    let caller = caller(&["admin"]);
    let metadata = answer(&Decision::Pass(caller.clone())).dynamic_metadata.expect("metadata");
    let told: serde_json::Map<_, _> =
        metadata.fields.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
    let mut claims = serde_json::json!(*caller.claims);
    for name in ["exp", "iat", "nbf", "epoch", "auth_time"] {
        claims[name] = claims[name].as_f64().expect("a number").into();
    }
    assert_eq!(serde_json::Value::from(told), claims);
    assert_eq!(answer(&Decision::PassUnknown).dynamic_metadata, None);
    assert_eq!(answer(&Decision::Deny(Denial::RoleMissing)).dynamic_metadata, None);
}

#[test]
fn each_denial_has_its_status_and_its_challenge() {
    for (denial, code, status, challenge) in [
        (Denial::BearerMissing, Code::Unauthenticated, 401, Some("Bearer")),
        (Denial::BearerRefused, Code::Unauthenticated, 401, Some("Bearer error=\"invalid_token\"")),
        (Denial::RoleMissing, Code::PermissionDenied, 403, Some("Bearer error=\"insufficient_scope\"")),
        (Denial::Unknown, Code::Unavailable, 503, None),
        (Denial::RouteAtFault, Code::Internal, 500, None),
    ] {
        let response = answer(&Decision::Deny(denial));
        assert_eq!(response.status.map(|status| status.code), Some(code.into()), "{denial:?}");
        let Some(HttpResponse::DeniedResponse(denied)) = response.http_response else { panic!("{denial:?} passes") };
        assert_eq!(denied.status.map(|status| status.code), Some(status), "{denial:?}");
        let told = denied.headers.into_iter().filter_map(|set| set.header).map(|header| (header.key, header.value));
        let expected = challenge.map(|challenge| ("www-authenticate".to_owned(), challenge.to_owned()));
        assert_eq!(told.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>(), "{denial:?}");
    }
}
