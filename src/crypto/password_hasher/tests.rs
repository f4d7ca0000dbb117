//! The hashing threads: capacity, order, and their end.

use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use super::*;
use crate::crypto::testing::{TestClock, TestEntropy};

const MACHINE: Machine = Machine { processors: 2, quota: None, memory: None };

fn start(settings: &Settings) -> Result<PasswordHasher, SettingsFault> {
    PasswordHasher::start(settings, &MACHINE, Arc::new(TestEntropy::default()), Arc::new(TestClock))
}

fn password() -> Password {
    Password::parse("correct horse battery staple").unwrap()
}

// promise P4
#[test]
fn settings_too_weak_or_too_dear_stop_the_start() {
    let pepper = |bytes| Some(Zeroizing::new(vec![1; bytes]));
    let with = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        settings
    };
    let faulty = [
        (with(|settings| settings.memory_kib = 19_455), SettingsFault::Memory),
        (with(|settings| settings.memory_kib = 4_194_305), SettingsFault::Memory),
        (with(|settings| settings.passes = 1), SettingsFault::Passes),
        (with(|settings| settings.passes = 65), SettingsFault::Passes),
        (with(|settings| settings.lanes = 0), SettingsFault::Lanes),
        (with(|settings| settings.lanes = 65), SettingsFault::Lanes),
        (with(|settings| settings.threads = Some(0)), SettingsFault::Threads),
        (with(|settings| settings.threads = Some(1_025)), SettingsFault::Threads),
        (Settings { pepper: pepper(15), ..Settings::default() }, SettingsFault::Pepper),
    ];
    for (settings, fault) in faulty {
        assert_eq!(start(&settings).err(), Some(fault));
    }
    assert!(start(&Settings { pepper: pepper(16), ..Settings::default() }).is_ok());
    let dearest =
        Settings { memory_kib: 4_194_304, passes: 64, lanes: 64, threads: Some(1_024), ..Settings::default() };
    assert_eq!(dearest.check(), Ok(()));
}

// promise S1
#[test]
fn settings_do_not_show_the_pepper() {
    let settings = Settings { pepper: Some(Zeroizing::new(b"0123456789abcdef".to_vec())), ..Settings::default() };
    let shown = format!("{settings:?}");
    assert!(shown.contains("[redacted]") && !shown.contains("48"), "{shown}");
}

#[tokio::test]
async fn a_hash_verifies_and_another_password_does_not() {
    let hasher = start(&Settings::default()).unwrap();
    let hash = hasher.reserve(Deadline::NEVER).unwrap().hash(password()).await.unwrap();
    let other = Password::parse("another password").unwrap();
    let right = hasher.reserve(Deadline::NEVER).unwrap().verify(password(), Some(hash.clone())).await.unwrap();
    let wrong = hasher.reserve(Deadline::NEVER).unwrap().verify(other, Some(hash)).await.unwrap();
    let unknown = hasher.reserve(Deadline::NEVER).unwrap().verify(password(), None).await.unwrap();
    assert!(matches!(right, PasswordVerdict::Right { rehash: None }));
    assert!(matches!(wrong, PasswordVerdict::Wrong));
    assert!(matches!(unknown, PasswordVerdict::Wrong));
}

// promise P5
#[tokio::test]
async fn past_the_queue_a_password_is_refused_and_the_ones_in_it_are_hashed() {
    let hasher = start(&Settings { threads: Some(2), queue: Some(6), ..Settings::default() }).unwrap();
    let slots: Vec<HashSlot> = std::iter::from_fn(|| hasher.reserve(Deadline::NEVER).ok()).collect();
    assert_eq!(slots.len(), 8);
    assert!(hasher.reserve(Deadline::NEVER).err().unwrap().retry_after >= Duration::from_millis(1));
    for hash in futures_util::future::join_all(slots.into_iter().map(|slot| slot.hash(password()))).await {
        hash.unwrap();
    }
    assert!(hasher.reserve(Deadline::NEVER).is_ok());
}

/// Breaks the first hash that takes a salt from it.
struct FaultyEntropy {
    armed: AtomicBool,
}

impl Entropy for FaultyEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(!self.armed.swap(false, Ordering::Relaxed), "broken on purpose");
        bytes.fill(7);
    }
}

#[tokio::test]
async fn a_panic_costs_one_password_and_not_the_thread() {
    let entropy = Arc::new(FaultyEntropy { armed: AtomicBool::new(false) });
    let settings = Settings { threads: Some(1), ..Settings::default() };
    let hasher =
        PasswordHasher::start(&settings, &MACHINE, Arc::clone(&entropy) as Arc<dyn Entropy>, Arc::new(TestClock));
    let hasher = hasher.unwrap();
    entropy.armed.store(true, Ordering::Relaxed);
    assert_eq!(hasher.reserve(Deadline::NEVER).unwrap().hash(password()).await, Err(HasherStopped));
    assert!(hasher.reserve(Deadline::NEVER).unwrap().hash(password()).await.is_ok());
}

#[tokio::test]
async fn a_dropped_hasher_ends_its_threads_and_answers_what_comes_late() {
    let hasher = start(&Settings::default()).unwrap();
    let late = hasher.reserve(Deadline::NEVER).unwrap();
    let queue = Arc::downgrade(&hasher.queue);
    drop(hasher);
    assert_eq!(queue.strong_count(), 1, "only the late slot is left");
    assert_eq!(late.hash(password()).await, Err(HasherStopped));
    assert_eq!(queue.strong_count(), 0);
}
