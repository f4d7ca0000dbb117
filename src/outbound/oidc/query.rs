//! Queries, forms, and the credentials of a client (RFC 6749, section 2.3.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::{Serializer, byte_serialize};
use http::HeaderValue;
use zeroize::Zeroizing;

/// A URL with the parameters after those that it has.
pub fn with_query(url: &str, parameters: &[(&str, &str)]) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{}", form(parameters))
}

/// The parameters as a form.
pub fn form(parameters: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(parameters).finish()
}

/// Id and secret for HTTP's basic authentication: each encoded as in a form first.
pub fn basic(id: &str, secret: &str) -> Option<HeaderValue> {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret)));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair.as_bytes()))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A bearer token (RFC 6750, section 2.1).
pub fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_follow_those_that_a_url_has() {
        assert_eq!(with_query("https://a/b", &[("c", "d e"), ("f", "&")]), "https://a/b?c=d+e&f=%26");
        assert_eq!(with_query("https://a/b?x=y", &[("c", "d")]), "https://a/b?x=y&c=d");
    }

    #[test]
    fn a_secret_with_a_colon_is_not_taken_for_two() {
        let value = basic("id:1", "s%cret+").unwrap();
        let encoded = value.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap(), b"id%3A1:s%25cret%2B");
        assert!(value.is_sensitive());
    }
}
