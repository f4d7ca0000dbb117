//! How a request names its client, and proves it (RFC 6749, section 2.3): in the header (`client_secret_basic`) or in the
//! body (`client_secret_post`), never in both.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::parse;
use http::{HeaderMap, header};

use super::error::OAuthError;
use super::form::Form;
use crate::service::gateway::words;
use crate::service::oauth::client::PresentedClient;
use crate::service::oauth::introspect::Caller;

const SEVERAL: OAuthError = OAuthError::invalid_request("a client authenticates in one way alone");
const UNKNOWN_WAY: OAuthError =
    OAuthError::invalid_client("clients authenticate by client_secret_basic or client_secret_post");

/// The client of a request.
pub fn presented(headers: &HeaderMap, form: &mut Form) -> Result<PresentedClient, OAuthError> {
    let in_header = authorization(headers)?;
    if form.has("client_assertion") || form.has("client_assertion_type") {
        return Err(UNKNOWN_WAY);
    }
    let (id, secret) = (form.take("client_id"), form.take("client_secret"));
    match in_header {
        Some(authorization) => {
            let (basic_id, basic_secret) = basic(authorization).ok_or(UNKNOWN_WAY)?;
            if secret.is_some() || id.is_some_and(|id| id != basic_id) {
                return Err(SEVERAL);
            }
            Ok(PresentedClient::WithSecret { id: basic_id, secret: basic_secret })
        }
        None => match (id, secret) {
            (Some(id), Some(secret)) => Ok(PresentedClient::WithSecret { id, secret }),
            (Some(id), None) => Ok(PresentedClient::Named(id)),
            (None, None) => Ok(PresentedClient::Unnamed),
            (None, Some(_)) => Err(OAuthError::invalid_request("client_secret needs client_id")),
        },
    }
}

/// Who introspects: a client, or the holder of a bearer (RFC 7662, section 2.1).
pub fn caller(headers: &HeaderMap, form: &mut Form) -> Result<Caller, OAuthError> {
    match authorization(headers)?.and_then(words::bearer) {
        None => presented(headers, form).map(Caller::Client),
        Some(_) if form.has("client_secret") => Err(SEVERAL),
        Some(bearer) => Ok(Caller::Bearer(bearer.to_owned())),
    }
}

/// The one value of the header.
fn authorization(headers: &HeaderMap) -> Result<Option<&str>, OAuthError> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    match (sent.next(), sent.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| UNKNOWN_WAY),
        (Some(_), Some(_)) => Err(SEVERAL),
    }
}

/// Id and secret, each form-urlencoded before they were joined (section 2.3.1).
fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let joined = String::from_utf8(STANDARD.decode(encoded.trim_start_matches(' ')).ok()?).ok()?;
    let (id, secret) = joined.split_once(':')?;
    Some((decoded(id)?, decoded(secret)?))
}

/// What form-urlencoding has made of a text; `None` for what it would not have let stand.
fn decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    Some(parse(text.as_bytes()).next().map_or_else(String::new, |(name, _)| name.into_owned()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn basic_of(joined: &str) -> Option<(String, String)> {
        basic(&format!("bASIC {}", STANDARD.encode(joined)))
    }

    fn pair(id: &str, secret: &str) -> (String, String) {
        (id.to_owned(), secret.to_owned())
    }

    #[test]
    fn basic_credentials_are_form_urlencoded_first() {
        assert_eq!(basic_of("id:secret"), Some(pair("id", "secret")));
        assert_eq!(basic_of("a%3Ab+c:kss%5Fx%2Dy"), Some(pair("a:b c", "kss_x-y")));
        assert_eq!(basic_of("id:"), Some(pair("id", "")));
        assert_eq!(basic_of("id:a:b"), Some(pair("id", "a:b")));
        for refused in ["id", "id:a&b", "i=d:a"] {
            assert_eq!(basic_of(refused), None, "{refused}");
        }
        for refused in ["Basic", "Basic !", "Bearer abc", "Basic aWQ6c2VjcmV0=="] {
            assert_eq!(basic(refused), None, "{refused}");
        }
    }

    #[test]
    fn two_headers_and_a_header_with_a_secret_in_the_body_are_refused() {
        let mut headers = HeaderMap::new();
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Basic aWQ6c2VjcmV0"));
        assert!(presented(&headers, &mut Form::default()).is_ok());
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Basic aWQ6c2VjcmV0"));
        assert_eq!(presented(&headers, &mut Form::default()).err(), Some(SEVERAL));
    }
}
