//! What the service counts of itself while it works: numbers that are added to where something happens, and read when
//! somebody asks for them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows. To add to it is one uncontended instruction: frequent calls add to several.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many spans fell under which bound.
#[derive(Debug)]
pub struct Histogram {
    /// In ascending order.
    bounds: &'static [Duration],
    /// One for each bound, and one for what is beyond them all.
    counts: Box<[AtomicU64]>,
    /// In nanoseconds: wraps after 584 years of work.
    sum: AtomicU64,
}

/// A histogram at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistogramReading {
    /// Each bound, and how many spans were no longer.
    pub buckets: Vec<(Duration, u64)>,
    pub count: u64,
    pub sum: Duration,
}

impl Histogram {
    pub fn new(bounds: &'static [Duration]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    pub fn observe(&self, span: Duration) {
        let bucket = self.bounds.iter().position(|bound| span <= *bound).unwrap_or(self.bounds.len());
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn read(&self) -> HistogramReading {
        let mut count = 0;
        let mut up_to = |each: &AtomicU64| {
            count += each.load(Ordering::Relaxed);
            count
        };
        let cumulative: Vec<u64> = self.counts.iter().map(&mut up_to).collect();
        let buckets = self.bounds.iter().copied().zip(cumulative).collect();
        HistogramReading { buckets, count, sum: Duration::from_nanos(self.sum.load(Ordering::Relaxed)) }
    }
}

/// From what memory answers to what a caller hardly waits for.
pub const CALL_BOUNDS: &[Duration] = &[
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_counts_under_every_bound_that_it_does_not_pass() {
        const BOUNDS: &[Duration] = &[Duration::from_millis(1), Duration::from_millis(10)];
        let histogram = Histogram::new(BOUNDS);
        for millis in [1, 1, 2, 10, 11] {
            histogram.observe(Duration::from_millis(millis));
        }
        let reading = histogram.read();
        assert_eq!(reading.buckets, [(BOUNDS[0], 2), (BOUNDS[1], 4)]);
        assert_eq!((reading.count, reading.sum), (5, Duration::from_millis(25)));
    }

    #[test]
    fn bounds_ascend() {
        assert!(CALL_BOUNDS.is_sorted());
    }

    #[test]
    fn a_counter_adds_up() {
        let counter = Counter::default();
        counter.add(1);
        counter.add(2);
        assert_eq!(counter.get(), 3);
    }
}
