//! Hosts, containers and nested groups of both versions, as the files of real ones read.

use super::*;

const V2_MOUNT: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const V1_MOUNTS: &str = "\
    22 1 0:21 / /proc rw - proc proc rw\n\
    32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:11 - cgroup cgroup rw,cpu,cpuacct\n\
    33 31 0:30 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset\n\
    35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
    41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

/// The limits where these files are all there is.
fn limits_of(groups: &str, mounts: &str, files: &[(&str, &str)]) -> (Option<u64>, Option<u64>) {
    let limits = limits(|path| match path.to_str()? {
        "/proc/self/cgroup" => Some(groups.to_owned()),
        "/proc/self/mountinfo" => Some(mounts.to_owned()),
        path => files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned()),
    });
    (limits.memory, limits.quota)
}

// promise P5
#[test]
fn a_container_sees_its_group_at_the_mount() {
    let files = [("/sys/fs/cgroup/memory.max", "268435456\n"), ("/sys/fs/cgroup/cpu.max", "150000 100000\n")];
    assert_eq!(limits_of("0::/\n", V2_MOUNT, &files), (Some(256 << 20), Some(1_500)));
}

// promise P5
#[test]
fn of_nested_groups_the_tightest_counts() {
    let groups = "0::/kubepods.slice/pod7.slice/keystead.scope\n";
    let files = [
        ("/sys/fs/cgroup/kubepods.slice/memory.max", "max\n"),
        ("/sys/fs/cgroup/kubepods.slice/cpu.max", "400000 100000\n"),
        ("/sys/fs/cgroup/kubepods.slice/pod7.slice/memory.max", "134217728\n"),
        ("/sys/fs/cgroup/kubepods.slice/pod7.slice/cpu.max", "max 100000\n"),
        ("/sys/fs/cgroup/kubepods.slice/pod7.slice/keystead.scope/memory.max", "536870912\n"),
        ("/sys/fs/cgroup/kubepods.slice/pod7.slice/keystead.scope/cpu.max", "800000 100000\n"),
    ];
    assert_eq!(limits_of(groups, V2_MOUNT, &files), (Some(128 << 20), Some(4_000)));
}

// promise P5
#[test]
fn memory_that_slows_down_counts_as_memory_that_ends() {
    let files = [("/sys/fs/cgroup/memory.max", "max\n"), ("/sys/fs/cgroup/memory.high", "104857600\n")];
    assert_eq!(limits_of("0::/\n", V2_MOUNT, &files), (Some(100 << 20), None));
}

// promise P5
#[test]
fn version_1_is_read_beside_an_empty_version_2() {
    let groups = "4:memory:/docker/abc\n3:cpuset:/other\n1:cpu,cpuacct:/docker/abc\n0::/docker/abc\n";
    let files = [
        ("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "268435456\n"),
        ("/sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "9223372036854771712\n"),
        ("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "50000\n"),
        ("/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "100000\n"),
        ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
        ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ("/sys/fs/cgroup/cpuset/other/memory.limit_in_bytes", "1\n"),
    ];
    assert_eq!(limits_of(groups, V1_MOUNTS, &files), (Some(256 << 20), Some(500)));
}

#[test]
fn a_mount_that_begins_at_the_container_hides_the_way_to_it() {
    let mount = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    let files = [("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1048576\n")];
    assert_eq!(limits_of("4:memory:/docker/abc\n", mount, &files), (Some(1 << 20), None));
    assert_eq!(limits_of("4:memory:/../other\n", mount, &files), (Some(1 << 20), None));
}

#[test]
fn what_is_missing_or_illegible_limits_nothing() {
    let nonsense = [
        ("/sys/fs/cgroup/memory.max", "many\n"),
        ("/sys/fs/cgroup/cpu.max", "100000 0\n"),
        ("/sys/fs/cgroup/memory.high", "-5\n"),
    ];
    assert_eq!(limits_of("0::/\n", V2_MOUNT, &nonsense), (None, None));
    for (groups, mounts) in [("", ""), ("0::/", ""), ("", V2_MOUNT), (":", "- - -"), ("0::/", "1 2 3 - cgroup2")] {
        assert_eq!(limits_of(groups, mounts, &nonsense), (None, None), "{groups:?} {mounts:?}");
    }
}
