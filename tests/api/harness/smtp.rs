//! A mail server of a few lines, on the loopback, without TLS: it keeps what it is given.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::mailbox::Mail;

/// A running mail server; it ends with its test's runtime.
pub struct MailServer {
    taken: Arc<Mutex<Vec<(String, Mail)>>>,
}

impl MailServer {
    /// Listens on a port that nobody else uses.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let taken = Arc::<Mutex<Vec<(String, Mail)>>>::default();
        let kept = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept)));
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

async fn serve(stream: TcpStream, taken: Arc<Mutex<Vec<(String, Mail)>>>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut recipient = String::new();
    let mut answer = "220 ready";
    while writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_ok() {
        let Ok(Some(line)) = lines.next_line().await else { return };
        answer = match line.split([' ', ':']).next().unwrap_or_default() {
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
        };
    }
}
