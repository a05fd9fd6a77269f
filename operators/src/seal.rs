//! Says when nothing more can be said about a tick.

use crate::{Flow, control::Control};
use dcmms_schemas::{
    outcome::Outcome,
    sealed::{Part, Sealed},
    time::{Moment, Tick},
};
use std::collections::BTreeMap;
use timely::container::CapacityContainerBuilder;
use timely::dataflow::{channels::pact::Pipeline, operators::generic::Operator};

/// Gathers this worker's outcomes by tick and hands each tick over, in order, when the frontier has passed it.
///
/// A tick is known by its binding, so every worker hands over every tick, also an empty one. The time of an outcome's
/// message is its tick; who reads differences from differential must put them at their own times first. Holds the outcomes of the
/// ticks in flight. The result says nothing; its progress shows what was handed over. What is said at ticks up to `after` was said
/// before: a start tells differential again what it held, and its answers are in the tables.
pub fn seal<'s>(
    control: Flow<'s, Control>,
    outcomes: Flow<'s, Outcome>,
    worker: (usize, usize),
    after: Tick,
    mut hand_over: impl FnMut(Part) + 'static,
) -> Flow<'s, ()> {
    control.binary_frontier::<_, CapacityContainerBuilder<Vec<()>>, _, _, _, _>(
        outcomes,
        Pipeline,
        Pipeline,
        "Seal",
        move |_capability, _info| {
            let mut open: BTreeMap<Tick, (Option<Moment>, Outcome)> = BTreeMap::new();
            move |(control, control_frontier), (outcomes, outcomes_frontier), _output| {
                control.for_each(|_, batch| {
                    for control in batch.drain(..) {
                        if let Control::Binding(binding) = control {
                            open.entry(binding.tick).or_default().0 = Some(binding.clock);
                        }
                    }
                });
                outcomes.for_each(|capability, batch| {
                    if *capability.time() <= after {
                        return batch.clear();
                    }
                    let said = &mut open.entry(*capability.time()).or_default().1;
                    batch.drain(..).for_each(|outcome| said.append(outcome));
                });
                while let Some((&tick, _)) = open.first_key_value() {
                    if control_frontier.less_equal(&tick) || outcomes_frontier.less_equal(&tick) {
                        break;
                    }
                    let (clock, changes) = open.remove(&tick).expect("it was just looked at");
                    let clock = clock.expect("a tick with outcomes has a binding");
                    let (worker, workers) = worker;
                    hand_over(Part { worker, workers, sealed: Sealed { from: tick, upto: tick, clock, changes } });
                }
            }
        },
    )
}
