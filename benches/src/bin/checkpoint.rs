//! What a checkpoint costs the workers: how long ticks take with one under way and without, how large it is, how long a start takes.
//!
//! Every point says something each 10 s of event time, with two alarm rules and a score; the horizon of 15 minutes is full before
//! anything is measured. `checkpoint [points] [workers] [cuts]`.

use dcmms_operators::{
    chunk::{Chunk, Format},
    control::Control,
    decode::{DecodeOptions, decode},
    keep::{Keeper, Restored, keep_domain},
    points::{PointsOptions, points},
};
use dcmms_schemas::{
    binding::Binding,
    checkpoint::{Block, Checkpoint, Cut, Shards},
    domain::{Event, Row},
    id::{PointNumber, RuleId, SiteId},
    plant::Point,
    rule::{Condition, Rule, RuleVersion, Scope, Severity},
    time::{Moment, SECOND, Tick},
};
use std::{
    fmt::Write as _,
    sync::{Arc, Barrier, Mutex, mpsc},
    time::Instant,
};
use timely::dataflow::operators::{Input as _, Probe, core::Concat, vec::Broadcast};
use uuid::Uuid;

const START: Moment = Moment(1_700_000_000_000_000);
/// Of event time: four ticks per second, each point once in forty ticks.
const TICK_US: i64 = SECOND / 4;
const TICKS_PER_READING: u32 = 40;
/// Fifteen minutes and a little; a whole number of cuts.
const FILL: Tick = 3_680;
/// Ticks from one cut to the next: 20 s.
const EVERY: Tick = 80;
/// A cut is written over so many ticks.
const UNDER_WAY: Tick = 9;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>().expect("numbers: points, workers, cuts"));
    let points = arguments.next().unwrap_or(20_000) as u32;
    let workers = arguments.next().unwrap_or(2) as usize;
    let cuts = arguments.next().unwrap_or(6);
    let (sender, kept) = mpsc::channel();
    let quiet = run(points, workers, cuts, None, sender);
    let mut shards = Shards::default();
    let mut layers: Vec<(Cut, Vec<Block>)> = Vec::new();
    for (cut, blocks) in kept.try_iter() {
        match layers.iter_mut().find(|(known, _)| known.tick == cut.tick) {
            Some((_, known)) => known.extend(blocks),
            None => layers.push((cut, blocks)),
        }
    }
    layers.sort_by_key(|(cut, _)| cut.tick);
    let mut sizes = Vec::new();
    for (cut, blocks) in layers {
        sizes.push((cut.turn, blocks.iter().map(|block| block.bytes.len()).sum::<usize>()));
        shards.layer(blocks);
    }
    say(&format!("{points} points, {workers} workers, a cut each {} s of event time", EVERY as i64 * TICK_US / SECOND));
    say(&format!("ms per tick and worker, no cut under way: {}", spread(quiet.without)));
    say(&format!("ms per tick and worker, while one is written: {}", spread(quiet.with)));
    for (turn, bytes) in sizes {
        say(&format!("turn {turn}: {:.1} MB", bytes as f64 / 1e6));
    }
    say(&format!("to read for a start: {:.1} MB", shards.bytes() as f64 / 1e6));
    let started = Instant::now();
    let binding = binding(FILL + EVERY * cuts);
    let restored = Restored::new(Checkpoint { binding, turn: cuts - 1, shards });
    let (sender, _kept) = mpsc::channel();
    run(points, workers, 0, Some(restored), sender);
    say(&format!("taken over from memory in {:.0} ms", started.elapsed().as_secs_f64() * 1e3));
}

#[derive(Default)]
struct Times {
    without: Vec<f64>,
    with: Vec<f64>,
}

fn run(points_max: u32, workers: usize, cuts: u64, restored: Option<Restored>, kept: mpsc::Sender<(Cut, Vec<Block>)>) -> Times {
    let (restored, kept, barrier) = (restored.map(Arc::new), Mutex::new(kept), Arc::new(Barrier::new(workers)));
    let guards = timely::execute(timely::Config::process(workers), move |worker| {
        let kept = kept.lock().expect("no worker panics here").clone();
        let keeper = Keeper::new(restored.clone(), move |cut, blocks| kept.send((cut, blocks)).expect("somebody listens"));
        let (mut control, mut raw, probe) = worker.dataflow::<Tick, _, _>(|scope| {
            let (control_input, control) = scope.new_input::<Vec<Control>>();
            let (raw_input, raw) = scope.new_input::<Vec<Chunk>>();
            let control = control.broadcast();
            keep_domain(control.clone(), &keeper);
            let decoded = decode(control.clone(), raw, DecodeOptions::new(Arc::default()), &keeper);
            let points = points(control, decoded.columns, PointsOptions::default(), &keeper);
            let (probe, _) = points.outcome.concat(decoded.outcome).probe();
            (control_input, raw_input, probe)
        });
        let mut times = Times::default();
        if restored.is_some() {
            return times;
        }
        for tick in 1..=FILL + EVERY * cuts + UNDER_WAY {
            let chunk = readings(tick, points_max, worker.index() as u32, worker.peers() as u32);
            let since_cut = (tick > FILL).then_some(tick % EVERY);
            let cut = (since_cut == Some(0) && tick <= FILL + EVERY * cuts).then(|| Cut {
                tick,
                turn: (tick - FILL) / EVERY - 1,
                at_once: false,
            });
            barrier.wait();
            let started = Instant::now();
            control.advance_to(tick);
            raw.advance_to(tick);
            if worker.index() == 0 {
                if tick == 1 {
                    domain(points_max).into_iter().for_each(|event| control.send(Control::Domain(Arc::new(event))));
                }
                control.send(Control::Binding(Arc::new(binding(tick))));
                cut.into_iter().for_each(|cut| control.send(Control::Cut(cut)));
            }
            raw.send(chunk);
            control.advance_to(tick + 1);
            raw.advance_to(tick + 1);
            while probe.less_than(raw.time()) {
                worker.step();
            }
            let took_ms = started.elapsed().as_secs_f64() * 1e3;
            match since_cut {
                // The first cut is whole, and a job takes it while it is young.
                None => {}
                Some(_) if tick < FILL + 2 * EVERY => {}
                Some(ticks) if ticks < UNDER_WAY => times.with.push(took_ms),
                Some(_) => times.without.push(took_ms),
            }
        }
        times
    });
    let mut all = Times::default();
    for times in guards.expect("the workers start").join() {
        let times = times.expect("no worker panics");
        all.with.extend(times.with);
        all.without.extend(times.without);
    }
    all
}

/// The readings of a tick that this worker has read: of the points whose turn it is.
fn readings(tick: Tick, points: u32, worker: u32, workers: u32) -> Chunk {
    let (mut chunk, mut text) = (Chunk::new(worker as u16), String::new());
    let at_ms = (START.0 + tick as i64 * TICK_US) / 1_000;
    let turn = tick as u32 % TICKS_PER_READING;
    for point in (turn..points).step_by(TICKS_PER_READING as usize).filter(|point| point / TICKS_PER_READING % workers == worker) {
        let value = f64::from(point % 97) + f64::from((tick as u32).wrapping_mul(2_654_435_761).wrapping_add(point) >> 12 & 0xff) / 100.0;
        text.clear();
        write!(text, r#"{{"point":"site/p{point}","ts":{at_ms},"value":{value:.3}}}"#).expect("a string takes all that is written");
        chunk.push(tick as i64 * i64::from(points) + i64::from(point), Format::Json, text.as_bytes());
    }
    chunk
}

fn binding(tick: Tick) -> Binding {
    let clock = START.plus(tick as i64 * TICK_US);
    Binding { tick, generation: 1, clock, upto: vec![0; 8], watermarks: vec![clock.minus(SECOND); 8], idle: vec![false; 8] }
}

fn domain(points: u32) -> Vec<Event> {
    let event = |row| Event { version: 1, at: Moment(0), removed: false, row };
    let conditions =
        [Condition::High { limit: 99.0, deadband: 0.5, on_delay_ms: 10_000, off_delay_ms: 10_000 }, Condition::Stale { after_ms: 120_000 }];
    let rule = |(number, condition): (usize, Condition)| {
        let valid_from = Moment(0);
        let version = RuleVersion { version: 1, valid_from, enabled: true, severity: Severity::High, condition, order: None };
        let scope = Scope { site: Some(SiteId(Uuid::from_u128(1))), ..Scope::default() };
        let (id, group) = (RuleId(Uuid::from_u128(number as u128)), version.condition.group().to_owned());
        Row::Rule(Rule { id, name: "rule".to_owned(), scope, group, versions: vec![version] })
    };
    let point = |number: u32| {
        Row::Point(Point {
            id: Uuid::from_u128(u128::from(number) + 1),
            number: PointNumber(number),
            key: format!("site/p{number}"),
            site: SiteId(Uuid::from_u128(1)),
            position: None,
            // One in a hundred is of a kind that the monthly figures watch.
            kind: if number.is_multiple_of(100) { "ac.power" } else { "inv.temp.cabinet" }.to_owned(),
            unit: "kW".to_owned(),
            counter: false,
            resolution: 0.001,
            horizon_ms: Point::HORIZON_MS_DEFAULT,
        })
    };
    conditions.into_iter().enumerate().map(rule).chain((0..points).map(point)).map(event).collect()
}

fn spread(mut times: Vec<f64>) -> String {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied().unwrap_or(0.0);
    format!("p50 {:.1}, p99 {:.1}, max {:.1} of {} ticks", at(0.5), at(0.99), at(1.0), times.len())
}

fn say(line: &str) {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{line}").expect("the output takes a line");
}
