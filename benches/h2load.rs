//! A load generator that takes little of the machine for itself: h2load of nghttp2.

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use prost::Message;
use tokio::process::Command;

use crate::report::percentile;
use crate::support::packages;

/// A load of one gRPC call over and over.
pub struct Load {
    address: SocketAddr,
    method: &'static str,
    frame: Vec<u8>,
    connections: usize,
    streams: usize,
    duration: Duration,
    rate: Option<usize>,
}

/// What came of it.
pub struct Outcome {
    /// Calls that were answered.
    pub done: f64,
    /// Calls a second.
    pub rate: f64,
    /// Bytes of an answer's message.
    pub answer: usize,
    /// Each call's latency in milliseconds, in order of size; only where they were asked for.
    pub latencies: Vec<f64>,
}

impl Outcome {
    pub fn p99(&self) -> f64 {
        percentile(&self.latencies, 0.99)
    }
}

impl Load {
    /// In a closed loop on so many connections, each with so many streams.
    pub fn closed(address: SocketAddr, method: &'static str, message: &impl Message, shape: (usize, usize)) -> Self {
        let bytes = message.encode_to_vec();
        let mut frame = vec![0];
        frame.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        frame.extend(bytes);
        Self {
            address,
            method,
            frame,
            connections: shape.0,
            streams: shape.1,
            duration: Duration::from_secs(4),
            rate: None,
        }
    }

    /// So many calls a second on each connection, whatever becomes of them.
    pub fn at_rate(self, rate: usize) -> Self {
        Self { rate: Some(rate), ..self }
    }

    pub async fn run(&self) -> Result<Outcome> {
        self.measure(false).await
    }

    /// The same with the latency of each call, which costs the generator something.
    pub async fn run_with_latencies(&self) -> Result<Outcome> {
        self.measure(true).await
    }

    async fn measure(&self, latencies: bool) -> Result<Outcome> {
        let mut body = tempfile::NamedTempFile::new()?;
        body.write_all(&self.frame)?;
        let log = tempfile::tempdir()?;
        let log = log.path().join("log");
        let mut command = Command::new(packages::h2load());
        command.args(["-t1", "-H", "content-type: application/grpc", "-H", "te: trailers"]);
        command.arg(format!("-c{}", self.connections)).arg(format!("-m{}", self.streams));
        command.arg(format!("-D{}", self.duration.as_secs()));
        command.arg("-d").arg(body.path());
        if let Some(rate) = self.rate {
            command.arg(format!("--rps={rate}"));
        }
        if latencies {
            command.arg(format!("--log-file={}", log.display()));
        }
        let output = command.arg(format!("http://{}{}", self.address, self.method)).output().await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let outcome = read(&text, self.duration).with_context(|| text.clone().into_owned())?;
        let latencies = if latencies { read_log(&std::fs::read_to_string(log)?)? } else { Vec::new() };
        Ok(Outcome { latencies, ..outcome })
    }
}

fn read(text: &str, duration: Duration) -> Result<Outcome> {
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).context("a line of h2load's");
    let requests = line("requests:")?;
    let count = |name: &str| -> Result<f64> {
        let part = requests.split([':', ',']).find(|part| part.ends_with(name)).context("a count of h2load's")?;
        Ok(part.trim().split(' ').next().context("a number")?.parse()?)
    };
    ensure!(count(" failed")? + count(" errored")? + count(" timeout")? < 1.0, "calls have failed");
    let done = count(" succeeded")?;
    let data = line("traffic:")?.rsplit('(').next().and_then(|part| part.split(')').next()).context("bytes")?;
    let answer = data.parse::<f64>()? / done;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some dozens of bytes")]
    let answer = answer.round() as usize;
    let rate = done / duration.as_secs_f64();
    Ok(Outcome { done, rate, answer: answer.saturating_sub(5), latencies: Vec::new() })
}

/// Each line has a call's start, its status and its latency, in microseconds.
fn read_log(text: &str) -> Result<Vec<f64>> {
    let latency = |line: &str| Some(line.split('\t').nth(2)?.trim().parse::<f64>().ok()? / 1_000.0);
    let mut latencies: Vec<f64> = text.lines().filter_map(latency).collect();
    ensure!(!latencies.is_empty(), "no latency was told");
    latencies.sort_by(f64::total_cmp);
    Ok(latencies)
}
