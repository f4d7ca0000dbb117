//! What the servers have in common: ports, signals, and waiting for them.

use std::net::TcpListener;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How often another free port is tried when somebody else was quicker to take one.
pub const PORT_ATTEMPTS: u32 = 10;

pub const POLL: Duration = Duration::from_millis(10);
pub const POLLS: u32 = 6_000;

/// Below those that a connection may be made from (`ip_local_port_range`, ip(7)): nobody takes one of these by accident.
const PORTS: std::ops::Range<u16> = 10_000..32_000;

/// A port of the loopback that was free a moment ago, and that this process has not given away before.
pub fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let count = u32::from(PORTS.end - PORTS.start);
    // Each process begins elsewhere.
    let first = std::process::id().wrapping_mul(101);
    for _ in 0..count {
        let offset = first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % count;
        let port = PORTS.start + u16::try_from(offset).expect("within the range");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

/// Sends a signal, by its name without `SIG`, to a process that the caller has started.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("sh").args(["-c", r#"kill -s "$1" "$2""#, "sh", name, &pid.to_string()]).status();
    assert!(status.expect("sh starts").success(), "process {pid} takes no {name}");
}

/// The processes that a process has started.
pub fn children(pid: u32) -> Vec<u32> {
    let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("the process runs");
    list.split_whitespace().map(|child| child.parse().expect("a process id")).collect()
}

/// Waits until a server that was just started is ready; `false` if it ends instead.
pub fn becomes_ready(server: &mut Child, ready: impl Fn() -> bool) -> bool {
    for _ in 0..POLLS {
        if server.try_wait().expect("a child of ours").is_some() {
            return false;
        }
        if ready() {
            return true;
        }
        std::thread::sleep(POLL);
    }
    panic!("the server is not ready after {:?}", POLL * POLLS);
}
