//! What the control groups of Linux let a process use (cgroups(7); the kernel's admin-guide/cgroup-v2.rst, and
//! cgroup-v1/memory.rst and scheduler/sched-bwc.rst). Reads nothing itself: whoever calls hands in a reader of files.
//!
//! A group's limit holds for all below it, so that the tightest on the way to the root counts. Within a container that
//! way ends at its mount: what lies above cannot be seen.

use std::path::{Path, PathBuf};

/// What the groups allow; `None` where they set no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes.
    pub memory: Option<u64>,
    /// Thousandths of a processor.
    pub quota: Option<u64>,
}

/// The limits of the process whose `/proc/self` the reader reads. What is missing or illegible limits nothing.
pub fn limits(read: impl Fn(&Path) -> Option<String>) -> Limits {
    let text = |path: &str| read(Path::new(path)).unwrap_or_default();
    let (groups, mounts) = (text("/proc/self/cgroup"), text("/proc/self/mountinfo"));
    let mut limits = Limits::default();
    for folder in folders(&groups, &mounts) {
        let number = |name: &str| read(&folder.join(name)).and_then(|text| text.trim().parse::<u64>().ok());
        // "max" is no number, and no limit. Past `memory.high` the process is slowed down until it hardly moves.
        let memory = ["memory.max", "memory.high", "memory.limit_in_bytes"].map(number);
        let period = number("cpu.cfs_period_us");
        let quotas = [
            read(&folder.join("cpu.max")).and_then(|text| cpu_max(&text)),
            number("cpu.cfs_quota_us").zip(period).and_then(|(quota, period)| thousandths(quota, period)),
        ];
        limits.memory = tightest(limits.memory, &memory);
        limits.quota = tightest(limits.quota, &quotas);
    }
    limits
}

fn tightest(so_far: Option<u64>, found: &[Option<u64>]) -> Option<u64> {
    found.iter().copied().chain([so_far]).flatten().min()
}

/// `QUOTA PERIOD` in microseconds; the quota may be `max`.
fn cpu_max(text: &str) -> Option<u64> {
    let (quota, period) = text.trim().split_once(' ')?;
    thousandths(quota.parse().ok()?, period.parse().ok()?)
}

fn thousandths(quota: u64, period: u64) -> Option<u64> {
    quota.saturating_mul(1_000).checked_div(period)
}

/// The folders of the process's groups for memory and processors, and of the groups above them.
fn folders(groups: &str, mounts: &str) -> Vec<PathBuf> {
    let mounts: Vec<Mount> = mounts.lines().filter_map(Mount::parse).collect();
    let mut folders = Vec::new();
    for (controllers, group) in groups.lines().filter_map(group) {
        for mount in mounts.iter().filter(|mount| mount.carries(controllers)) {
            // A group outside what is mounted: the mount is the nearest that can be seen.
            let below = Path::new(group).strip_prefix(mount.root).unwrap_or(Path::new(""));
            folders.extend(below.ancestors().map(|below| Path::new(mount.point).join(below)));
        }
    }
    folders
}

/// A line of `/proc/self/cgroup`: its controllers, none for version 2, and the path of the group.
fn group(line: &str) -> Option<(&str, &str)> {
    let (_hierarchy, rest) = line.split_once(':')?;
    rest.split_once(':')
}

/// A line of `/proc/self/mountinfo` (proc(5)) that mounts control groups.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (place, source) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let mut source = source.split(' ');
        let (root, point) = (place.next()?, place.next()?);
        let (kind, options) = (source.next()?, source.nth(1)?);
        matches!(kind, "cgroup" | "cgroup2").then_some(Self { root, point, kind, options })
    }

    /// Whether it shows the hierarchy of these controllers, and one that matters.
    fn carries(&self, controllers: &str) -> bool {
        if controllers.is_empty() {
            return self.kind == "cgroup2";
        }
        let mut ours = controllers.split(',').filter(|name| matches!(*name, "memory" | "cpu"));
        self.kind == "cgroup" && ours.any(|name| self.options.split(',').any(|option| option == name))
    }
}

#[cfg(test)]
mod tests;
