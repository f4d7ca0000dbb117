//! What is let through to a method: what tonic runs, but gRPC forbids, stops here.

use http::{HeaderMap, HeaderValue, Method as Verb, Request, Response, StatusCode, header};
use tonic::body::Body;

use super::methods::Method;
use super::status;

const GRPC_ENCODING: &str = "grpc-encoding";
const GRPC_ACCEPT_ENCODING: &str = "grpc-accept-encoding";
const IDENTITY: &str = "identity";

/// Lets a request through to its method, or gives the answer that refuses it.
///
/// A request that is no gRPC at all gets a status of HTTP (405, 415), as gRPC over HTTP/2 demands; the rest gets one
/// of gRPC.
pub fn admit<'a, B>(request: &Request<B>, method: Option<&'a Method>) -> Result<&'a Method, Box<Response<Body>>> {
    if request.method() != Verb::POST {
        let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return Err(Box::new(response));
    }
    if !is_grpc(request.headers()) {
        return Err(Box::new(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE)));
    }
    let method = method.filter(|_| request.uri().query().is_none());
    let Some(method) = method else {
        return Err(Box::new(status::unknown_method().into_http()));
    };
    if is_compressed(request.headers()) {
        let mut response = status::unsupported_encoding().into_http();
        response.headers_mut().insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static(IDENTITY));
        return Err(Box::new(response));
    }
    Ok(method)
}

fn refusal(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

/// `application/grpc` or `application/grpc+proto`, with or without parameters; gRPC-Web is something else.
fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let media_type = value.split(';').next().unwrap_or_default().trim();
    ["application/grpc", "application/grpc+proto"].iter().any(|known| media_type.eq_ignore_ascii_case(known))
}

fn is_compressed(headers: &HeaderMap) -> bool {
    headers.get(GRPC_ENCODING).is_some_and(|encoding| encoding != IDENTITY)
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};

    use super::*;
    use crate::grpc::methods::Methods;

    const LOGIN: &str = "/keystead.v1.AuthService/Login";

    fn request(verb: Verb, target: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::builder().method(verb).uri(target);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).expect("a request")
    }

    /// `Ok` where the request is let through, else the HTTP status and the code of gRPC.
    fn judge(request: &Request<()>) -> Result<(), (u16, Option<Code>)> {
        let methods = Methods::served(true).expect("descriptors");
        admit(request, methods.find(request.uri().path())).map(|_| ()).map_err(|response| {
            let code = Status::from_header_map(response.headers()).map(|status| status.code());
            (response.status().as_u16(), code)
        })
    }

    #[test]
    fn a_grpc_call_of_a_known_method_passes() {
        for content_type in ["application/grpc", "application/grpc+proto", "Application/gRPC ; charset=utf-8"] {
            assert_eq!(judge(&request(Verb::POST, LOGIN, &[("content-type", content_type)])), Ok(()));
        }
        let identity = [("content-type", "application/grpc"), ("grpc-encoding", "identity")];
        assert_eq!(judge(&request(Verb::POST, LOGIN, &identity)), Ok(()));
    }

    #[test]
    fn another_verb_is_not_allowed() {
        for verb in [Verb::GET, Verb::PUT, Verb::OPTIONS, Verb::HEAD] {
            let got = judge(&request(verb, LOGIN, &[("content-type", "application/grpc")]));
            assert_eq!(got, Err((405, None)));
        }
    }

    #[test]
    fn another_content_type_is_not_supported() {
        for content_type in
            ["application/json", "application/grpc-web", "application/grpc+json", "application/grpcx", ""]
        {
            let got = judge(&request(Verb::POST, LOGIN, &[("content-type", content_type)]));
            assert_eq!(got, Err((415, None)), "{content_type}");
        }
        assert_eq!(judge(&request(Verb::POST, LOGIN, &[])), Err((415, None)));
    }

    #[test]
    fn an_unknown_path_or_one_with_a_query_is_unimplemented() {
        for target in ["/", "/keystead.v1.AuthService/Nothing", "/keystead.v1.AuthService/Login?x=1"] {
            let got = judge(&request(Verb::POST, target, &[("content-type", "application/grpc")]));
            assert_eq!(got, Err((200, Some(Code::Unimplemented))), "{target}");
        }
    }

    #[test]
    fn a_compressed_message_is_unimplemented() {
        let headers = [("content-type", "application/grpc"), ("grpc-encoding", "gzip")];
        assert_eq!(judge(&request(Verb::POST, LOGIN, &headers)), Err((200, Some(Code::Unimplemented))));
    }
}
