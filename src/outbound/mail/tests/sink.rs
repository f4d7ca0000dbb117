//! An SMTP server of a few lines, without STARTTLS: it takes down what it hears.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub struct Sink {
    port: u16,
    heard: Arc<Mutex<String>>,
}

impl Sink {
    /// Answers every recipient with `answer` and everything else with success.
    pub async fn start(answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(String::new()));
        let notes = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer, Arc::clone(&notes)));
            }
        });
        Self { port, heard }
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub fn transcript(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, answer: &'static str, notes: Arc<Mutex<String>>) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut reply = Some("220 sink");
    let mut in_data = false;
    loop {
        if let Some(text) = reply
            && writer.write_all(format!("{text}\r\n").as_bytes()).await.is_err()
        {
            return;
        }
        let Ok(Some(line)) = lines.next_line().await else { return };
        notes.lock().unwrap().extend([line.as_str(), "\n"]);
        reply = match line.split([' ', ':']).next().unwrap_or_default() {
            "." => Some("250 taken"),
            _ if in_data => None,
            "EHLO" => Some("250 sink"),
            "RCPT" => Some(answer),
            "DATA" => Some("354 go on"),
            _ => Some("250 ok"),
        };
        in_data = (in_data || line == "DATA") && line != ".";
    }
}
