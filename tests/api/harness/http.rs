//! The plainest HTTP/1.1 client: one request a connection.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back.
#[derive(Clone, Debug)]
pub struct HttpAnswer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl HttpAnswer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub async fn get(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> HttpAnswer {
    send(address, &format!("GET {path}"), headers, "").await
}

/// A request of this method and path; a body has to come with the headers that tell of it.
pub async fn send(address: SocketAddr, line: &str, headers: &[(&str, &str)], body: &str) -> HttpAnswer {
    let mut connection = TcpStream::connect(address).await.expect("the HTTP port is open");
    let extra: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let request = format!("{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{extra}\r\n{body}");
    connection.write_all(request.as_bytes()).await.expect("a written request");
    let mut text = String::new();
    connection.read_to_string(&mut text).await.expect("an answer in text");
    parse(&text)
}

fn parse(text: &str) -> HttpAnswer {
    let (head, body) = text.split_once("\r\n\r\n").expect("an HTTP answer");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let header = |line: &str| {
        let (name, value) = line.split_once(':').expect("a header");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    HttpAnswer { status: status.expect("a status"), headers: lines.map(header).collect(), body: body.to_owned() }
}
