//! The dataflow as it runs, out of what timely and differential log: operators, channels, records, time.

use dcmms_schemas::job::{Edge, Graph, Node};
use differential_dataflow::logging::{DifferentialEvent, DifferentialEventBuilder};
use rustc_hash::FxHashMap;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use timely::{
    logging::{StartStop, TimelyEvent, TimelyEventBuilder},
    worker::Worker,
};

/// What every worker of the process has seen so far. Holds some hundred bytes per operator and worker.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    workers: Arc<Mutex<Vec<Arc<Mutex<Counts>>>>>,
}

/// One worker's counts; its own thread writes them batch by batch, so nobody waits.
#[derive(Debug, Default)]
struct Counts {
    operators: FxHashMap<usize, Operator>,
    channels: FxHashMap<usize, Channel>,
}

#[derive(Debug, Default)]
struct Operator {
    address: Vec<usize>,
    name: String,
    started: Option<Duration>,
    busy: Duration,
    rows_held: i64,
}

#[derive(Debug)]
struct Channel {
    from: Vec<usize>,
    to: Vec<usize>,
    records: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    /// Counts what this worker does from now on; before its dataflow is built, so that every operator is known.
    pub(crate) fn watch(&self, worker: &mut Worker) {
        let counts = Arc::new(Mutex::new(Counts::default()));
        lock(&self.workers).push(Arc::clone(&counts));
        let Some(mut register) = worker.log_register() else { return };
        let timely = Arc::clone(&counts);
        register.insert::<TimelyEventBuilder, _>("timely", move |_, events| {
            if let Some(events) = events {
                let mut counts = lock(&timely);
                events.drain(..).for_each(|(at, event)| counts.timely(at, event));
            }
        });
        register.insert::<DifferentialEventBuilder, _>("differential/arrange", move |_, events| {
            if let Some(events) = events {
                let mut counts = lock(&counts);
                events.drain(..).for_each(|(_, event)| counts.differential(&event));
            }
        });
    }

    /// All workers added up; the same operator has the same address on each.
    pub(crate) fn graph(&self) -> Graph {
        let mut nodes: BTreeMap<Vec<usize>, Node> = BTreeMap::new();
        let mut edges: BTreeMap<(Vec<usize>, Vec<usize>), u64> = BTreeMap::new();
        for worker in lock(&self.workers).iter() {
            let counts = lock(worker);
            for operator in counts.operators.values() {
                let node = nodes.entry(operator.address.clone()).or_insert_with(|| Node {
                    id: written(&operator.address),
                    name: operator.name.clone(),
                    ..Node::default()
                });
                node.busy_us += u64::try_from(operator.busy.as_micros()).unwrap_or(u64::MAX);
                node.rows_held += operator.rows_held;
            }
            for channel in counts.channels.values() {
                *edges.entry((channel.from.clone(), channel.to.clone())).or_default() += channel.records;
            }
        }
        for ((from, to), records) in &edges {
            nodes.entry(from.clone()).and_modify(|node| node.records_out += records);
            nodes.entry(to.clone()).and_modify(|node| node.records_in += records);
        }
        let scopes: Vec<Vec<usize>> = nodes.keys().filter_map(|address| Some(address.split_last()?.1.to_vec())).collect();
        for scope in scopes {
            nodes.entry(scope).and_modify(|node| node.scope = true);
        }
        let edges = edges.into_iter().map(|((from, to), records)| Edge { from: written(&from), to: written(&to), records });
        Graph { edges: edges.collect(), nodes: nodes.into_values().collect() }
    }
}

fn written(address: &[usize]) -> String {
    address.iter().map(usize::to_string).collect::<Vec<_>>().join(".")
}

impl Counts {
    fn timely(&mut self, at: Duration, event: TimelyEvent) {
        match event {
            TimelyEvent::Operates(event) => {
                let operator = self.operators.entry(event.id).or_default();
                (operator.address, operator.name) = (event.addr, event.name);
            }
            TimelyEvent::Channels(event) => {
                // Operator 0 of a scope is the scope's own edge.
                let end = |operator: usize| match operator {
                    0 => event.scope_addr.clone(),
                    _ => event.scope_addr.iter().copied().chain([operator]).collect(),
                };
                self.channels.insert(event.id, Channel { from: end(event.source.0), to: end(event.target.0), records: 0 });
            }
            TimelyEvent::Messages(event) if event.is_send => {
                if let Some(channel) = self.channels.get_mut(&event.channel) {
                    channel.records += u64::try_from(event.record_count).unwrap_or(0);
                }
            }
            TimelyEvent::Schedule(event) => {
                if let Some(operator) = self.operators.get_mut(&event.id) {
                    match event.start_stop {
                        StartStop::Start => operator.started = Some(at),
                        StartStop::Stop => {
                            operator.busy += operator.started.take().map_or(Duration::ZERO, |started| at.saturating_sub(started))
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn differential(&mut self, event: &DifferentialEvent) {
        let rows = |rows: usize| i64::try_from(rows).unwrap_or(0);
        let (operator, change) = match event {
            DifferentialEvent::Batch(event) => (event.operator, rows(event.length)),
            DifferentialEvent::Drop(event) => (event.operator, -rows(event.length)),
            DifferentialEvent::Merge(event) => match event.complete {
                Some(merged) => (event.operator, rows(merged) - rows(event.length1) - rows(event.length2)),
                None => return,
            },
            _ => return,
        };
        if let Some(operator) = self.operators.get_mut(&operator) {
            operator.rows_held += change;
        }
    }
}
