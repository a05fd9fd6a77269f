//! The quarters that the figures are made of, held so that a start can tell them again.

use super::Quarter;
use crate::{
    Diff, Flow, Rows,
    control::{Control, Told},
    keep::{Keep, Keeper, Pages, Restored},
    real::Real,
};
use dcmms_schemas::{
    checkpoint::shard_of,
    id::PointNumber,
    time::{Moment, Tick},
};
use differential_dataflow::{AsCollection, consolidation::consolidate};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use timely::dataflow::{channels::pact::Pipeline, operators::generic::Operator};

/// Passes quarters on as they come, and holds those that stand: some 60 bytes each. At a start it says them all at the tick of the
/// cut.
pub(super) fn kept<'s>(
    quarters: Rows<'s, (PointNumber, Quarter)>,
    control: Flow<'s, Control>,
    keeper: &Keeper,
) -> Rows<'s, (PointNumber, Quarter)> {
    let scope = control.scope();
    let keeper = keeper.clone();
    let mut held =
        keeper.enter(Held { index: scope.index(), peers: scope.peers(), rows: FxHashMap::default(), changed: FxHashSet::default() });
    let rows = control.binary_frontier(quarters.inner, Pipeline, Pipeline, "KeepQuarters", move |capability, _| {
        let mut first = keeper.restored_tick().map(|tick| (capability.delayed(&tick), held.told_at(tick)));
        let mut open: BTreeMap<Tick, (_, Told, Vec<((PointNumber, Quarter), Diff)>)> = BTreeMap::new();
        move |(control, told_frontier), (quarters, quarters_frontier), output| {
            if let Some((capability, rows)) = first.take() {
                output.session(&capability).give_iterator(rows.into_iter());
            }
            let port = output.output_index();
            control.for_each(|capability, controls| {
                let tick = *capability.time();
                let (_, told, _) = open.entry(tick).or_insert_with(|| (capability.retain(port), Told::default(), Vec::new()));
                controls.drain(..).for_each(|control| told.push(control));
            });
            quarters.for_each(|capability, changes| {
                for (row, tick, diff) in changes.drain(..) {
                    let (_, _, rows) = open.entry(tick).or_insert_with(|| (capability.delayed(&tick, port), Told::default(), Vec::new()));
                    rows.push((row, diff));
                }
            });
            while let Some(entry) = open.first_entry() {
                if told_frontier.less_equal(entry.key()) || quarters_frontier.less_equal(entry.key()) {
                    break;
                }
                let (tick, (capability, told, mut rows)) = entry.remove_entry();
                consolidate(&mut rows);
                rows.iter().for_each(|(row, diff)| held.hear(row, *diff));
                output.session(&capability).give_iterator(rows.into_iter().map(|(row, diff)| (row, tick, diff)));
                if let Some(cut) = told.cut {
                    keeper.save(&mut held, cut);
                }
            }
        }
    });
    rows.as_collection()
}

/// The quarters of the points of this worker.
struct Held {
    index: usize,
    peers: usize,
    /// Mean, first and last.
    rows: FxHashMap<(PointNumber, Moment), [Real; 3]>,
    changed: FxHashSet<(PointNumber, Moment)>,
}

impl Held {
    /// What is taken back is passed over when another stands in its place by now: the two come in any order.
    fn hear(&mut self, (point, quarter): &(PointNumber, Quarter), diff: Diff) {
        let (key, row) = ((*point, quarter.start), [quarter.mean, quarter.first, quarter.last]);
        if diff > 0 {
            self.rows.insert(key, row);
        } else if self.rows.get(&key) == Some(&row) {
            self.rows.remove(&key);
        }
        self.changed.insert(key);
    }

    fn told_at(&self, tick: Tick) -> Vec<((PointNumber, Quarter), Tick, Diff)> {
        let row = |(key, row): (&(PointNumber, Moment), &[Real; 3])| {
            let [mean, first, last] = *row;
            ((key.0, Quarter { start: key.1, mean, first, last }), tick, 1)
        };
        self.rows.iter().map(row).collect()
    }
}

impl Keep for Held {
    const NAME: &'static str = "quarters";

    fn save(&mut self, pages: &mut Pages) {
        for (key, row) in &self.rows {
            let shard = shard_of(u64::from(key.0.0));
            if pages.wants_all(shard) {
                pages.put(shard, key, row);
            }
        }
        for key in std::mem::take(&mut self.changed) {
            let shard = shard_of(u64::from(key.0.0));
            match self.rows.get(&key) {
                _ if pages.wants_all(shard) => {}
                Some(row) => pages.put(shard, &key, row),
                None => pages.gone(shard, &key),
            }
        }
    }

    fn load(&mut self, restored: &Restored) {
        let (index, peers) = (self.index, self.peers);
        let mine = |(point, _): &(PointNumber, Moment)| point.0 as usize % peers == index;
        restored.newest(Self::NAME, mine, |key, row| {
            self.rows.insert(key, row);
        });
    }
}
