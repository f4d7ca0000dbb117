//! What Linux tells of processes, and how to reach them.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpStream;

use crate::support;

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// Processor time of all its threads that still run.
    pub processor: Duration,
    /// Resident memory now, in bytes.
    pub resident: u64,
    /// The most there has been.
    pub peak: u64,
}

impl Usage {
    pub fn of(pid: u32) -> Result<Self> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{pid}/task")).context("the process runs")? {
            // A thread may end meanwhile.
            let told = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
            nanos += told.split(' ').next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        }
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        Ok(Self {
            processor: Duration::from_nanos(nanos),
            resident: kibibytes(&status, "VmRSS:")? << 10,
            peak: kibibytes(&status, "VmHWM:")? << 10,
        })
    }
}

fn kibibytes(status: &str, name: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

pub fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, support::process::free_port()).into()
}

/// Waits until somebody listens there.
pub async fn accepts(address: SocketAddr) -> Result<()> {
    for _ in 0..5_000 {
        if TcpStream::connect(address).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bail!("nobody listens on {address}")
}
