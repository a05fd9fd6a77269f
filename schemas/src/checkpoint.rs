//! What the engine keeps of itself, so that a start need not read everything again.
//!
//! State is cut into [`SHARDS`] by a hash of what it belongs to, never by worker, so another number of workers reads the same. A
//! checkpoint writes some shards whole and of the others what changed since the checkpoint before; [`CHAIN_MAX`] in a row have
//! written each shard whole once.

use crate::{binding::Binding, time::Tick};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const SHARDS: usize = 256;

/// The most checkpoints that one needs to be read, itself included.
pub const CHAIN_MAX: usize = 16;

/// The shard of what has this hash, or this number: numbers in a row are spread evenly.
pub const fn shard_of(hash: u64) -> u8 {
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

/// Where a checkpoint is taken: after this tick and before the next, on every worker and in every operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    pub tick: Tick,
    /// Its place in a row of checkpoints that each go on from the one before. The first, 0, has everything.
    pub turn: u64,
    /// True for the last tick before an end: nobody waits for the pause.
    pub at_once: bool,
}

impl Cut {
    /// Whether it has this shard whole: each has one in [`CHAIN_MAX`], in turn.
    pub const fn has_whole(&self, shard: u8) -> bool {
        self.turn == 0 || shard as u64 % CHAIN_MAX as u64 == self.turn % CHAIN_MAX as u64
    }

    /// How many checkpoints it takes to read this one, itself included.
    pub const fn chain_length(&self) -> usize {
        if self.turn < CHAIN_MAX as u64 { self.turn as usize + 1 } else { CHAIN_MAX }
    }
}

/// What one operator of one worker wrote of one shard: entries, each with its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub operator: String,
    pub shard: u8,
    /// Stands for all that this worker held of the shard; otherwise for what changed since the checkpoint before.
    pub whole: bool,
    pub bytes: Vec<u8>,
}

/// One worker's share of a checkpoint.
#[derive(Debug)]
pub struct KeptPart {
    pub cut: Cut,
    pub worker: usize,
    pub workers: usize,
    pub blocks: Vec<Block>,
}

/// A checkpoint that was read back, or one that was taken over from memory.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The last tick that is in it.
    pub binding: Binding,
    /// Its place in a row of checkpoints, see [`Cut::turn`].
    pub turn: u64,
    pub shards: Shards,
}

/// The blocks that say what each operator held of each shard: the whole ones first, later changes after them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shards(pub BTreeMap<(String, u8), Vec<Vec<u8>>>);

impl Shards {
    /// Adds the next checkpoint of a chain, all its workers' blocks together. What it has whole takes the place of all before.
    pub fn layer(&mut self, blocks: Vec<Block>) {
        for block in blocks.iter().filter(|block| block.whole) {
            self.0.remove(&(block.operator.clone(), block.shard));
        }
        for block in blocks {
            self.0.entry((block.operator, block.shard)).or_default().push(block.bytes);
        }
    }

    pub fn bytes(&self) -> usize {
        self.0.values().flatten().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(shard: u8, whole: bool, byte: u8) -> Block {
        Block { operator: "points".to_owned(), shard, whole, bytes: vec![byte] }
    }

    #[test]
    fn a_whole_shard_takes_the_place_of_all_before() {
        let mut shards = Shards::default();
        shards.layer(vec![block(0, true, 1), block(0, true, 2), block(1, true, 3)]);
        shards.layer(vec![block(0, false, 4), block(1, true, 5)]);
        shards.layer(vec![block(1, false, 6)]);
        let at = |shard: u8| shards.0[&("points".to_owned(), shard)].concat();
        assert_eq!((at(0), at(1)), (vec![1, 2, 4], vec![5, 6]));
    }

    #[test]
    fn a_chain_has_every_shard_whole_once() {
        for last in [0, 1, 14, 15, 16, 17, 40] {
            let cut = |turn| Cut { tick: turn, turn, at_once: false };
            let first = last + 1 - cut(last).chain_length() as u64;
            let has = |shard| (first..=last).any(|turn| cut(turn).has_whole(shard));
            assert!((0..=u8::MAX).all(has), "up to turn {last}");
        }
    }

    #[test]
    fn numbers_in_a_row_fall_evenly() {
        let mut counts = [0; SHARDS];
        (0..256_000u64).for_each(|number| counts[usize::from(shard_of(number))] += 1);
        assert!(counts.iter().all(|count| (900..1_100).contains(count)), "{counts:?}");
    }
}
