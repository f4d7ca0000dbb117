//! Calls by TLS, to a server whose authority is trusted, or not.

use std::net::{Ipv4Addr, SocketAddr};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server that gives every request the same answer, and the certificate that it shows.
async fn serve(answer: &'static str) -> (SocketAddr, CertificateDer<'static>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = cert.der().clone();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 1_024];
            let count = stream.read(&mut request).await.unwrap_or(0);
            assert!(request[..count].starts_with(b"GET /a?b=c HTTP/1.1\r\nhost: localhost:"));
            stream.write_all(answer.as_bytes()).await.unwrap_or_default();
            stream.shutdown().await.unwrap_or_default();
        }
    });
    (address, certificate)
}

async fn called(caller: &Caller, address: SocketAddr, host: &str) -> Result<Bytes, CallFault> {
    let url = format!("https://{host}:{}/a?b=c", address.port());
    caller.bytes(Call { url: &url, authorization: None, form: None }).await
}

fn trusting(certificate: CertificateDer<'static>) -> Caller {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    Caller::trusting(roots, false).unwrap()
}

#[tokio::test]
async fn a_server_that_is_trusted_is_heard() {
    let (address, certificate) = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    assert_eq!(called(&trusting(certificate), address, "localhost").await, Ok(Bytes::from_static(b"{}")));
}

#[tokio::test]
async fn an_authority_of_the_operators_own_is_trusted_beside_the_public_ones() {
    let (address, certificate) = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &certificate);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
    let caller = Caller::new(Some(&pem), false).unwrap();
    assert_eq!(called(&caller, address, "localhost").await, Ok(Bytes::from_static(b"{}")));
    assert_eq!(roots(Some(&pem)).unwrap().len(), webpki_roots::TLS_SERVER_ROOTS.len() + 1);
    assert!(Caller::new(Some(&pem.replace("MI", "AA")), false).is_err());
}

// promise O8
#[tokio::test]
async fn a_server_that_is_not_trusted_or_is_another_is_not_spoken_to() {
    let (address, certificate) = serve("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    assert_eq!(called(&Caller::new(None, false).unwrap(), address, "localhost").await, Err(CallFault::Connection));
    assert_eq!(called(&trusting(certificate), address, "127.0.0.1").await, Err(CallFault::Connection), "another name");
}

// promise O8
#[tokio::test]
async fn a_redirect_is_an_answer_like_any_other() {
    let (address, certificate) =
        serve("HTTP/1.1 302 Found\r\nlocation: https://evil.example/\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(called(&trusting(certificate), address, "localhost").await, Err(CallFault::Status(302)));
}
