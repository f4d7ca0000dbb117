//! The words of HTTP that a gateway is told a decision in, whichever protocol it asked by.

/// Who called: `sub`.
pub const SUBJECT: &str = "x-auth-subject";
/// In which session: `sid`.
pub const SESSION: &str = "x-auth-session";
/// With which roles, separated by commas.
pub const ROLES: &str = "x-auth-roles";

/// The headers that speak of the caller. From outside they are nobody's word.
pub const IDENTITY_HEADERS: [&str; 3] = [SUBJECT, SESSION, ROLES];

/// Other spellings of them, which a service that reads headers in the manner of CGI (RFC 3875, section 4.1.18) takes for
/// the same.
pub const LOOK_ALIKES: [&str; 3] = ["x_auth_subject", "x_auth_session", "x_auth_roles"];

/// What is asked for where no bearer was shown (RFC 6750, section 3).
pub const ASK_FOR_BEARER: &str = "Bearer";
/// What is told of a bearer that is not good here (RFC 6750, section 3.1).
pub const INVALID_TOKEN: &str = "Bearer error=\"invalid_token\"";
/// What is told of a bearer whose holder lacks a role (RFC 6750, section 3.1).
pub const INSUFFICIENT_SCOPE: &str = "Bearer error=\"insufficient_scope\"";

/// The token of an `authorization` header with one value (RFC 6750, section 2.1); `None` for another scheme.
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}
