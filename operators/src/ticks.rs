//! Working tick by tick: on what the control stream tells, and on what differential says.

use crate::{
    Diff, Flow, Rows,
    control::{Control, Told},
};
use dcmms_schemas::time::Tick;
use differential_dataflow::consolidation::consolidate;
use std::collections::BTreeMap;
use timely::dataflow::{channels::pact::Pipeline, operators::generic::Operator};

/// Calls the logic once per tick, in order, when all that a tick was told is known.
pub trait Ticks<'s> {
    /// Emits at each tick what `logic` returns for it. Holds the ticks under way, which the source bounds.
    fn each_tick<O, L>(self, name: &str, logic: L) -> Flow<'s, O>
    where
        O: Clone + 'static,
        L: FnMut(Tick, Told) -> Vec<O> + 'static;

    /// As [`Ticks::each_tick`], with what is to be said at one tick before all that come: what was true at a start.
    fn each_tick_after<O, L>(self, name: &str, first: Option<(Tick, Vec<O>)>, logic: L) -> Flow<'s, O>
    where
        O: Clone + 'static,
        L: FnMut(Tick, Told) -> Vec<O> + 'static;
}

impl<'s> Ticks<'s> for Flow<'s, Control> {
    fn each_tick<O, L>(self, name: &str, logic: L) -> Flow<'s, O>
    where
        O: Clone + 'static,
        L: FnMut(Tick, Told) -> Vec<O> + 'static,
    {
        self.each_tick_after(name, None, logic)
    }

    fn each_tick_after<O, L>(self, name: &str, first: Option<(Tick, Vec<O>)>, mut logic: L) -> Flow<'s, O>
    where
        O: Clone + 'static,
        L: FnMut(Tick, Told) -> Vec<O> + 'static,
    {
        self.unary_frontier(Pipeline, name, move |capability, _| {
            let mut first = first.map(|(tick, said)| (capability.delayed(&tick), said));
            let mut open = BTreeMap::new();
            move |(input, frontier), output| {
                if let Some((capability, said)) = first.take() {
                    output.session(&capability).give_iterator(said.into_iter());
                }
                let port = output.output_index();
                input.for_each(|capability, controls| {
                    let tick = *capability.time();
                    let (_, told) = open.entry(tick).or_insert_with(|| (capability.retain(port), Told::default()));
                    controls.drain(..).for_each(|control| told.push(control));
                });
                while let Some(entry) = open.first_entry() {
                    if frontier.less_equal(entry.key()) {
                        break;
                    }
                    let (tick, (capability, told)) = entry.remove_entry();
                    output.session(&capability).give_iterator(logic(tick, told).into_iter());
                }
            }
        })
    }
}

/// Calls the logic once per tick, in order, with all differences of a tick added up and sorted.
pub trait TickRows<'s, D> {
    /// The tick is the one in the differences: the capability under which differential sends them may be an older one.
    fn each_tick_of_rows<O, L>(self, name: &str, logic: L) -> Flow<'s, O>
    where
        O: Clone + 'static,
        L: FnMut(Tick, Vec<(D, Diff)>) -> Vec<O> + 'static;
}

impl<'s, D: Ord + Clone + 'static> TickRows<'s, D> for Rows<'s, D> {
    fn each_tick_of_rows<O, L>(self, name: &str, mut logic: L) -> Flow<'s, O>
    where
        O: Clone + 'static,
        L: FnMut(Tick, Vec<(D, Diff)>) -> Vec<O> + 'static,
    {
        self.inner.unary_frontier(Pipeline, name, move |_, _| {
            let mut open = BTreeMap::new();
            move |(input, frontier), output| {
                let port = output.output_index();
                input.for_each(|capability, changes| {
                    for (row, tick, diff) in changes.drain(..) {
                        let (_, rows) = open.entry(tick).or_insert_with(|| (capability.delayed(&tick, port), Vec::new()));
                        rows.push((row, diff));
                    }
                });
                while let Some(entry) = open.first_entry() {
                    if frontier.less_equal(entry.key()) {
                        break;
                    }
                    let (tick, (capability, mut rows)) = entry.remove_entry();
                    consolidate(&mut rows);
                    if !rows.is_empty() {
                        output.session(&capability).give_iterator(logic(tick, rows).into_iter());
                    }
                }
            }
        })
    }
}
