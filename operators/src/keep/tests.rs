//! A run that is taken up again from any checkpoint, by any number of workers, says what the undisturbed one says.

mod history;

use super::{Keeper, Restored, keep_domain};
use crate::{
    chunk::{Chunk, Format},
    compliance::compliance,
    control::Control,
    decode::{DecodeOptions, decode},
    plant_rows::plant_rows,
    points::{PointsOptions, Watched, points},
    predictions::{Settings, predictions},
    scores::Tuning,
    sla::sla,
    testing::{Step, json},
};
use dcmms_schemas::{
    binding::Binding,
    books::Books,
    checkpoint::{Block, Checkpoint, Cut, Shards},
    outcome::Outcome,
    time::{HOUR, Moment, Tick},
};
use history::{Deed, deeds, steps};
use proptest::prelude::*;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, mpsc},
};
use timely::dataflow::operators::{Capture, Concatenate, Input, Probe, core::capture::Event as Captured, vec::Broadcast};

/// What a run said, tick by tick, and what it kept at its cuts.
#[derive(Debug, Default)]
struct Run {
    said: BTreeMap<Tick, Vec<String>>,
    kept: BTreeMap<Tick, (Cut, Vec<Block>)>,
}

fn options() -> PointsOptions {
    let tuning = Arc::new(Tuning { warm_up: 4, warm_up_us: 0, quiet: 1, limit: 0.8, season: true, ..Tuning::STANDARD });
    PointsOptions {
        watched: Arc::new(|point, _| Watched { quarter: point.kind != "temperature", hour: false }),
        tuned: Arc::new(move |point, _| (!point.counter).then(|| Arc::clone(&tuning))),
        ..PointsOptions::default()
    }
}

fn binding(tick: Tick, clock: Moment) -> Binding {
    // Two of three sources are idle, the other's time stands a little behind.
    let watermark = clock.minus(HOUR / 4);
    Binding { tick, generation: 1, clock, upto: vec![0; 3], watermarks: vec![watermark; 3], idle: vec![true, false, true] }
}

/// Plays the steps after `restored` on so many workers, with a cut at the ticks that `cuts` names.
fn play(workers: usize, steps: &[Step], restored: Option<Restored>, cuts: impl Fn(Tick) -> Option<Cut>) -> Run {
    let after = restored.as_ref().map_or(0, |restored| restored.binding.tick);
    let restored = restored.map(Arc::new);
    let controls: Vec<Vec<Control>> = (1..)
        .zip(steps)
        .map(|(tick, step)| {
            let events = step.events.iter().map(|event| Control::Domain(Arc::new(event.clone())));
            let cut = cuts(tick).map(Control::Cut);
            events.chain([Control::Binding(Arc::new(binding(tick, step.clock)))]).chain(cut).collect()
        })
        .collect();
    let (outcomes, outcomes_said) = mpsc::channel();
    let (blocks, blocks_kept) = mpsc::channel();
    let (senders, steps) = (Mutex::new((outcomes, blocks)), steps.to_vec());
    let guards = timely::execute(timely::Config::process(workers), move |worker| {
        let (outcomes, blocks) = senders.lock().expect("no test thread panics here").clone();
        let keeper = Keeper::new(restored.clone(), move |cut, kept| blocks.send((cut, kept)).expect("the test listens"));
        let (mut control, mut raw, probe) = worker.dataflow::<Tick, _, _>(|scope| {
            let (control_input, control) = scope.new_input::<Vec<Control>>();
            let (raw_input, raw) = scope.new_input::<Vec<Chunk>>();
            let control = control.broadcast();
            keep_domain(control.clone(), &keeper);
            let decoded = decode(control.clone(), raw, DecodeOptions::new(Arc::default()), &keeper);
            let points = points(control.clone(), decoded.columns, options(), &keeper);
            let figures = compliance(points.watched.clone(), plant_rows(control.clone(), &keeper), control.clone(), &keeper);
            let settings = Settings { keep_us: 4 * HOUR, ..Settings::DEFAULT };
            let scored = predictions(points.watched, control.clone(), settings, &keeper);
            let clocks = sla(control, 2 * HOUR, &keeper);
            let (probe, said) = scope.concatenate([decoded.outcome, points.outcome, figures, scored, clocks]).probe();
            said.capture_into(outcomes);
            (control_input, raw_input, probe)
        });
        let mut offset = 0;
        for (tick, (step, controls)) in (1..).zip(steps.iter().zip(&controls)) {
            let chunks: Vec<Chunk> = (0..3u16)
                .map(|source| {
                    let mut chunk = Chunk::new(source);
                    for told in step.told.iter().filter(|told| told.source == source) {
                        chunk.push(offset, Format::Json, json(&told.reading).as_bytes());
                        offset += 1;
                    }
                    chunk
                })
                .collect();
            if tick <= after {
                continue;
            }
            control.advance_to(tick);
            raw.advance_to(tick);
            if worker.index() == 0 {
                controls.iter().cloned().for_each(|said| control.send(said));
            }
            for chunk in chunks.into_iter().filter(|chunk| !chunk.is_empty()) {
                if usize::from(chunk.source) % worker.peers() == worker.index() {
                    raw.send(chunk);
                }
            }
            if tick % 3 == 2 {
                control.advance_to(tick + 1);
                raw.advance_to(tick + 1);
                while probe.less_than(raw.time()) {
                    worker.step();
                }
            }
        }
    });
    guards.expect("the cluster starts").join().into_iter().for_each(|result| result.expect("no worker panics"));
    let mut run = Run::default();
    let mut outcomes: BTreeMap<Tick, Outcome> = BTreeMap::new();
    for captured in outcomes_said.try_iter() {
        if let Captured::Messages(tick, said) = captured {
            // As the seal does: what a start tells again was said before.
            said.into_iter().filter(|_| tick > after).for_each(|outcome| outcomes.entry(tick).or_default().append(outcome));
        }
    }
    run.said = outcomes.into_iter().map(|(tick, outcome)| (tick, lines(outcome))).filter(|(_, lines)| !lines.is_empty()).collect();
    let mut whole: BTreeMap<Tick, usize> = BTreeMap::new();
    for (cut, kept) in blocks_kept.try_iter() {
        *whole.entry(cut.tick).or_default() += 1;
        run.kept.entry(cut.tick).or_insert((cut, Vec::new())).1.extend(kept);
    }
    run.kept.retain(|tick, _| whole[tick] == workers);
    run
}

/// Everything that was said, in an order that does not depend on who said it.
fn lines(outcome: Outcome) -> Vec<String> {
    fn of<T: std::fmt::Debug>(name: &str, rows: Vec<T>, lines: &mut Vec<String>) {
        lines.extend(rows.iter().map(|row| format!("{name} {row:?}")));
    }
    let mut lines = Vec::new();
    let mut books: BTreeMap<u16, Books> = BTreeMap::new();
    outcome.books.iter().for_each(|(source, more)| books.entry(*source).or_default().add(more));
    of("books", books.into_iter().filter(|(_, books)| !books.is_zero()).collect(), &mut lines);
    of("latest", outcome.latest, &mut lines);
    of("rollup", outcome.rollups, &mut lines);
    of("score", outcome.scores, &mut lines);
    of("minute", outcome.score_minutes, &mut lines);
    of("anomaly", outcome.anomalies, &mut lines);
    of("alarm", outcome.alarms, &mut lines);
    of("prediction", outcome.predictions, &mut lines);
    of("clock", outcome.clocks, &mut lines);
    of("figure", outcome.figures, &mut lines);
    of("late", outcome.late, &mut lines);
    let mut unknown: BTreeMap<String, (i64, Moment, Moment)> = BTreeMap::new();
    for more in outcome.unknown {
        let sum = unknown.entry(more.key).or_insert((0, more.first, more.last));
        *sum = (sum.0 + more.readings, sum.1.min(more.first), sum.2.max(more.last));
    }
    of("unknown", unknown.into_iter().collect(), &mut lines);
    of("reject", outcome.rejects, &mut lines);
    of("command", outcome.commands, &mut lines);
    of("history", outcome.history, &mut lines);
    lines.sort();
    lines
}

/// What a start finds of the checkpoint at `tick`.
fn checkpoint(kept: &BTreeMap<Tick, (Cut, Vec<Block>)>, tick: Tick, clock: Moment) -> Restored {
    let (cut, _) = &kept[&tick];
    let mut chain: Vec<_> = kept.range(..=tick).rev().take(cut.chain_length()).map(|(_, (_, blocks))| blocks.clone()).collect();
    chain.reverse();
    let mut shards = Shards::default();
    chain.into_iter().for_each(|blocks| shards.layer(blocks));
    Restored::new(Checkpoint { binding: binding(tick, clock), turn: cut.turn, shards })
}

/// Compares tick by tick, so that a failure names the first.
fn same(expected: &BTreeMap<Tick, Vec<String>>, said: &BTreeMap<Tick, Vec<String>>, after: Tick) {
    let ticks = expected.range(after + 1..).map(|(tick, _)| *tick).chain(said.keys().copied());
    for tick in ticks.collect::<std::collections::BTreeSet<Tick>>() {
        let empty = Vec::new();
        let (expected, said) = (expected.get(&tick).unwrap_or(&empty), said.get(&tick).unwrap_or(&empty));
        let missing: Vec<_> = expected.iter().filter(|line| !said.contains(line)).collect();
        let extra: Vec<_> = said.iter().filter(|line| !expected.contains(line)).collect();
        assert!(missing.is_empty() && extra.is_empty(), "taken up after {after}, at {tick}: missing {missing:#?}, extra {extra:#?}");
        assert_eq!(expected.len(), said.len(), "as many rows, taken up after {after}, at {tick}");
    }
}

/// Each tick is a cut: small histories, taken up again after every one of them.
fn taken_up_everywhere(deeds: &[Deed], workers: usize) {
    let steps = steps(deeds);
    let undisturbed = play(1, &steps, None, |_| None);
    let kept = play(workers, &steps, None, |tick| Some(Cut { tick, turn: tick - 1, at_once: tick as usize == steps.len() }));
    same(&undisturbed.said, &kept.said, 0);
    for (tick, step) in (1..).zip(&steps) {
        let restored = checkpoint(&kept.kept, tick, step.clock);
        let again = play(1 + tick as usize % 3, &steps, Some(restored), |_| None);
        same(&undisturbed.said, &again.said, tick);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_start_after_any_tick_says_the_same(deeds in deeds(1..14), workers in 1..=3usize) {
        taken_up_everywhere(&deeds, workers);
    }

    /// A long run with cuts now and then, stopped and taken up again twice, each time from what the life before has kept on top of
    /// what it had found.
    #[test]
    fn a_run_taken_up_twice_says_the_same(
        deeds in deeds(60..90), every in 2..6u64, stops in (5..30u64, 5..30u64), workers in (1..=3usize, 1..=3usize, 1..=3usize),
    ) {
        let steps = steps(&deeds);
        let undisturbed = play(1, &steps, None, |_| None);
        let cuts = |tick: Tick| tick.is_multiple_of(every).then(|| Cut { tick, turn: tick / every - 1, at_once: false });
        let mut kept = BTreeMap::new();
        let mut restored = None;
        let mut after = 0;
        for (workers, stop) in [(workers.0, stops.0), (workers.1, stops.1), (workers.2, steps.len() as u64)] {
            let upto = (after + stop).min(steps.len() as u64);
            let run = play(workers, &steps[..upto as usize], restored.take(), cuts);
            same(&undisturbed.said.range(..=upto).map(|(tick, lines)| (*tick, lines.clone())).collect(), &run.said, after);
            kept.extend(run.kept);
            if let Some((&tick, _)) = kept.last_key_value() {
                restored = Some(checkpoint(&kept, tick, steps[tick as usize - 1].clock));
                after = tick;
            }
        }
    }
}
