//! `keystead healthcheck`: asks the service that runs here by the same settings whether it is ready.
//!
//! By `/readyz` on the HTTP port, which is in clear text however gRPC is encrypted: no certificate has to bear the name of
//! a loopback address, and none is needed where clients must show one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::app::start_error::StartError;
use crate::config::Settings;

/// From the connection to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(1);
const MAX_BODY_BYTES: usize = 4 * 1024;

/// Why the service is not as it should be.
#[derive(Debug, thiserror::Error)]
enum Ailment {
    #[error("http.listen has port 0: which one was taken is told only in the log of the service")]
    UnknownPort,
    #[error("nothing listens on {0}")]
    Absent(SocketAddr),
    #[error("no answer from {0} within a second")]
    Silent(SocketAddr),
    #[error("what listens on {0} is not Keystead")]
    Stranger(SocketAddr),
    #[error("not ready: {0}")]
    NotReady(String),
}

pub async fn run(settings: Settings) -> Result<(), StartError> {
    check(settings.http.listen).await.map_err(|ailment| StartError::Failed(ailment.to_string()))
}

async fn check(listen: SocketAddr) -> Result<(), Ailment> {
    let address = reachable(listen).ok_or(Ailment::UnknownPort)?;
    tokio::time::timeout(TIMEOUT, ask(address)).await.unwrap_or(Err(Ailment::Silent(address)))
}

/// Where a process on this machine reaches what listens there.
fn reachable(listen: SocketAddr) -> Option<SocketAddr> {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    (listen.port() != 0).then(|| SocketAddr::new(ip, listen.port()))
}

async fn ask(address: SocketAddr) -> Result<(), Ailment> {
    let stranger = || Ailment::Stranger(address);
    let stream = TcpStream::connect(address).await.map_err(|_| Ailment::Absent(address))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|_| stranger())?;
    let answer = async {
        let request = Request::builder().uri("/readyz").header(header::HOST, address.to_string());
        let request = request.body(Empty::<Bytes>::new()).map_err(|_| stranger())?;
        let (head, body) = sender.send_request(request).await.map_err(|_| stranger())?.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|_| stranger())?.to_bytes();
        judge(head.status, &body).unwrap_or_else(|| Err(stranger()))
    };
    // The connection is driven here, and dropped with the answer.
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        biased;
        answer = answer.as_mut() => answer,
        _ = connection.as_mut() => answer.await,
    }
}

/// What the answer of `/readyz` says; nothing where it cannot be one.
fn judge(status: StatusCode, body: &[u8]) -> Option<Result<(), Ailment>> {
    let said: serde_json::Value = serde_json::from_slice(body).ok()?;
    match (status, said.get("ready")?.as_bool()?) {
        (StatusCode::OK, true) => Some(Ok(())),
        (StatusCode::SERVICE_UNAVAILABLE, false) => Some(Err(Ailment::NotReady(said.to_string()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// What is found where this answer is given to whoever asks.
    async fn checked_against(answer: &'static str) -> Result<(), Ailment> {
        let (listener, address) = listener().await;
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).await.unwrap();
            assert!(asked[..length].starts_with(b"GET /readyz HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        };
        tokio::join!(check(address), serve).0
    }

    #[test]
    fn what_listens_everywhere_is_asked_on_loopback_and_what_listens_somewhere_is_asked_there() {
        let asked = |listen: &str| reachable(listen.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(asked("0.0.0.0:8080").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(asked("[::]:8080").as_deref(), Some("[::1]:8080"));
        assert_eq!(asked("192.0.2.7:80").as_deref(), Some("192.0.2.7:80"));
        assert_eq!(asked("0.0.0.0:0"), None);
    }

    #[tokio::test]
    async fn only_the_word_of_readiness_is_health() {
        let ready = "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"ready\":true}";
        checked_against(ready).await.unwrap();
        let unready = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 15\r\n\r\n{\"ready\":false}";
        let ailment = checked_against(unready).await.unwrap_err();
        assert_eq!(ailment.to_string(), r#"not ready: {"ready":false}"#);
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK",
            "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"ready\":false}",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "220 mail.example.com ESMTP\r\n",
            "",
        ] {
            assert!(matches!(checked_against(other).await, Err(Ailment::Stranger(_))), "{other}");
        }
    }

    #[tokio::test]
    async fn where_nothing_listens_or_nobody_answers_the_service_is_not_well() {
        let (gone, address) = listener().await;
        drop(gone);
        assert!(matches!(check(address).await, Err(Ailment::Absent(_))));
        let (_silent, address) = listener().await;
        assert!(matches!(check(address).await, Err(Ailment::Silent(_))));
        assert!(matches!(check("0.0.0.0:0".parse().unwrap()).await, Err(Ailment::UnknownPort)));
    }
}
