//! A mail server of a few lines, on the loopback: it keeps what it is given. In clear text, or by STARTTLS alone.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::mailbox::Mail;

/// Mails by recipient.
type Taken = Arc<Mutex<Vec<(String, Mail)>>>;

/// A running mail server; it ends with its test's runtime.
pub struct MailServer {
    taken: Taken,
}

impl MailServer {
    /// Listens on a port that nobody else uses.
    pub async fn start(port: u16) -> Self {
        Self::listen(port, None).await
    }

    /// The same, but takes nothing, neither mail nor password, before TLS is spoken.
    pub async fn start_with_starttls(port: u16, acceptor: TlsAcceptor) -> Self {
        Self::listen(port, Some(acceptor)).await
    }

    async fn listen(port: u16, acceptor: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let taken = Taken::default();
        let kept = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&kept)));
            }
        });
        Self { taken }
    }

    /// Every mail with its recipient, in the order in which they came.
    pub fn all(&self) -> Vec<(String, Mail)> {
        self.taken.lock().expect("no poison").clone()
    }

    pub fn to(&self, address: &str) -> Vec<Mail> {
        self.all().into_iter().filter(|(recipient, _)| recipient == address).map(|(_, mail)| mail).collect()
    }
}

/// The setting that leads there.
pub fn smtp_url(port: u16) -> String {
    format!("smtp://127.0.0.1:{port}?tls=none")
}

async fn serve(stream: TcpStream, acceptor: Option<TlsAcceptor>, taken: Taken) {
    let Some(acceptor) = acceptor else { return converse(stream, Some("220 ready"), &taken).await };
    let Some(stream) = until_starttls(stream).await else { return };
    let Ok(stream) = acceptor.accept(stream).await else { return };
    // Nobody is greeted twice (RFC 3207, section 4.2).
    converse(stream, None, &taken).await;
}

/// Refuses everything but STARTTLS; the stream where that was said.
async fn until_starttls(stream: TcpStream) -> Option<TcpStream> {
    let mut stream = BufReader::new(stream);
    let mut answer = "220 ready";
    loop {
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        if answer == "220 go on" {
            return Some(stream.into_inner());
        }
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        answer = match line.split_whitespace().next().unwrap_or_default() {
            "EHLO" => "250-ready\r\n250 STARTTLS",
            "STARTTLS" => "220 go on",
            _ => "530 Must issue a STARTTLS command first",
        };
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite, greeting: Option<&str>, taken: &Taken) {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut lines = BufReader::new(reader).lines();
    let mut recipient = String::new();
    let mut answer = greeting;
    loop {
        if let Some(answer) = answer
            && writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err()
        {
            return;
        }
        let Ok(Some(line)) = lines.next_line().await else { return };
        answer = Some(match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-ready\r\n250 AUTH PLAIN",
            "AUTH" => "235 come in",
            "RCPT" => {
                recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                "250 ok"
            }
            "DATA" => {
                if writer.write_all(b"354 go on\r\n").await.is_err() {
                    return;
                }
                let mut raw = String::new();
                loop {
                    let Ok(Some(line)) = lines.next_line().await else { return };
                    if line == "." {
                        break;
                    }
                    // A dot at a line's beginning is sent twice (RFC 5321, section 4.5.2).
                    raw.extend([line.strip_prefix('.').unwrap_or(&line), "\r\n"]);
                }
                taken.lock().expect("no poison").push((recipient.clone(), Mail::read(raw)));
                "250 taken"
            }
            _ => "250 ok",
        });
    }
}
