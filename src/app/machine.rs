//! What the machine and its control groups let the process use: looked at once, at the start.

use std::fs;
use std::num::NonZero;
use std::path::Path;

use super::cgroup;
use crate::crypto::password_hasher::Machine;

/// Looks. Where there is nothing to read, as on systems other than Linux, nothing is known of memory and quota.
pub fn look() -> Machine {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let limits = cgroup::limits(read);
    let installed = read(Path::new("/proc/meminfo")).and_then(|text| installed(&text));
    Machine { processors: processors(), quota: limits.quota, memory: limits.memory.into_iter().chain(installed).min() }
}

/// Those that the threads may run on, whatever the quota.
#[cfg(target_os = "linux")]
fn processors() -> usize {
    let allowed = rustix::thread::sched_getaffinity(None).ok().map(|set| set.count());
    allowed.and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0).unwrap_or_else(available)
}

#[cfg(not(target_os = "linux"))]
fn processors() -> usize {
    available()
}

fn available() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Bytes, of `/proc/meminfo` (proc(5)).
fn installed(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_memory_is_read_in_kibibytes() {
        let meminfo = "MemTotal:       24683916 kB\nMemFree:        21475996 kB\n";
        assert_eq!(installed(meminfo), Some(24_683_916 * 1_024));
        for text in ["", "MemTotal:", "MemTotal: 5", "MemFree: 5 kB"] {
            assert_eq!(installed(text), None, "{text:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_machine_has_processors_and_memory() {
        let machine = look();
        assert!(machine.processors >= 1);
        assert!(machine.memory.is_some_and(|memory| memory > 64 << 20), "{machine:?}");
    }
}
