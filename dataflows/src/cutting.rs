//! When a checkpoint is taken.

use crate::mint::Minter;
use dcmms_schemas::{checkpoint::Cut, time::Tick};
use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Worker 0's part: decides which ticks are cuts. One is under way at a time, so that at most one is held in memory.
#[derive(Debug)]
pub(crate) struct Cutting {
    every: Duration,
    /// When the last was decided.
    last_at: Instant,
    last: Tick,
    /// The place of the next in the row.
    turn: u64,
    /// Decided, and not fed yet.
    cuts: VecDeque<Cut>,
}

impl Cutting {
    /// Goes on after the checkpoint at `last`, which was followed by the one at `turn`.
    pub(crate) fn new(every_ms: u64, last: Tick, turn: u64) -> Cutting {
        Cutting { every: Duration::from_millis(every_ms), last_at: Instant::now(), last, turn, cuts: VecDeque::new() }
    }

    /// Told of each new tick: makes it a cut when it is time or somebody asked, and the one before is complete.
    pub(crate) fn minted(&mut self, minter: &Minter, asked: &AtomicBool, complete: Tick) {
        let due = self.last_at.elapsed() >= self.every || asked.load(Ordering::Acquire);
        if due && complete >= self.last {
            asked.store(false, Ordering::Release);
            self.decide(minter.last_tick(), false);
        }
    }

    /// Makes a tick a cut; `at_once` for the last of all, also when the one before is not complete.
    pub(crate) fn decide(&mut self, tick: Tick, at_once: bool) {
        self.cuts.push_back(Cut { tick, turn: self.turn, at_once });
        (self.last, self.last_at) = (tick, Instant::now());
        self.turn += 1;
    }

    /// The cut of a tick that is being fed.
    pub(crate) fn at(&mut self, tick: Tick) -> Option<Cut> {
        self.cuts.pop_front_if(|cut| cut.tick == tick)
    }
}
