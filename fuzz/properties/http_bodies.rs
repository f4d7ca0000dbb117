//! Forms, and the clients that they name.

use form_urlencoded::{Serializer, parse};
use http::{HeaderMap, HeaderValue, header};
use keystead::http::oauth::client;
use keystead::http::oauth::form::Form;
use keystead::service::oauth::client::PresentedClient;

use super::{halves, text};

/// An `authorization` header and, after a newline, a form.
///
/// A form that is taken has each of its parameters once, and with the value that is written; a client proves itself in
/// one way alone, whatever else is in the form.
pub fn oauth_form(bytes: &[u8]) {
    let (authorization, body) = halves(bytes, b'\n');
    let Ok(mut form) = Form::parse(body) else { return };
    let pairs: Vec<(String, String)> = parse(body).into_owned().collect();
    let mut rewritten = Serializer::new(String::new());
    for (name, value) in &pairs {
        assert_eq!(pairs.iter().filter(|(other, _)| other == name).count(), 1, "a parameter comes twice");
        assert_eq!(form.has(name), !value.is_empty());
        rewritten.append_pair(name, value);
    }
    let mut again = Form::parse(rewritten.finish().as_bytes()).expect("a form is a form");
    for (name, value) in &pairs {
        assert_eq!(again.take(name), Some(value.clone()).filter(|value| !value.is_empty()));
    }
    let mut headers = HeaderMap::new();
    if let (false, Ok(value)) = (authorization.is_empty(), HeaderValue::from_bytes(authorization)) {
        headers.insert(header::AUTHORIZATION, value);
    }
    let secret = pairs.iter().find(|(name, value)| name == "client_secret" && !value.is_empty());
    match client::presented(&headers, &mut form) {
        Ok(PresentedClient::WithSecret { .. }) => {
            let is_basic = text(authorization).get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"));
            assert!(is_basic != secret.is_some(), "proved in no way, or in two");
        }
        Ok(PresentedClient::Named(_) | PresentedClient::Unnamed) => {
            assert!(headers.is_empty() && secret.is_none(), "a proof is passed over");
        }
        Err(_) => {}
    }
}
