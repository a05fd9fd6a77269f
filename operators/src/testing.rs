//! What tests say over and over.

use crate::{
    Diff,
    chunk::{Chunk, Format},
    control::Control,
    decode::{DecodeOptions, decode},
    keep::Keeper,
    points::{PointsOptions, WatchedRollup, points},
};
use dcmms_schemas::{
    binding::Binding,
    domain::{Event, Row},
    id::{PointNumber, SiteId},
    outcome::Outcome,
    plant::Point,
    reading::Reading,
    time::{Moment, Tick},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use timely::dataflow::operators::{Capture, Input, Probe, core::Concat, core::capture::Event as Captured, vec::Broadcast};
use uuid::Uuid;

/// A point of the one site, with a resolution of 0.001 and the default horizon.
pub(crate) fn point(number: u32, key: &str) -> Point {
    Point {
        id: Uuid::from_u128(u128::from(number) + 1),
        number: PointNumber(number),
        key: key.to_owned(),
        site: SiteId(Uuid::from_u128(0x517e)),
        position: None,
        kind: "ac.power".to_owned(),
        unit: "kW".to_owned(),
        counter: false,
        resolution: 0.001,
        horizon_ms: Point::HORIZON_MS_DEFAULT,
    }
}

/// A change of the domain.
pub(crate) fn told(version: i64, row: Row) -> Event {
    Event { version, at: Moment(0), removed: false, row }
}

/// One reading as a test says it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) source: u16,
    pub(crate) reading: Reading,
}

/// What happens at a tick: the clock, the domain's changes, and what each source says.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) clock: Moment,
    pub(crate) events: Vec<Event>,
    pub(crate) told: Vec<Told>,
}

/// Everything that was said, by tick.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) outcomes: BTreeMap<Tick, Outcome>,
    pub(crate) watched: Vec<(WatchedRollup, Tick, Diff)>,
}

/// Plays steps through decoding and points on so many workers, each source read by one of them.
pub(crate) fn play(workers: usize, steps: &[Step], options: &PointsOptions) -> Said {
    let (outcomes, outcomes_said) = std::sync::mpsc::channel();
    let (rows, rows_said) = std::sync::mpsc::channel();
    let senders = Mutex::new((outcomes, rows));
    let (steps, options) = (steps.to_vec(), options.clone());
    let guards = timely::execute(timely::Config::process(workers), move |worker| {
        let (outcomes, rows) = senders.lock().expect("no test thread panics here").clone();
        let (mut control, mut raw, probe) = worker.dataflow::<Tick, _, _>(|scope| {
            let (control_input, control) = scope.new_input::<Vec<Control>>();
            let (raw_input, raw) = scope.new_input::<Vec<Chunk>>();
            let control = control.broadcast();
            let decoded = decode(control.clone(), raw, DecodeOptions::new(Arc::default()), &Keeper::none());
            let points = points(control, decoded.columns, options.clone(), &Keeper::none());
            let (probe, outcome) = points.outcome.concat(decoded.outcome).probe();
            outcome.capture_into(outcomes);
            points.watched.inner.capture_into(rows);
            (control_input, raw_input, probe)
        });
        let mut offsets = [0i64; 8];
        for (index, step) in steps.iter().enumerate() {
            let tick = index as Tick + 1;
            control.advance_to(tick);
            raw.advance_to(tick);
            if worker.index() == 0 {
                step.events.iter().for_each(|event| control.send(Control::Domain(Arc::new(event.clone()))));
                control.send(Control::Binding(Arc::new(binding(tick, step))));
            }
            for source in 0..8u16 {
                let mut chunk = Chunk::new(source);
                for told in step.told.iter().filter(|told| told.source == source) {
                    chunk.push(offsets[usize::from(source)], Format::Json, json(&told.reading).as_bytes());
                    offsets[usize::from(source)] += 1;
                }
                if !chunk.is_empty() && usize::from(source) % worker.peers() == worker.index() {
                    raw.send(chunk);
                }
            }
            if index % 3 == 2 {
                control.advance_to(tick + 1);
                raw.advance_to(tick + 1);
                while probe.less_than(raw.time()) {
                    worker.step();
                }
            }
        }
    });
    guards.expect("the cluster starts").join().into_iter().for_each(|result| result.expect("no worker panics"));
    let mut said = Said::default();
    for captured in outcomes_said.try_iter() {
        if let Captured::Messages(tick, outcomes) = captured {
            outcomes.into_iter().for_each(|outcome| said.outcomes.entry(tick).or_default().append(outcome));
        }
    }
    for captured in rows_said.try_iter() {
        if let Captured::Messages(_, rows) = captured {
            said.watched.extend(rows);
        }
    }
    said
}

/// Every source is idle, so that delays run on the clock.
fn binding(tick: Tick, step: &Step) -> Binding {
    Binding { tick, generation: 1, clock: step.clock, upto: vec![0; 8], watermarks: vec![Moment::MIN; 8], idle: vec![true; 8] }
}

pub(crate) fn json(reading: &Reading) -> String {
    let seq = reading.seq.map_or(String::new(), |seq| format!(r#","seq":{seq}"#));
    let correction = if reading.correction { r#","correction":true"# } else { "" };
    let ts = reading.at.0 as f64 / 1_000.0;
    let quality = reading.quality.name();
    format!(r#"{{"point":"{}","ts":{ts},"value":{:?},"quality":"{quality}"{seq}{correction}}}"#, reading.point, reading.value)
}
