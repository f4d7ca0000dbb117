//! gRPC-Web: what browsers speak, from pages of the origins that are named, over HTTP/1.1 too.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as HttpBody;
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::front::Front;

/// How its content types begin.
const MEDIA_TYPE: &str = "application/grpc-web";
/// How long a browser may keep the answer to a preflight.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_hours(2);

/// What a page may send beside the message.
const REQUEST_HEADERS: [HeaderName; 7] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-grpc-web"),
    HeaderName::from_static("x-user-agent"),
];

/// What a page may read of an answer that is an error from the start.
const RESPONSE_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
];

/// The door for browsers.
#[derive(Clone)]
pub struct Web {
    cors: CorsLayer,
}

impl Web {
    /// For pages of these origins; closed where there are none.
    pub fn open_to(origins: &[String]) -> Option<Self> {
        let origins: Vec<_> = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect();
        if origins.is_empty() {
            return None;
        }
        let cors = CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_methods([Method::POST])
            .allow_headers(REQUEST_HEADERS)
            .expose_headers(RESPONSE_HEADERS)
            .max_age(PREFLIGHT_MAX_AGE);
        Some(Self { cors })
    }

    /// Answers whatever comes where the door is open: gRPC-Web and its preflights here, gRPC as ever.
    pub async fn answer<B>(&self, front: Arc<Front>, peer: IpAddr, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>> + std::fmt::Display,
    {
        if !is_web(request.headers()) && !is_preflight(&request) {
            if request.version() < Version::HTTP_2 {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::HTTP_VERSION_NOT_SUPPORTED;
                return response;
            }
            return front.answer(peer, request).await;
        }
        let inner = service_fn(move |request: Request<Body>| {
            let front = Arc::clone(&front);
            async move { Ok::<_, std::convert::Infallible>(front.answer(peer, request).await) }
        });
        match self.cors.layer(GrpcWebLayer::new().layer(inner)).oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}

fn is_web(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(MEDIA_TYPE.as_bytes()))
}

/// A browser's question before the call (Fetch, section 3.3.2, "CORS-preflight request").
fn is_preflight<B>(request: &Request<B>) -> bool {
    let asks = |name| request.headers().contains_key(name);
    request.method() == Method::OPTIONS && asks(header::ORIGIN) && asks(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Whether the text is an origin as browsers send it: scheme, host, and a port that is not the scheme's own
/// (RFC 6454, section 6.2).
pub fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
    !host.is_empty() && host.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host_and_nothing_more() {
        for origin in ["https://app.example.com", "http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]:80"] {
            assert!(is_origin(origin), "{origin}");
        }
        for other in
            ["*", "null", "", "https://", "https://app.example.com/", "app.example.com", "https://*.example.com"]
        {
            assert!(!is_origin(other), "{other}");
        }
    }

    #[test]
    fn without_origins_the_door_is_closed() {
        assert!(Web::open_to(&[]).is_none());
    }
}
