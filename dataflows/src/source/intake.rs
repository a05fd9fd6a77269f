//! What the reader threads have fetched, as worker 0 sees it when it mints.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// Per source partition: how far messages wait in the queues, and whether the broker had no more.
#[derive(Debug)]
pub struct Intake {
    partitions: Vec<Partition>,
    stopped: AtomicBool,
}

#[derive(Debug)]
struct Partition {
    /// The offset after the last message handed to the worker's queue.
    fetched: AtomicI64,
    /// The offset at which the broker last said "end".
    end: AtomicI64,
}

impl Intake {
    /// Starts each partition at the offset that will be read first.
    pub fn new(starts: &[i64]) -> Intake {
        let partition = |&start: &i64| Partition { fetched: AtomicI64::new(start), end: AtomicI64::new(-1) };
        Intake { partitions: starts.iter().map(partition).collect(), stopped: AtomicBool::new(false) }
    }

    pub fn fetched(&self, source: usize) -> i64 {
        self.partitions[source].fetched.load(Ordering::Acquire)
    }

    /// True when everything the broker had, as of its last answer, waits in our queues or is done.
    pub fn caught_up(&self, source: usize) -> bool {
        self.partitions[source].end.load(Ordering::Acquire) >= self.fetched(source)
    }

    pub(crate) fn advance(&self, source: usize, next: i64) {
        self.partitions[source].fetched.fetch_max(next, Ordering::Release);
    }

    pub(crate) fn ended(&self, source: usize, offset: i64) {
        // Offsets without a message (aborted transactions, compaction) are passed over as well.
        self.advance(source, offset);
        self.partitions[source].end.store(offset, Ordering::Release);
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
    }

    pub(crate) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}
