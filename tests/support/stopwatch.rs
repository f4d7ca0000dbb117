//! How long something was waited for, by a watch that neither a slow nor a busy machine makes late.

use std::time::Duration;

/// Of the counts in `/proc/stat` (proc_stat(5), always a hundredth of a second for programs).
const TICK: Duration = Duration::from_millis(10);

/// Runs while the processors have nothing to do. What it leaves out is work, of the service and of others; what it counts
/// is waiting: for a timer, or for somebody who is silent. So it never shows more than has passed, and less while the
/// machine is busy with something else.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    idle_at_start: Duration,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { idle_at_start: idle_so_far() }
    }

    pub fn waited(&self) -> Duration {
        // A count may go back a little (proc_stat(5)).
        idle_so_far().saturating_sub(self.idle_at_start)
    }
}

fn idle_so_far() -> Duration {
    idle(&std::fs::read_to_string("/proc/stat").expect("Linux"))
}

/// For how long a processor had nothing to do since the machine was started, on the average of all.
pub fn idle(stat: &str) -> Duration {
    let idle = |line: &str| line.split_whitespace().nth(4)?.parse::<u32>().ok();
    let each: Vec<u32> = stat.lines().filter(|line| line.starts_with("cpu")).skip(1).filter_map(idle).collect();
    let count = u32::try_from(each.len()).expect("few processors");
    each.into_iter().map(|ticks| TICK * ticks).sum::<Duration>() / count
}
