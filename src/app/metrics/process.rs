//! What the process takes of its machine, under the names that every Prometheus client uses. Where there is no
//! `/proc`, only the start is told.

use std::fs;

use crate::domain::clock::Timestamp;
use crate::telemetry::exposition::Kind::Counter;
use crate::telemetry::exposition::{Page, number};

/// The unit of processor time in `/proc`: USER_HZ is 100 on every Linux that this runs on.
const TICKS_A_SECOND: f64 = 100.0;

pub fn tell(page: &mut Page, started_at: Timestamp) {
    let start = number(started_at.as_millis().unsigned_abs()) / 1_000.0;
    page.gauge("process_start_time_seconds", "Start of the process, in seconds since the Unix epoch.", start);
    let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    if let Some(seconds) = processor_time(&read("stat")) {
        let help = "Processor time that the process has spent.";
        page.family(Counter, "process_cpu_seconds_total", help).sample(&[], seconds);
    }
    if let Some(bytes) = resident(&read("status")) {
        page.gauge("process_resident_memory_bytes", "Memory that the process holds.", bytes);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        page.gauge("process_open_fds", "Open file descriptors.", super::count(open.count()));
    }
    if let Some(most) = most_descriptors(&read("limits")) {
        page.gauge("process_max_fds", "File descriptors that may be open at once.", most);
    }
}

/// `proc_pid_stat(5)`, fields 14 and 15. The name, in parentheses, may hold anything.
fn processor_time(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok());
    Some((ticks(11)? + ticks(12)?) / TICKS_A_SECOND)
}

/// `proc_pid_status(5)`, in KiB.
fn resident(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.parse::<f64>().ok().map(|kib| kib * 1_024.0)
}

/// `proc_pid_limits(5)`: the soft limit.
fn most_descriptors(limits: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_tells_is_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 9 0 1";
        assert_eq!(processor_time(stat), Some(2.0));
        assert_eq!(resident("VmHWM:\t 9 kB\nVmRSS:\t   4 kB\n"), Some(4_096.0));
        assert_eq!(
            most_descriptors("Max open files            1024                 4096                 files"),
            Some(1_024.0)
        );
    }

    #[test]
    fn what_is_not_there_is_not_told() {
        assert_eq!((processor_time(""), resident(""), most_descriptors("")), (None, None, None));
    }
}
