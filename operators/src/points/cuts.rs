//! Which points a cut must have, and when it gets them.
//!
//! A cut has every point as it was after the cut's tick, but writing all of them at once would hold the worker up. So they are
//! written in slices over the next ticks, and a point that is about to change before its turn is written then.

use super::state::State;
use crate::keep::Pages;
use dcmms_schemas::{checkpoint::shard_of, id::PointNumber};

/// Over how many ticks the points of a cut are written, unless they are fewer than a slice is worth.
const SLICES: usize = 8;
/// One in tests, so that points change before their turn.
const SLICE_MIN: usize = if cfg!(test) { 1 } else { 1_024 };

/// What changed since the last cut, and what a cut under way still has to write.
#[derive(Debug)]
pub(super) struct Cuts {
    /// The number of the cut that comes next.
    next: u32,
    changed: Vec<u32>,
    gone: Vec<(u32, PointNumber)>,
    under_way: Option<UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    pages: Pages,
    waiting: Vec<u32>,
    slice: usize,
}

/// The points of a worker by index.
pub(super) type States = [Option<Box<State>>];

impl Cuts {
    pub(super) fn new() -> Cuts {
        Cuts { next: State::KEPT + 1, changed: Vec::new(), gone: Vec::new(), under_way: None }
    }

    /// To be called before a point changes; the first time after a cut it notes the point.
    #[inline]
    pub(super) fn touch(&mut self, state: &mut State, index: u32) {
        if state.changed_for != self.next {
            self.note(state, index);
        }
    }

    #[inline(never)]
    fn note(&mut self, state: &mut State, index: u32) {
        if let Some(under_way) = &mut self.under_way {
            under_way.write(state);
        }
        state.changed_for = self.next;
        self.changed.push(index);
    }

    /// To be called before a point goes.
    pub(super) fn remove(&mut self, state: &mut State, index: u32) {
        if let Some(under_way) = self.under_way.as_mut().filter(|_| state.changed_for != self.next) {
            under_way.write(state);
        }
        self.gone.push((index, state.number));
    }

    /// Begins a cut; the one before must be over. `owned` gives the number of the point at an index.
    pub(super) fn begin(&mut self, mut pages: Pages, states: &mut States, owned: impl Fn(u32) -> u32) {
        assert!(self.under_way.is_none(), "one cut is over before the next begins");
        let mut waiting = std::mem::take(&mut self.changed);
        for (index, state) in states.iter_mut().enumerate() {
            let index = index as u32;
            if pages.wants_all(shard_of(owned(index).into()))
                && let Some(state) = state
                && state.changed_for == State::KEPT
            {
                state.changed_for = self.next;
                waiting.push(index);
            }
        }
        for (index, number) in std::mem::take(&mut self.gone) {
            // A point that came back is written as it is now.
            if states[index as usize].is_none() {
                pages.gone(shard_of(number.0.into()), &number);
            }
        }
        self.next += 1;
        let slice = if pages.cut().at_once { waiting.len() } else { waiting.len().div_ceil(SLICES).max(SLICE_MIN) };
        self.under_way = Some(UnderWay { pages, waiting, slice });
    }

    /// Writes the next slice; gives the pages back when that was the last.
    pub(super) fn go_on(&mut self, states: &mut States) -> Option<Pages> {
        let under_way = self.under_way.as_mut()?;
        let rest = under_way.waiting.len().saturating_sub(under_way.slice);
        for index in under_way.waiting.split_off(rest) {
            if let Some(state) = states[index as usize].as_deref_mut().filter(|state| state.changed_for < self.next) {
                under_way.write(state);
            }
        }
        if under_way.waiting.is_empty() { self.under_way.take().map(|under_way| under_way.pages) } else { None }
    }

    /// Writes all that is left of a cut.
    pub(super) fn finish(&mut self, states: &mut States) -> Option<Pages> {
        self.under_way.as_mut()?.slice = usize::MAX;
        self.go_on(states)
    }
}

impl UnderWay {
    /// Writes a point as it is, unless this cut has it or does not want it.
    fn write(&mut self, state: &mut State) {
        if state.changed_for == State::KEPT {
            return;
        }
        let shard = shard_of(state.number.0.into());
        let record = state.keep(self.pages.wants_all(shard));
        self.pages.put_bytes(shard, &state.number, &record);
        state.changed_for = State::KEPT;
    }
}
