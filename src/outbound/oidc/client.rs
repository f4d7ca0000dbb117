//! The one way to call a provider: a connection for each request, and everything about it bounded.
//!
//! No redirect is followed, nothing is decompressed, no cookie is kept and no proxy asked: what is not here cannot be
//! turned against us. (Promise O8.)

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::settings::is_allowed;

/// From the look-up of the name to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BODY_BYTES: usize = 64 * 1024;
const USER_AGENT: &str = concat!("keystead/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer. It quotes nothing that came from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFault {
    #[error("the URL is not one that may be called")]
    Url,
    #[error("no connection")]
    Connection,
    #[error("no answer within five seconds")]
    Timeout,
    #[error("an answer that is no HTTP, or larger than 64 KiB")]
    Answer,
    #[error("an answer with status {0}")]
    Status(u16),
    #[error("an answer that is not the JSON that was expected")]
    Json,
}

/// A call to a provider.
pub struct Call<'a> {
    pub url: &'a str,
    /// The content of an `Authorization` header.
    pub authorization: Option<HeaderValue>,
    /// A form to post; without one it is a GET.
    pub form: Option<String>,
}

impl<'a> Call<'a> {
    pub fn get(url: &'a str) -> Self {
        Self { url, authorization: None, form: None }
    }
}

/// Calls providers.
pub struct Caller {
    tls: TlsConnector,
    loopback_http: bool,
}

impl Caller {
    /// Trusts the authorities that Mozilla trusts, and those of the operator's own (PEM).
    pub fn new(authorities: Option<&str>, loopback_http: bool) -> Result<Self, rustls::Error> {
        Self::trusting(roots(authorities)?, loopback_http)
    }

    fn trusting(roots: RootCertStore, loopback_http: bool) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), loopback_http })
    }

    /// The answer as JSON of this form; one that is not 200 is a fault.
    pub async fn json<T: serde::de::DeserializeOwned>(&self, call: Call<'_>) -> Result<T, CallFault> {
        let body = tokio::time::timeout(TIMEOUT, self.call(call)).await.unwrap_or(Err(CallFault::Timeout))?;
        serde_json::from_slice(&body).map_err(|_| CallFault::Json)
    }

    /// The answer's bytes.
    pub async fn bytes(&self, call: Call<'_>) -> Result<Bytes, CallFault> {
        tokio::time::timeout(TIMEOUT, self.call(call)).await.unwrap_or(Err(CallFault::Timeout))
    }

    async fn call(&self, call: Call<'_>) -> Result<Bytes, CallFault> {
        if !is_allowed(call.url, self.loopback_http) {
            return Err(CallFault::Url);
        }
        let uri: Uri = call.url.parse().map_err(|_| CallFault::Url)?;
        let (request, host) = request(&uri, call)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_clear = uri.scheme() == Some(&Scheme::HTTP);
        let port = uri.port_u16().unwrap_or(if is_clear { 80 } else { 443 });
        let stream = TcpStream::connect((bare.as_str(), port)).await.map_err(|_| CallFault::Connection)?;
        if is_clear {
            return converse(stream, request).await;
        }
        let name = ServerName::try_from(bare).map_err(|_| CallFault::Url)?;
        let stream = self.tls.connect(name, stream).await.map_err(|_| CallFault::Connection)?;
        converse(stream, request).await
    }
}

/// Public authorities, and these.
fn roots(authorities: Option<&str>) -> Result<RootCertStore, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(authorities.unwrap_or_default().as_bytes()) {
        roots.add(certificate.map_err(|_| rustls::Error::General("no certificate in PEM".to_owned()))?)?;
    }
    Ok(roots)
}

/// The request in the form that a server of the resource itself wants (RFC 9112, section 3.2.1), and the host.
fn request(uri: &Uri, call: Call<'_>) -> Result<(Request<Full<Bytes>>, String), CallFault> {
    let authority = uri.authority().ok_or(CallFault::Url)?;
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut builder = Request::builder()
        .uri(path)
        .header(header::HOST, authority.as_str())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close");
    if let Some(value) = call.authorization {
        builder = builder.header(header::AUTHORIZATION, value);
    }
    let request = match call.form {
        None => builder.method(Method::GET).body(Full::default()),
        Some(form) => builder
            .method(Method::POST)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::CONTENT_LENGTH, form.len())
            .body(Full::new(form.into())),
    };
    Ok((request.map_err(|_| CallFault::Url)?, authority.host().to_owned()))
}

async fn converse<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Bytes, CallFault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| CallFault::Connection)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(|_| CallFault::Answer)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_BODY_BYTES).collect().await;
        let body = body.map_err(|_| CallFault::Answer)?.to_bytes();
        if status == StatusCode::OK { Ok(body) } else { Err(CallFault::Status(status.as_u16())) }
    };
    // Nothing outlives the call: the connection is driven here, and dropped with it.
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        biased;
        answer = answer.as_mut() => answer,
        _ = connection.as_mut() => answer.await,
    }
}

#[cfg(test)]
mod tests;
