//! What callers and gateways put into headers.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use keystead::domain::role::RoleName;
use keystead::grpc::{bearer, deadline};
use keystead::http::cookies::FlowCookie;
use keystead::service::gateway::route::Route;

use super::{halves, text};

const CAP: Duration = Duration::from_secs(30);

/// The bytes as the value of each header that is parsed by hand.
///
/// A bearer is what stands behind its scheme, and nobody's where two are sent; no deadline is beyond the cap, and a
/// legible one is what its digits say; a cookie is told by its whole name, once.
pub fn bearer(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let with = |name: &'static str, times: usize| {
        let mut headers = HeaderMap::new();
        for _ in 0..times {
            headers.append(name, value.clone());
        }
        headers
    };
    let once = with("authorization", 1);
    if let Some(token) = bearer::of(&once) {
        let (scheme, rest) = text(bytes).split_once(' ').expect("a scheme");
        assert!(scheme.eq_ignore_ascii_case("bearer") && rest.trim_start_matches(' ') == token);
    }
    assert_eq!(bearer::of(&with(header::AUTHORIZATION.as_str(), 2)), None, "two bearers are none");
    let allowed = deadline::of(&with("grpc-timeout", 1), CAP);
    assert!(allowed <= CAP);
    let shown = text(bytes)
        .strip_suffix('S')
        .filter(|digits| digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some(seconds) = shown.and_then(|digits| digits.parse().ok()) {
        assert_eq!(allowed, Duration::from_secs(seconds).min(CAP));
    }
    let cookie = FlowCookie::of("state", true);
    let sent = cookie.keep("v").expect("a cookie");
    let pair = sent.to_str().expect("ASCII").split(';').next().expect("a pair").to_owned();
    let mut shown = with("cookie", 1);
    let alone = cookie.shown(&shown);
    assert!(alone.is_none() || text(bytes).contains(pair.trim_end_matches('v')), "a cookie by another name");
    shown.append(header::COOKIE, HeaderValue::try_from(pair).expect("a pair"));
    assert_eq!(cookie.shown(&shown).is_some(), alone.is_none() && !is_repeated(&cookie, &value), "whose value is it?");
}

/// Whether the value alone shows the cookie more than once.
fn is_repeated(cookie: &FlowCookie, value: &HeaderValue) -> bool {
    let Ok(list) = value.to_str() else { return false };
    let shows = |pair: &&str| {
        let headers = HeaderValue::from_str(pair).map(|pair| HeaderMap::from_iter([(header::COOKIE, pair)]));
        headers.is_ok_and(|headers| cookie.shown(&headers).is_some())
    };
    list.split(';').filter(shows).count() > 1
}

/// Lines of a name and a value with `=` between them.
///
/// A route is open to anybody only where it says nothing else than that; its roles have names that roles can have.
pub fn gateway_route(bytes: &[u8]) {
    let lines = text(bytes).lines().map(|line| halves(line.as_bytes(), b'='));
    let pairs: Vec<(&str, &str)> = lines.map(|(name, value)| (text(name), text(value))).collect();
    let Ok(route) = Route::parse(pairs.iter().copied()) else { return };
    match route {
        Route::Public => assert_eq!(pairs, [("public", "true")]),
        Route::Bearer(expected) => {
            let audience = pairs.iter().find(|(name, _)| *name == "audience").map(|(_, value)| *value);
            assert_eq!(expected.audience.as_deref().or(Some("*")), audience);
            assert_eq!(expected.roles.is_empty(), !pairs.iter().any(|(name, _)| *name == "roles"));
            assert!(expected.roles.iter().all(|role| RoleName::parse(role).is_ok()));
        }
    }
}
