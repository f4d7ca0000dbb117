//! How many passwords are hashed at once and how many may wait, by what the machine has.

use super::settings::{Settings, SettingsFault};

/// Memory that hashing leaves to everything else: the service at rest, its connections, the calls that wait.
const KEPT_FREE: u64 = 64 * 1024 * 1024;
/// Waiting passwords to a thread: at the cheapest hash about two thirds of a second of work.
const WAITING_PER_THREAD: usize = 32;

/// What the process may use of the machine it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Processors that its threads may run on, one at least.
    pub processors: usize,
    /// Thousandths of a processor that it may use up, over all of them, before it has to pause.
    pub quota: Option<u64>,
    /// Bytes of memory that it may use; `None` where nobody knows.
    pub memory: Option<u64>,
}

/// How many passwords are hashed at once, and how many may wait beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub threads: usize,
    pub queue: usize,
    pub fit: Fit,
}

/// Whether what hashing takes leaves memory to everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    Roomy,
    /// It fits, but what is left may be too little.
    Tight,
}

impl Size {
    /// What is set counts; what is not follows from the machine. What can never fit is a fault.
    pub fn of(settings: &Settings, machine: &Machine) -> Result<Self, SettingsFault> {
        let each = u64::from(settings.memory_kib) * 1024;
        let free = machine.memory.map_or(u64::MAX, |memory| memory.saturating_sub(KEPT_FREE));
        let threads = settings.threads.unwrap_or_else(|| {
            let by_memory = usize::try_from(free / each).unwrap_or(usize::MAX);
            by_processors(machine).min(by_memory).clamp(1, Settings::MAX_THREADS)
        });
        let queue = settings.queue.unwrap_or(threads.saturating_mul(WAITING_PER_THREAD));
        let needed = each.saturating_mul(threads as u64);
        match machine.memory {
            Some(memory) if needed >= memory => Err(SettingsFault::Room { needed, memory }),
            _ => Ok(Self { threads, queue, fit: if needed <= free { Fit::Roomy } else { Fit::Tight } }),
        }
    }
}

/// One to a processor. Where a quota binds, what is used up pauses the whole process, however low the priority of who
/// used it: then a part of the quota is left to the network threads.
fn by_processors(machine: &Machine) -> usize {
    let processors = machine.processors.max(1);
    match machine.quota {
        // As much as all the processors can do never runs out.
        Some(quota) if quota < 1_000 * processors as u64 => {
            usize::try_from(quota.div_ceil(1_000)).unwrap_or(usize::MAX).saturating_sub(1).max(1)
        }
        _ => processors,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    fn machine(processors: usize, quota: Option<u64>, memory_mib: u64) -> Machine {
        Machine { processors, quota, memory: Some(memory_mib * MIB) }
    }

    fn size(settings: &Settings, machine: Machine) -> Result<(usize, usize, Fit), SettingsFault> {
        Size::of(settings, &machine).map(|size| (size.threads, size.queue, size.fit))
    }

    // promise P5
    #[test]
    fn a_thread_to_a_processor_where_memory_allows() {
        let auto = Settings::default();
        assert_eq!(size(&auto, machine(4, None, 1_024)), Ok((4, 128, Fit::Roomy)));
        assert_eq!(size(&auto, Machine { memory: None, ..machine(4, None, 0) }), Ok((4, 128, Fit::Roomy)));
        // 64 MiB are kept free: three of 19 MiB fit into the other 64.
        assert_eq!(size(&auto, machine(16, None, 128)), Ok((3, 96, Fit::Roomy)));
        assert_eq!(size(&auto, machine(4_096, None, 10_000_000)), Ok((Settings::MAX_THREADS, 32_768, Fit::Roomy)));
    }

    // promise P5
    #[test]
    fn a_quota_that_binds_is_not_used_up_by_hashing() {
        let threads = |processors, quota| {
            Size::of(&Settings::default(), &machine(processors, Some(quota), 4_096)).unwrap().threads
        };
        for (quota, expected) in [(100, 1), (1_000, 1), (1_500, 1), (2_000, 1), (2_500, 2), (4_000, 3), (7_500, 7)] {
            assert_eq!(threads(8, quota), expected, "{quota} of 8");
        }
        assert_eq!((threads(8, 8_000), threads(8, 16_000), threads(2, 2_000)), (8, 8, 2), "it never runs out");
        assert_eq!(threads(1, 500), 1);
    }

    #[test]
    fn what_is_set_counts() {
        let set = Settings { threads: Some(3), queue: Some(7), ..Settings::default() };
        assert_eq!(size(&set, machine(64, None, 1_024)), Ok((3, 7, Fit::Roomy)));
        let threads_alone = Settings { threads: Some(3), ..Settings::default() };
        assert_eq!(size(&threads_alone, machine(64, None, 1_024)), Ok((3, 96, Fit::Roomy)));
    }

    // promise P5
    #[test]
    fn what_leaves_too_little_is_said_and_what_cannot_fit_is_a_fault() {
        let set = |threads| Settings { threads: Some(threads), ..Settings::default() };
        assert_eq!(size(&set(3), machine(4, None, 128)), Ok((3, 96, Fit::Roomy)));
        assert_eq!(size(&set(4), machine(4, None, 128)), Ok((4, 128, Fit::Tight)));
        assert_eq!(size(&Settings::default(), machine(4, None, 48)), Ok((1, 32, Fit::Tight)));
        let too_many = SettingsFault::Room { needed: 133 * MIB, memory: 128 * MIB };
        assert_eq!(size(&set(7), machine(4, None, 128)), Err(too_many));
        let dear = Settings { memory_kib: 256 * 1024, ..Settings::default() };
        let too_dear = SettingsFault::Room { needed: 256 * MIB, memory: 256 * MIB };
        assert_eq!(size(&dear, machine(4, None, 256)), Err(too_dear));
    }
}
