//! The windows of one point: minutes as they are inside the horizon, coarser ones made of them.

use super::{
    sums::Sums,
    zones::{COARSE, Span, Zones},
};
use crate::quantum::Quantum;
use dcmms_schemas::{
    id::PointNumber,
    reading::Quality,
    rollup::{Level, Rollup},
    time::{MINUTE, Moment},
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A minute that can still change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Slot {
    start: Moment,
    /// Its own row has changed since it was said.
    unsaid: bool,
    /// The rows of its quarter, hour and day have.
    unsaid_coarse: bool,
    /// Its row is to be said at the end of this tick.
    closes: bool,
    /// It is other than the last cut has it.
    #[serde(skip)]
    fresh: bool,
    sums: Sums,
}

/// The part of a coarser window whose minutes have left the horizon.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Frozen {
    span: Span,
    unsaid: bool,
    sums: Sums,
}

/// A ring of minutes and, per coarser level, the one window that the horizon's edge runs through. A minute costs 128
/// bytes while it is inside the horizon; empty minutes cost nothing, and so do windows wholly outside.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    /// The end of the oldest minute that can still change; asked for each reading, so it is kept where no slot is touched.
    oldest_end: Moment,
    slots: VecDeque<Slot>,
    frozen: Option<Box<[Option<Frozen>; 3]>>,
    /// What is frozen is other than the last cut has it.
    frozen_fresh: bool,
}

/// Windows in a checkpoint: minutes before `oldest` have left, `slots` came or changed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct KeptWindows {
    oldest: Moment,
    slots: Vec<Slot>,
    /// What is frozen, where that changed.
    frozen: Option<[Option<Frozen>; 3]>,
}

/// How and whose rows are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) point: PointNumber,
    pub(crate) quantum: Quantum,
    pub(crate) zone: u16,
}

impl Windows {
    pub(crate) const EMPTY: Windows = Windows { oldest_end: Moment::MAX, slots: VecDeque::new(), frozen: None, frozen_fresh: false };

    /// Counts a reading whose minute has not left the horizon. True when it opened a minute newer than all others, so
    /// that the one before it closes.
    #[inline]
    pub(crate) fn add(&mut self, at: Moment, value: f64, quality: Quality, quantum: Quantum) -> bool {
        if let Some(newest) = self.slots.back_mut().filter(|newest| newest.start <= at && at < newest.start.plus(MINUTE)) {
            newest.sums.add(at, value, quality, quantum);
            (newest.unsaid, newest.unsaid_coarse, newest.fresh) = (true, true, true);
            return false;
        }
        self.add_elsewhere(at, value, quality, quantum)
    }

    #[inline(never)]
    fn add_elsewhere(&mut self, at: Moment, value: f64, quality: Quality, quantum: Quantum) -> bool {
        let start = at.floor(MINUTE);
        let index = self.slots.partition_point(|slot| slot.start < start);
        let fresh = self.slots.get(index).is_none_or(|slot| slot.start != start);
        let opens = fresh && index == self.slots.len() && index > 0;
        if opens {
            (self.slots[index - 1].closes, self.slots[index - 1].fresh) = (true, true);
        }
        if fresh {
            self.slots.insert(index, Slot { start, unsaid: true, unsaid_coarse: true, closes: false, fresh: true, sums: Sums::EMPTY });
        }
        self.oldest_end = self.oldest_end.min(start.plus(MINUTE));
        let slot = &mut self.slots[index];
        slot.sums.add(at, value, quality, quantum);
        (slot.unsaid, slot.unsaid_coarse, slot.fresh) = (true, true, true);
        opens
    }

    /// Puts new sums in the place of a minute's: one of its readings was replaced.
    pub(crate) fn replace(&mut self, at: Moment, sums: Sums) {
        let start = at.floor(MINUTE);
        if let Ok(index) = self.slots.binary_search_by(|slot| slot.start.cmp(&start)) {
            let slot = &mut self.slots[index];
            (slot.unsaid, slot.unsaid_coarse, slot.fresh, slot.sums) = (true, true, true, sums);
        }
    }

    /// What a cut must have of the windows: all, or those that changed since the last one. From then on it has them.
    pub(super) fn keep(&mut self, all: bool) -> KeptWindows {
        let fresh = |slot: &mut Slot| (std::mem::take(&mut slot.fresh) || all).then(|| slot.clone());
        let slots = self.slots.iter_mut().filter_map(fresh).collect();
        let frozen = (std::mem::take(&mut self.frozen_fresh) || all).then(|| self.frozen.as_deref().cloned().unwrap_or_default());
        let oldest = if all { Moment::MAX } else { self.slots.front().map_or(Moment::MAX, |oldest| oldest.start) };
        KeptWindows { oldest, slots, frozen }
    }

    /// Takes over what cuts had, one after the other.
    pub(super) fn restore(kept: impl Iterator<Item = KeptWindows>) -> Windows {
        let (mut slots, mut frozen) = (std::collections::BTreeMap::new(), None);
        for kept in kept {
            slots = slots.split_off(&kept.oldest);
            slots.extend(kept.slots.into_iter().map(|slot| (slot.start, slot)));
            frozen = kept.frozen.or(frozen);
        }
        let slots: VecDeque<Slot> = slots.into_values().collect();
        let frozen = frozen.filter(|frozen| frozen.iter().any(Option::is_some)).map(Box::new);
        let oldest_end = slots.front().map_or(Moment::MAX, |oldest| oldest.start.plus(MINUTE));
        Windows { oldest_end, slots, frozen, frozen_fresh: false }
    }

    /// The end of the oldest minute that can still change.
    pub(crate) fn oldest_end(&self) -> Moment {
        self.oldest_end
    }

    /// Merges the minutes that end by `edge` into what they are part of, and says the last rows of windows that end by
    /// then, unless they were said as they are.
    pub(crate) fn retire(&mut self, edge: Moment, form: Form, zones: &mut Zones, mut say: impl FnMut(Rollup)) {
        while self.oldest_end <= edge {
            let Some(slot) = self.slots.pop_front() else { break };
            self.oldest_end = self.slots.front().map_or(Moment::MAX, |oldest| oldest.start.plus(MINUTE));
            if slot.unsaid {
                say(slot.row(form));
            }
            let spans = zones.spans(form.zone, slot.start);
            self.frozen_fresh = true;
            let frozen = self.frozen.get_or_insert_default();
            for ((frozen, level), span) in frozen.iter_mut().zip(COARSE).zip(spans) {
                match frozen {
                    Some(frozen) if frozen.span.0 == span.0 => {
                        frozen.sums.merge(&slot.sums);
                        frozen.unsaid |= slot.unsaid_coarse;
                    }
                    _ => {
                        let before = frozen.replace(Frozen { span, unsaid: slot.unsaid_coarse, sums: slot.sums });
                        before.into_iter().filter(|before| before.unsaid).for_each(|before| say(before.row(level, form)));
                    }
                }
            }
        }
        for (frozen, level) in self.frozen.iter_mut().flat_map(|frozen| frozen.iter_mut()).zip(COARSE) {
            if let Some(ended) = frozen.take_if(|frozen| frozen.span.1 <= edge) {
                self.frozen_fresh = true;
                Some(ended).into_iter().filter(|ended| ended.unsaid).for_each(|ended| say(ended.row(level, form)));
            }
        }
    }

    /// Says the rows of minutes that closed at this tick.
    pub(crate) fn say_closed(&mut self, form: Form, mut say: impl FnMut(Rollup)) {
        for slot in self.slots.iter_mut().filter(|slot| slot.closes) {
            (slot.closes, slot.fresh) = (false, true);
            if std::mem::take(&mut slot.unsaid) {
                say(slot.row(form));
            }
        }
    }

    /// Says the rows of minutes that changed since they were said.
    pub(crate) fn say_minutes(&mut self, form: Form, mut say: impl FnMut(Rollup)) {
        for slot in self.slots.iter_mut().filter(|slot| slot.unsaid) {
            (slot.unsaid, slot.fresh) = (false, true);
            say(slot.row(form));
        }
    }

    /// Says the rows of quarters, hours and days that changed since they were said: what is frozen of each, and its
    /// minutes inside the horizon.
    pub(crate) fn say_coarse(&mut self, form: Form, zones: &mut Zones, mut say: impl FnMut(Rollup)) {
        let mut open: [Option<Frozen>; 3] = match &mut self.frozen {
            Some(frozen) => std::array::from_fn(|level| {
                let copy = frozen[level].clone();
                self.frozen_fresh |= copy.as_ref().is_some_and(|copy| copy.unsaid);
                frozen[level].iter_mut().for_each(|frozen| frozen.unsaid = false);
                copy
            }),
            None => [None, None, None],
        };
        for slot in &mut self.slots {
            let unsaid = std::mem::take(&mut slot.unsaid_coarse);
            slot.fresh |= unsaid;
            let spans = zones.spans(form.zone, slot.start);
            for ((open, level), span) in open.iter_mut().zip(COARSE).zip(spans) {
                match open {
                    Some(open) if open.span.0 == span.0 => {
                        open.sums.merge(&slot.sums);
                        open.unsaid |= unsaid;
                    }
                    _ => {
                        let before = open.replace(Frozen { span, unsaid, sums: slot.sums });
                        before.into_iter().filter(|before| before.unsaid).for_each(|before| say(before.row(level, form)));
                    }
                }
            }
        }
        for (open, level) in open.into_iter().zip(COARSE) {
            open.into_iter().filter(|open| open.unsaid).for_each(|open| say(open.row(level, form)));
        }
    }

    /// Makes all rows count as unsaid: someone new listens.
    pub(crate) fn forget_said(&mut self) {
        self.slots.iter_mut().for_each(|slot| (slot.unsaid_coarse, slot.fresh) = (true, true));
        self.frozen_fresh = true;
        self.frozen.iter_mut().flat_map(|frozen| frozen.iter_mut()).flatten().for_each(|frozen| frozen.unsaid = true);
    }
}

impl Slot {
    fn row(&self, form: Form) -> Rollup {
        self.sums.row(form.point, Level::Minute, self.start, form.quantum)
    }
}

impl Frozen {
    fn row(&self, level: Level, form: Form) -> Rollup {
        self.sums.row(form.point, level, self.span.0, form.quantum)
    }
}
