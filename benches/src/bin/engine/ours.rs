//! The engine on the same readings: decode → points, ticks of at most 100,000 readings, on real timely workers.

use super::{
    answer::{Row, Rows},
    input::{self, Input},
    machine,
};
use dcmms_operators::{
    chunk::Chunk,
    control::Control,
    decode::{DecodeOptions, decode},
    keep::Keeper,
    points::{PointsOptions, points},
};
use dcmms_schemas::{
    binding::Binding,
    domain::{Event, Row as DomainRow},
    id::{PointNumber, RuleId, SiteId},
    plant::Point,
    rollup::{Level, Rollup},
    rule::{Condition, Rule, RuleVersion, Scope, Severity},
    time::{HOUR, Moment, Tick},
};
use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, Barrier},
    time::Instant,
};
use timely::dataflow::operators::{
    Input as _, Probe,
    core::Concat,
    vec::{Broadcast, Map},
};
use uuid::Uuid;

/// What the engine does with the readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Roll-ups as the peers make them: every reading counts, a row is said when its window closes.
    Repeats,
    /// The same with a moment's readings competing.
    Dedupe,
    /// All that is done live: two alarm rules and a score for every point, history rows, and every table's rows in turn.
    Everything,
}

pub(crate) struct Run {
    pub(crate) rows: Rows,
    pub(crate) wall_s: f64,
    pub(crate) cpu_s: f64,
    pub(crate) rss_mib: u64,
}

/// A point's number: such that half of a partition's readings belong to the other worker.
fn number(point: u32) -> u32 {
    point ^ (point >> 1 & 1)
}

fn options(job: Job) -> PointsOptions {
    if job == Job::Everything {
        return PointsOptions::default();
    }
    PointsOptions {
        dedupe: job == Job::Dedupe,
        history: false,
        latest_every: HOUR,
        minutes_every: HOUR,
        coarse_every: HOUR,
        tuned: Arc::new(|_, _| None),
        watched: Arc::new(|_, _| dcmms_operators::points::Watched::default()),
        ..PointsOptions::default()
    }
}

/// Plays the input once. Telling the engine of its points comes before the clock starts, as does the copy of the bytes
/// that it takes possession of; the loop owns nothing.
pub(crate) fn run(input: &Input, workers: usize, job: Job) -> Run {
    let per_worker: Vec<Vec<Vec<Chunk>>> = (0..workers).map(|worker| share(input, worker, workers)).collect();
    let per_worker = Arc::new(std::sync::Mutex::new(per_worker));
    let clocks: Arc<Vec<Moment>> = Arc::new(input.ticks.iter().map(|tick| tick.clock).collect());
    let barrier = Arc::new(Barrier::new(workers));
    let guards = timely::execute(timely::Config::process(workers), move |worker| {
        let mine = std::mem::take(&mut per_worker.lock().expect("no worker panics here")[worker.index()]);
        let said: Rc<RefCell<Vec<Rollup>>> = Rc::default();
        let (mut control, mut raw, probe) = worker.dataflow::<Tick, _, _>(|scope| {
            let (control_input, control) = scope.new_input::<Vec<Control>>();
            let (raw_input, raw) = scope.new_input::<Vec<Chunk>>();
            let control = control.broadcast();
            let decoded = decode(control.clone(), raw, DecodeOptions::new(Arc::default()), &Keeper::none());
            let points = points(control, decoded.columns, options(job), &Keeper::none());
            let said = Rc::clone(&said);
            let (probe, _) = points
                .outcome
                .concat(decoded.outcome)
                .map(move |outcome| {
                    assert!(outcome.rejects.is_empty(), "the input is good");
                    said.borrow_mut().extend(outcome.rollups.into_iter().filter(|row| row.level == Level::Minute));
                })
                .probe();
            (control_input, raw_input, probe)
        });
        let mut at = 0;
        let mut advance = |chunks: Vec<Chunk>, clock: Moment, events: Vec<Event>| {
            at += 1;
            control.advance_to(at);
            raw.advance_to(at);
            if worker.index() == 0 {
                events.into_iter().for_each(|event| control.send(Control::Domain(Arc::new(event))));
                control.send(Control::Binding(Arc::new(binding(at, clock))));
            }
            chunks.into_iter().for_each(|chunk| raw.send(chunk));
            control.advance_to(at + 1);
            raw.advance_to(at + 1);
            // One tick may be under way while the next is handed in, as live.
            while probe.less_than(&at) {
                worker.step();
            }
        };
        advance(Vec::new(), Moment::from_millis(input::START_MS), domain(job));
        advance(Vec::new(), Moment::from_millis(input::START_MS), Vec::new());
        barrier.wait();
        let (start, cpu) = (Instant::now(), machine::cpu_s());
        let mut last = Moment::MIN;
        for (chunks, clock) in mine.into_iter().zip(clocks.iter()) {
            advance(chunks, *clock, Vec::new());
            last = *clock;
        }
        advance(Vec::new(), last.plus(2 * HOUR), Vec::new());
        advance(Vec::new(), last.plus(2 * HOUR), Vec::new());
        barrier.wait();
        let spent = (start.elapsed().as_secs_f64(), machine::cpu_s() - cpu, machine::rss_mib());
        (said.take(), spent)
    });
    let mut run = Run { rows: Rows::default(), wall_s: 0.0, cpu_s: 0.0, rss_mib: 0 };
    for result in guards.expect("the workers start").join() {
        let (said, (wall_s, cpu_s, rss_mib)) = result.expect("no worker panics");
        run.rows.extend(said.into_iter().map(row));
        (run.wall_s, run.cpu_s, run.rss_mib) = (run.wall_s.max(wall_s), run.cpu_s.max(cpu_s), run.rss_mib.max(rss_mib));
    }
    run
}

fn row(said: Rollup) -> ((u32, i64), Row) {
    let Rollup { point, start, n, min, max, mean, stddev, .. } = said;
    ((number(point.0), start.millis()), Row { n, min, max, mean, stddev })
}

fn share(input: &Input, worker: usize, workers: usize) -> Vec<Vec<Chunk>> {
    let own = |chunk: &&Chunk| usize::from(chunk.source) % workers == worker;
    input.ticks.iter().map(|tick| tick.chunks.iter().filter(own).cloned().collect()).collect()
}

fn binding(tick: Tick, clock: Moment) -> Binding {
    // The watermark stands still for less than the disorder; here nothing hangs on it but delays.
    Binding { tick, generation: 1, clock, upto: vec![0; 2], watermarks: vec![clock; 2], idle: vec![false; 2] }
}

fn domain(job: Job) -> Vec<Event> {
    let event = |row| Event { version: 1, at: Moment(0), removed: false, row };
    let points = (0..input::POINTS).map(|point| {
        event(DomainRow::Point(Point {
            id: Uuid::from_u128(u128::from(point) + 1),
            number: PointNumber(number(point)),
            key: input::key(point),
            site: SiteId(Uuid::from_u128(1)),
            position: None,
            kind: "ac.power".to_owned(),
            unit: "kW".to_owned(),
            counter: false,
            resolution: 0.001,
            horizon_ms: Point::HORIZON_MS_DEFAULT,
        }))
    });
    let conditions = [
        Condition::High { limit: 900.0, deadband: 5.0, on_delay_ms: 10_000, off_delay_ms: 10_000 },
        Condition::Stale { after_ms: 120_000 },
    ];
    let rules = conditions.into_iter().enumerate().filter(|_| job == Job::Everything).map(|(number, condition)| {
        event(DomainRow::Rule(Rule {
            id: RuleId(Uuid::from_u128(number as u128)),
            name: "rule".to_owned(),
            scope: Scope { kind: Some("ac.power".to_owned()), ..Scope::default() },
            group: condition.group().to_owned(),
            versions: vec![RuleVersion {
                version: 1,
                valid_from: Moment(0),
                enabled: true,
                severity: Severity::High,
                condition,
                order: None,
            }],
        }))
    });
    rules.chain(points).collect()
}
