//! Scripts for tests: what the control stream tells at each tick, played on a real timely cluster.

use crate::{Diff, Flow, Rows, control::Control};
use dcmms_schemas::{
    binding::Binding,
    domain::{Event, Row},
    time::{Moment, Tick},
};
use differential_dataflow::input::Input as _;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use timely::dataflow::operators::{Capture, Input, Probe, core::capture::Event as Captured, vec::Broadcast};

/// What is told, tick by tick. Ticks are 1, 2, 3, …
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    ticks: Vec<Vec<Control>>,
}

pub(crate) fn event(version: i64, at: Moment, row: Row) -> Event {
    Event { version, at, removed: false, row }
}

pub(crate) fn binding(tick: Tick, clock: Moment) -> Binding {
    Binding { tick, generation: 1, clock, upto: vec![], watermarks: vec![], idle: vec![] }
}

impl Script {
    pub(crate) fn tick(&mut self, clock: Moment, events: Vec<Event>) {
        let tick = self.ticks.len() as Tick + 1;
        let domain = events.into_iter().map(|event| Control::Domain(Arc::new(event)));
        self.ticks.push(domain.chain([Control::Binding(Arc::new(binding(tick, clock)))]).collect());
    }

    /// Plays the script on so many workers: worker 0 tells, all hear. Returns what each tick's outputs were, those of all
    /// workers together, by tick.
    pub(crate) fn play<O, B>(self, workers: usize, build: B) -> Vec<(Tick, Vec<O>)>
    where
        O: Clone + Send + 'static,
        B: for<'s> Fn(Flow<'s, Control>) -> Flow<'s, O> + Send + Sync + 'static,
    {
        self.play_with(Vec::<Vec<((), Diff)>>::new(), workers, move |control, _| build(control))
    }

    /// As [`Script::play`], with differences of rows at each tick, which reach the flow on any worker.
    pub(crate) fn play_with<R, O, B>(self, rows: Vec<Vec<(R, Diff)>>, workers: usize, build: B) -> Vec<(Tick, Vec<O>)>
    where
        R: differential_dataflow::ExchangeData + Sync,
        O: Clone + Send + 'static,
        B: for<'s> Fn(Flow<'s, Control>, Rows<'s, R>) -> Flow<'s, O> + Send + Sync + 'static,
    {
        let (sender, receiver) = std::sync::mpsc::channel();
        let sender = Mutex::new(sender);
        let guards = timely::execute(timely::Config::process(workers), move |worker| {
            let sender = sender.lock().expect("no test thread panics here").clone();
            let (mut input, mut session, probe) = worker.dataflow::<Tick, _, _>(|scope| {
                let (input, control) = scope.new_input::<Vec<Control>>();
                let (session, collection) = scope.new_collection::<R, Diff>();
                let (probe, output) = build(control.broadcast(), collection).probe();
                output.capture_into(sender);
                (input, session, probe)
            });
            for (index, controls) in self.ticks.iter().enumerate() {
                let tick = index as Tick + 1;
                input.advance_to(tick);
                session.advance_to(tick);
                if worker.index() == 0 {
                    controls.iter().cloned().for_each(|control| input.send(control));
                }
                let mine = |(row, _): &(usize, &(R, Diff))| (row + index) % worker.peers() == worker.index();
                for (_, (row, diff)) in rows.get(index).into_iter().flatten().enumerate().filter(mine) {
                    session.update(row.clone(), *diff);
                }
                // Some ticks are under way together, as they are live.
                if index % 3 == 2 {
                    input.advance_to(tick + 1);
                    session.advance_to(tick + 1);
                    session.flush();
                    while probe.less_than(input.time()) {
                        worker.step();
                    }
                }
            }
        });
        guards.expect("the cluster starts").join().into_iter().for_each(|result| result.expect("no worker panics"));
        let mut ticks: BTreeMap<Tick, Vec<O>> = BTreeMap::new();
        for captured in receiver.try_iter() {
            if let Captured::Messages(tick, outputs) = captured {
                ticks.entry(tick).or_default().extend(outputs);
            }
        }
        ticks.into_iter().collect()
    }
}
