//! Keeps producers of readings from overrunning the in-process broker.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Readings that wait in the broker at most, however they spread over its partitions: half of what one of them keeps.
const MESSAGES_MAX: usize = 50_000;
const BYTES_MAX: u64 = 5 * 1024 * 1024 / 2;
/// What the broker keeps of a message beside key and payload: offsets, times, headers.
const OVERHEAD_BYTES: u64 = 64;
/// How long one look at the reader lasts.
const LOOK: Duration = Duration::from_millis(2);

/// Compares what was produced with what the engine has bound to ticks. Clones share the count; whoever would go beyond waits.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
}

/// What was produced and is not bound to a tick yet. Sizes leave in the order in which they came, which is nearly the order in
/// which partitions are read; the other half of what a partition keeps is for the difference.
#[derive(Debug, Default)]
struct Waiting {
    sizes: VecDeque<u64>,
    bytes: u64,
    produced: u64,
    consumed: u64,
}

impl Pace {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells how many messages of readings are bound to ticks, over all partitions. Until the engine runs none is.
    pub fn consumed(&self, messages: u64) {
        let mut waiting = self.waiting();
        waiting.consumed = waiting.consumed.max(messages);
        let unread = usize::try_from(waiting.produced.saturating_sub(waiting.consumed)).unwrap_or(usize::MAX);
        let read = waiting.sizes.len().saturating_sub(unread);
        let freed: u64 = waiting.sizes.drain(..read).sum();
        waiting.bytes -= freed;
    }

    /// Counts a message in when there is room for it; one that is larger than all the room passes alone.
    pub fn try_pass(&self, message_bytes: usize) -> bool {
        let mut waiting = self.waiting();
        let bytes = message_bytes as u64 + OVERHEAD_BYTES;
        let room = waiting.sizes.is_empty() || (waiting.sizes.len() < MESSAGES_MAX && waiting.bytes + bytes <= BYTES_MAX);
        if room {
            waiting.produced += 1;
        }
        if room && waiting.produced > waiting.consumed {
            waiting.sizes.push_back(bytes);
            waiting.bytes += bytes;
        }
        room
    }

    /// Waits on this thread until there is room, or until `give_up`; false then. For threads of their own, not for tasks.
    pub fn pass_blocking(&self, message_bytes: usize, give_up: impl Fn() -> bool) -> bool {
        while !self.try_pass(message_bytes) {
            if give_up() {
                return false;
            }
            std::thread::park_timeout(LOOK);
        }
        true
    }

    /// Waits until there is room.
    pub async fn pass(&self, message_bytes: usize) {
        while !self.try_pass(message_bytes) {
            tokio::time::sleep(LOOK).await;
        }
    }
}
