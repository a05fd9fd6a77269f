//! Which point a key names: looked up once per reading, changed a few times a day.

use crate::quantum::Quantum;
use dcmms_schemas::{
    domain::{Event, Row},
    plant::Point,
};
use rustc_hash::FxHashMap;
use uuid::Uuid;

/// What the decoder needs to know of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    pub(crate) quantum: Quantum,
}

/// One row of the hash table; empty when its hash is 0.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    key_start: u32,
    key_len: u32,
    entry: Entry,
}

const EMPTY: Slot = Slot { hash: 0, key_start: 0, key_len: 0, entry: Entry { number: 0, quantum: Quantum::UNIT } };

/// Every point by its key: open addressing over one array, the keys end to end in another, so that a look-up touches
/// two places. Where two points claim a key, the greater number has it, whatever the order of the events.
#[derive(Debug)]
pub(crate) struct Directory {
    /// The greatest version of each id, and the point unless it was removed.
    known: FxHashMap<Uuid, (i64, Option<(String, Entry)>)>,
    slots: Vec<Slot>,
    keys: Vec<u8>,
    filled: usize,
    /// A point was removed or renamed, so the table is made anew before the next look-up.
    stale: bool,
}

impl Directory {
    const SLOTS_MIN: usize = 64;

    pub(crate) fn new() -> Directory {
        Directory { known: FxHashMap::default(), slots: vec![EMPTY; Directory::SLOTS_MIN], keys: Vec::new(), filled: 0, stale: false }
    }

    /// Takes in a change of the domain; [`Directory::settle`] must follow before the next look-up.
    pub(crate) fn apply(&mut self, event: &Event) {
        let Row::Point(point) = &event.row else { return };
        if self.known.get(&point.id).is_some_and(|(version, _)| *version >= event.version) {
            return;
        }
        let now = (!event.removed).then(|| (point.key.clone(), entry_of(point)));
        let before = self.known.insert(point.id, (event.version, now.clone()));
        match (before, now) {
            (Some((_, Some(before))), Some(now)) if before == now => {}
            (Some((_, Some(_))), _) => self.stale = true,
            (_, Some((key, entry))) if !self.stale => self.insert(key.as_bytes(), entry),
            _ => {}
        }
    }

    /// Makes the table anew if points were removed or renamed.
    pub(crate) fn settle(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.slots.fill(EMPTY);
        self.keys.clear();
        self.filled = 0;
        let known = std::mem::take(&mut self.known);
        for (key, entry) in known.values().filter_map(|(_, point)| point.as_ref()) {
            self.insert(key.as_bytes(), *entry);
        }
        self.known = known;
    }

    /// The point of this name.
    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> Option<Entry> {
        let hash = hash_of(key);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = &self.slots[at];
            if slot.hash == hash && self.key_of(slot) == key {
                return Some(slot.entry);
            }
            if slot.hash == 0 {
                return None;
            }
            at = (at + 1) & mask;
        }
    }

    fn key_of(&self, slot: &Slot) -> &[u8] {
        &self.keys[slot.key_start as usize..][..slot.key_len as usize]
    }

    fn insert(&mut self, key: &[u8], entry: Entry) {
        if (self.filled + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let hash = hash_of(key);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while self.slots[at].hash != 0 {
            if self.slots[at].hash == hash && self.key_of(&self.slots[at]) == key {
                if self.slots[at].entry.number <= entry.number {
                    self.slots[at].entry = entry;
                }
                return;
            }
            at = (at + 1) & mask;
        }
        let key_start = u32::try_from(self.keys.len()).expect("the keys of all points fit into 4 GiB");
        self.keys.extend_from_slice(key);
        self.slots[at] = Slot { hash, key_start, key_len: key.len() as u32, entry };
        self.filled += 1;
    }

    fn grow(&mut self) {
        let wider = vec![EMPTY; self.slots.len() * 2];
        let mask = wider.len() - 1;
        for slot in std::mem::replace(&mut self.slots, wider) {
            if slot.hash != 0 {
                let mut at = slot.hash as usize & mask;
                while self.slots[at].hash != 0 {
                    at = (at + 1) & mask;
                }
                self.slots[at] = slot;
            }
        }
    }
}

fn entry_of(point: &Point) -> Entry {
    Entry { number: point.number.0, quantum: Quantum::new(point.resolution) }
}

/// Folds eight bytes at a time by a wide multiplication (as wyhash does), so that every bit of a key reaches every bit
/// of the hash. It is not meant to stand against an adversary: the keys in the table are the operator's own, and a
/// look-up of a stranger's key costs at most the longest run of them. Never 0.
#[inline]
fn hash_of(key: &[u8]) -> u64 {
    const SEED: u64 = 0x9e37_79b9_7f4a_7c15;
    const PRIME: u64 = 0xd6e8_feb8_6659_fd93;
    let mut hash = SEED ^ key.len() as u64;
    let mut words = key.chunks_exact(8);
    for word in &mut words {
        hash = fold(hash ^ u64::from_le_bytes(word.try_into().expect("a chunk of eight bytes")), PRIME);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        hash = fold(hash ^ u64::from_le_bytes(word), PRIME);
    }
    fold(hash, SEED) | 1
}

#[inline]
fn fold(left: u64, right: u64) -> u64 {
    let wide = u128::from(left) * u128::from(right);
    wide as u64 ^ (wide >> 64) as u64
}

#[cfg(test)]
mod tests;
