//! The parameters of a request: in a body that is form-urlencoded, within limits of size and time, each once (RFC 6749,
//! section 3.2 and appendix B).

use std::time::Duration;

use axum::extract::Request;
use form_urlencoded::parse;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::error::OAuthError;

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";
/// As much as a message of gRPC may have.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const TOO_LARGE: OAuthError = OAuthError::unreadable(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB");

/// The parameters that have a value. One without is as good as not sent (section 3.2).
#[derive(Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// The parameters, and the headers that came with them.
    pub async fn read(request: Request) -> Result<(HeaderMap, Self), OAuthError> {
        let (head, body) = request.into_parts();
        if head.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(OAuthError::invalid_request("parameters belong into the body, never into the URL"));
        }
        if !is_form(&head.headers) {
            let description = "the body must be application/x-www-form-urlencoded";
            return Err(OAuthError::unreadable(StatusCode::UNSUPPORTED_MEDIA_TYPE, description));
        }
        let whole = tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect());
        let body = match whole.await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(TOO_LARGE),
            Ok(Err(_broken)) => return Err(OAuthError::invalid_request("the body ends too soon")),
            Err(_elapsed) => {
                return Err(OAuthError::unreadable(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"));
            }
        };
        Ok((head.headers, Self::parse(&body)?))
    }

    /// A parameter that comes twice could be read in two ways, so it is refused whatever its name.
    pub fn parse(body: &[u8]) -> Result<Self, OAuthError> {
        let mut seen: Vec<(String, String)> = parse(body).into_owned().collect();
        seen.sort_unstable();
        if seen.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(OAuthError::invalid_request("a parameter is repeated"));
        }
        seen.retain(|(_, value)| !value.is_empty());
        Ok(Self(seen))
    }

    /// Takes the value of a parameter out.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(place).1)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }
}

/// The one value of the header, whatever parameters it has.
fn is_form(headers: &HeaderMap) -> bool {
    let mut sent = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (sent.next(), sent.next()) else { return false };
    let essence = value.to_str().ok().and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(CONTENT_TYPE))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(content_type: &str, uri: &str, body: impl Into<Body>) -> Request {
        Request::post(uri).header(header::CONTENT_TYPE, content_type).body(body.into()).unwrap()
    }

    async fn read(content_type: &str, uri: &str, body: impl Into<Body>) -> Result<Form, OAuthError> {
        Form::read(request(content_type, uri, body)).await.map(|(_, form)| form)
    }

    #[tokio::test]
    async fn a_parameter_is_decoded_and_one_without_a_value_is_none() {
        let mut form =
            read(&format!("{CONTENT_TYPE}; charset=UTF-8"), "/", "token=a%2Bb+c&scope=&x").await.ok().unwrap();
        assert_eq!(form.take("token").as_deref(), Some("a+b c"));
        assert_eq!((form.take("token"), form.take("scope"), form.has("x")), (None, None, false));
    }

    #[tokio::test]
    async fn what_is_ambiguous_or_in_the_url_is_refused() {
        for (uri, body) in [("/", "a=1&a=1"), ("/", "a=1&b=2&a="), ("/?token=x", "a=1")] {
            let refused = read(CONTENT_TYPE, uri, body).await.err().unwrap();
            assert_eq!(
                axum::response::IntoResponse::into_response(refused).status(),
                StatusCode::BAD_REQUEST,
                "{body}"
            );
        }
    }

    // promise N2
    #[tokio::test]
    async fn a_body_of_64_kib_is_read_and_one_byte_more_is_not() {
        let body = |length: usize| format!("a={}", "x".repeat(length - 2));
        assert!(read(CONTENT_TYPE, "/", body(MAX_BODY_BYTES)).await.is_ok());
        assert_eq!(read(CONTENT_TYPE, "/", body(MAX_BODY_BYTES + 1)).await.err(), Some(TOO_LARGE));
    }

    // promise N4
    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let endless = Body::from_stream(futures_util::stream::pending::<Result<&'static [u8], std::io::Error>>());
        let refused = read(CONTENT_TYPE, "/", endless).await.err().unwrap();
        assert_eq!(axum::response::IntoResponse::into_response(refused).status(), StatusCode::REQUEST_TIMEOUT);
    }
}
