//! All points of one worker, without the dataflow around them.

use super::{
    PointsOptions,
    cuts::Cuts,
    plant::{Plant, Touched},
    samples::Sample,
    state::{Listed, Scoring, State, Verdict},
    watched::WatchedRollup,
    wheel::Wheel,
    zones::Zones,
};
use crate::{
    Diff,
    alarms::{AlarmChanges, Watch, commands},
    columns::{CORRECTION, Columns, QUALITY},
    control::Told,
    quantum::Quantum,
    scores::{Detector, ScoreChanges},
};
use dcmms_schemas::{
    binding::Binding,
    books::Books,
    id::PointNumber,
    outcome::{HistoryRow, Late, Outcome, ScoreMinute},
    reading::Quality,
    rollup::Rollup,
    time::{HOUR, Moment},
};
use rustc_hash::FxHashMap;
use std::{collections::BTreeMap, ops::Bound};

mod keeping;

/// The points of one worker and when they speak.
pub(crate) struct Host {
    options: PointsOptions,
    worker: usize,
    peers: usize,
    plant: Plant,
    zones: Zones,
    cuts: Cuts,
    states: Vec<Option<Box<State>>>,
    latest: Wheel,
    minutes: Wheel,
    coarse: Wheel,
    /// Per source, when to look at which points again though nothing is heard of them.
    deadlines: BTreeMap<u16, BTreeMap<Moment, Vec<u32>>>,
    tick: Hand,
    samples: Vec<Sample>,
}

/// What a tick has said so far, and what is left to do at its end.
#[derive(Debug, Default)]
struct Hand {
    outcome: Outcome,
    watched: Vec<(WatchedRollup, Diff)>,
    books: BTreeMap<u16, Books>,
    late: FxHashMap<(PointNumber, Moment), Late>,
    alarms: AlarmChanges,
    scores: ScoreChanges,
    closed: Vec<u32>,
    reruns: Vec<u32>,
}

impl Host {
    pub(crate) fn new(options: PointsOptions, worker: usize, peers: usize) -> Host {
        Host {
            latest: Wheel::new(options.latest_every),
            minutes: Wheel::new(options.minutes_every),
            coarse: Wheel::new(options.coarse_every),
            options,
            worker,
            peers,
            plant: Plant::new(worker, peers),
            zones: Zones::default(),
            cuts: Cuts::new(),
            states: Vec::new(),
            deadlines: BTreeMap::new(),
            tick: Hand::default(),
            samples: Vec::new(),
        }
    }

    /// Lives through one tick: first what the domain says, then the readings in (source, offset) order, then time.
    pub(crate) fn tick(&mut self, told: &Told, columns: &mut [Columns]) -> (Outcome, Vec<(WatchedRollup, Diff)>) {
        self.learn(told);
        columns.sort_by_key(|columns| (columns.source, columns.order));
        for columns in &*columns {
            self.read(columns);
        }
        if let Some(binding) = &told.binding {
            self.rerun(Some(binding));
            self.pass(binding);
            self.speak(binding.clock);
            let events = std::mem::take(&mut self.tick.alarms.events);
            self.tick.outcome.commands = commands(&events, &self.plant, binding.clock, self.options.action_age_max);
        }
        let Hand { mut outcome, watched, books, late, alarms, scores, .. } = std::mem::take(&mut self.tick);
        outcome.alarms = alarms.rows;
        outcome.anomalies = scores.anomalies;
        outcome.score_minutes = last_said(scores.minutes);
        outcome.books = books.into_iter().filter(|(_, books)| !books.is_zero()).collect();
        outcome.late = late.into_values().collect();
        outcome.late.sort_unstable_by_key(|late| (late.point, late.hour));
        (outcome, watched)
    }

    /// Takes in the tick's domain events and looks once at each point that they touch.
    fn learn(&mut self, told: &Told) {
        if told.events.is_empty() {
            return;
        }
        let mut touched = Touched::default();
        for event in &told.events {
            self.plant.apply(event, &mut touched);
        }
        for number in &touched.removed {
            self.remove(*number, told.binding.as_deref());
        }
        for number in self.plant.touched(&touched) {
            self.configure(number, told.binding.as_deref());
        }
    }

    /// A removed point's state goes; its alarms go with the rules that judged it, its windows stay as they were said.
    fn remove(&mut self, number: PointNumber, binding: Option<&Binding>) {
        let index = number.0 as usize / self.peers;
        let Some(mut state) = self.states.get_mut(index).and_then(Option::take) else { return };
        self.cuts.remove(&mut state, index as u32);
        if let Some(mut watch) = state.watch.take() {
            state.copy_samples(&mut self.samples);
            watch.reconfigure(Vec::new(), self.samples.iter(), now_of(binding, state.source), &mut self.tick.alarms);
        }
    }

    /// Makes a point's state agree with what is known of the point, its place and its rules.
    fn configure(&mut self, number: PointNumber, binding: Option<&Binding>) {
        let timelines = self.plant.timelines(number);
        let Some(point) = self.plant.point(number) else { return };
        let position = self.plant.position(point);
        let mut watched = (self.options.watched)(point, position);
        watched.hour |= position.is_some_and(|position| self.plant.has_model(position));
        let zone = self.zones.index(self.plant.zone(point));
        let index = number.0 as usize / self.peers;
        if self.states.len() <= index {
            self.states.resize_with(index + 1, || None);
        }
        let state =
            self.states[index].get_or_insert_with(|| Box::new(State::new(number, Quantum::new(point.resolution), zone, point.horizon())));
        self.cuts.touch(state, index as u32);
        match (self.options.tuned)(point, position) {
            None => state.scoring = None,
            // A scorer that has learnt keeps how it was told to learn.
            Some(_) if state.scoring.is_some() => {}
            Some(tuning) => state.scoring = Some(Box::new(Scoring::new(Detector::new(number, tuning)))),
        }
        // The steps in which its windows add up stay those that it began with: open windows could not be added to others.
        state.zone = zone;
        state.set_horizon(point.horizon());
        if state.set_watched(watched) && state.source.is_some() && !state.listed.coarse {
            state.listed.coarse = true;
            self.coarse.list(number.0, index as u32);
        }
        if *state.timelines == *timelines {
            return;
        }
        state.copy_samples(&mut self.samples);
        let now = now_of(binding, state.source);
        state.timelines = timelines.clone().into();
        match &mut state.watch {
            Some(watch) => watch.reconfigure(timelines, self.samples.iter(), now, &mut self.tick.alarms),
            None => {
                let mut watch = Watch::new(number, timelines);
                watch.rerun(self.samples.iter(), now, &mut self.tick.alarms);
                state.watch = Some(Box::new(watch));
            }
        }
        schedule(state, index as u32, &mut self.deadlines);
    }

    /// Takes in the readings of one batch.
    fn read(&mut self, columns: &Columns) {
        let (peers, dedupe) = (self.peers as u32, self.options.dedupe);
        let mut books = Books::default();
        for row in 0..columns.len() {
            let number = columns.points[row];
            let index = number / peers;
            let flags = columns.flags[row];
            let sample = Sample {
                at: columns.moments[row],
                value: columns.values[row],
                quality: Quality::from_code(flags & QUALITY),
                seq: columns.seq(row),
                correction: flags & CORRECTION != 0,
                source: columns.source,
            };
            let state = self.states[index as usize].as_deref_mut().expect("the decoder and the points were told the same");
            self.cuts.touch(state, index);
            state.source = Some(columns.source);
            let verdict = state.take(&sample, dedupe);
            match verdict {
                Verdict::Newest => {
                    books.accepted += 1;
                    self.newest(index, &sample);
                }
                Verdict::Inserted | Verdict::Replaced { .. } => {
                    books.accepted += 1;
                    self.changed(index, &sample);
                }
                Verdict::Superseded => books.superseded += 1,
                Verdict::Duplicate => books.duplicates += 1,
                Verdict::Late => {
                    books.late += 1;
                    self.late(PointNumber(number), sample.at);
                }
            }
            if let Verdict::Replaced { source } = verdict {
                let beaten = self.tick.books.entry(source).or_default();
                beaten.accepted -= 1;
                beaten.superseded += 1;
            }
            if self.options.history && verdict != Verdict::Duplicate {
                self.tick.outcome.history.push(history_row(PointNumber(number), &sample, verdict));
            }
        }
        self.tick.books.entry(columns.source).or_default().add(&books);
    }

    /// A reading newer than all of its point before it: the way of nearly all.
    #[inline]
    fn newest(&mut self, index: u32, sample: &Sample) {
        let Some(state) = self.states[index as usize].as_deref_mut() else { return };
        if !self.options.dedupe {
            state.keep_newest(sample);
        }
        if !state.listed.rerun {
            if let Some(scoring) = &mut state.scoring {
                scoring.append(state.number, sample, &mut self.tick.scores);
            }
            if let Some(watch) = &mut state.watch
                && watch.append(sample, &mut self.tick.alarms)
            {
                schedule(state, index, &mut self.deadlines);
            }
        }
        if state.is_ripe() {
            self.retire(index);
        }
        self.list(index);
    }

    /// A reading that changes what was made of later ones.
    #[inline(never)]
    fn changed(&mut self, index: u32, sample: &Sample) {
        let Some(state) = self.states[index as usize].as_deref_mut() else { return };
        if !self.options.dedupe {
            state.keep_newest(sample);
        } else if state.is_judged() {
            state.rerun_since = state.rerun_since.min(sample.at);
            if !std::mem::replace(&mut state.listed.rerun, true) {
                self.tick.reruns.push(index);
            }
        }
        self.list(index);
    }

    #[inline(never)]
    fn late(&mut self, point: PointNumber, at: Moment) {
        let hour = at.floor(HOUR);
        let late = self.tick.late.entry((point, hour)).or_insert(Late { point, hour, readings: 0, first: at, last: at });
        late.readings += 1;
        late.first = late.first.min(at);
        late.last = late.last.max(at);
    }

    /// Puts a point on the lists of those that have something to say.
    #[inline]
    fn list(&mut self, index: u32) {
        let Some(state) = self.states[index as usize].as_deref_mut() else { return };
        let number = state.number.0;
        let listed = &mut state.listed;
        if std::mem::take(&mut listed.closes) {
            self.tick.closed.push(index);
        }
        if !listed.latest {
            listed.latest = true;
            self.latest.list(number, index);
        }
        if !listed.minutes {
            listed.minutes = true;
            self.minutes.list(number, index);
        }
        if !listed.coarse {
            listed.coarse = true;
            self.coarse.list(number, index);
        }
    }

    /// Lets go of what left a point's horizon, and says the last rows of what ended by it.
    #[inline(never)]
    fn retire(&mut self, index: u32) {
        self.rerun_one(index, None);
        let Some(state) = self.states[index as usize].as_deref_mut() else { return };
        let rollups = &mut self.tick.outcome.rollups;
        let from = rollups.len();
        state.retire(&mut self.zones, |row| rollups.push(row));
        say_watched(state, &rollups[from..], &mut self.zones, &mut self.tick.watched);
        state.forget_final();
    }

    /// Judges again the points that late or corrected readings changed, once each.
    fn rerun(&mut self, binding: Option<&Binding>) {
        for index in std::mem::take(&mut self.tick.reruns) {
            self.rerun_one(index, binding);
        }
    }

    fn rerun_one(&mut self, index: u32, binding: Option<&Binding>) {
        let Some(state) = self.states.get_mut(index as usize).and_then(Option::as_deref_mut) else { return };
        if !std::mem::take(&mut state.listed.rerun) {
            return;
        }
        state.copy_samples(&mut self.samples);
        let now = now_of(binding, state.source);
        let since = std::mem::replace(&mut state.rerun_since, Moment::MAX);
        if let Some(scoring) = &mut state.scoring {
            scoring.rerun(state.number, &self.samples, since, &mut self.tick.scores);
        }
        if let Some(watch) = &mut state.watch {
            watch.rerun(self.samples.iter(), now, &mut self.tick.alarms);
            schedule(state, index, &mut self.deadlines);
        }
    }

    /// Lets time pass for the points whose time has come.
    fn pass(&mut self, binding: &Binding) {
        // A point that asks again may do so on a later partition, whether or not anybody had asked there before.
        let mut next = self.deadlines.keys().next().copied();
        while let Some(source) = next {
            let now = binding.now(source);
            if let Some(due) = self.deadlines.get_mut(&source) {
                let later = due.split_off(&now.plus(1));
                for (moment, points) in std::mem::replace(due, later) {
                    for index in points {
                        self.pass_one(index, source, moment, now);
                    }
                }
            }
            next = self.deadlines.range((Bound::Excluded(source), Bound::Unbounded)).next().map(|(source, _)| *source);
        }
    }

    fn pass_one(&mut self, index: u32, source: u16, moment: Moment, now: Moment) {
        // A point that was removed or asked for another moment since left its entry behind.
        let Some(state) = self.states.get_mut(index as usize).and_then(Option::as_deref_mut) else { return };
        if (state.deadline, state.deadline_source) != (moment, source) {
            return;
        }
        self.cuts.touch(state, index);
        state.deadline = Moment::MAX;
        if state.source == Some(source)
            && let Some(watch) = &mut state.watch
        {
            watch.advance(now, &mut self.tick.alarms);
        }
        schedule(state, index, &mut self.deadlines);
    }

    /// Says the rows whose turn has come by `clock`. An entry that a removed point left behind is passed over, also when
    /// another has its place by now.
    fn speak(&mut self, clock: Moment) {
        let rollups = &mut self.tick.outcome.rollups;
        for index in std::mem::take(&mut self.tick.closed) {
            if let Some(state) = self.states[index as usize].as_deref_mut() {
                state.say_closed(|row| rollups.push(row));
            }
        }
        for index in self.minutes.due(clock) {
            if let Some(state) = turn(&mut self.states, &mut self.cuts, index, |listed| &mut listed.minutes) {
                state.say_minutes(|row| rollups.push(row));
                self.tick.scores.minutes.extend(state.scoring.as_ref().and_then(|scoring| scoring.detector.minute()));
            }
        }
        for index in self.coarse.due(clock) {
            if let Some(state) = turn(&mut self.states, &mut self.cuts, index, |listed| &mut listed.coarse) {
                let from = rollups.len();
                state.say_coarse(&mut self.zones, |row| rollups.push(row));
                say_watched(state, &rollups[from..], &mut self.zones, &mut self.tick.watched);
            }
        }
        for index in self.latest.due(clock) {
            if let Some(state) = turn(&mut self.states, &mut self.cuts, index, |listed| &mut listed.latest) {
                self.tick.outcome.latest.extend(state.latest());
                self.tick.outcome.scores.extend(state.scoring.as_ref().and_then(|scoring| scoring.newest));
            }
        }
    }
}

/// The point at `index` if it is on this list, and then it is no more.
fn turn<'a>(
    states: &'a mut [Option<Box<State>>],
    cuts: &mut Cuts,
    index: u32,
    list: fn(&mut Listed) -> &mut bool,
) -> Option<&'a mut State> {
    let state = states[index as usize].as_deref_mut()?;
    if !*list(&mut state.listed) {
        return None;
    }
    cuts.touch(state, index);
    *list(&mut state.listed) = false;
    Some(state)
}

/// Tells differential of the rows that it watches.
fn say_watched(state: &mut State, rows: &[Rollup], zones: &mut Zones, out: &mut Vec<(WatchedRollup, Diff)>) {
    let watched = state.watched;
    for row in rows.iter().filter(|row| watched.covers(row.level)) {
        let end = state.end_of(row, zones);
        state.say_watched(*row, end, out);
    }
}

/// Sees to it that a point is looked at again when its alarms may change by themselves. Entries are not moved: an early
/// one asks again when it comes.
fn schedule(state: &mut State, index: u32, deadlines: &mut BTreeMap<u16, BTreeMap<Moment, Vec<u32>>>) {
    let (Some(watch), Some(source)) = (&state.watch, state.source) else { return };
    let Some(deadline) = watch.deadline().filter(|deadline| *deadline < state.deadline) else { return };
    (state.deadline, state.deadline_source) = (deadline, source);
    deadlines.entry(source).or_default().entry(deadline).or_default().push(index);
}

/// The time by which a point's delays are judged.
fn now_of(binding: Option<&Binding>, source: Option<u16>) -> Moment {
    binding.zip(source).map_or(Moment::MIN, |(binding, source)| binding.now(source))
}

/// Of several rows of one point and minute the one said last.
fn last_said(mut minutes: Vec<ScoreMinute>) -> Vec<ScoreMinute> {
    minutes.reverse();
    // A stable sort keeps the last said of equals before the others.
    minutes.sort_by_key(|row| (row.point, row.minute));
    minutes.dedup_by_key(|row| (row.point, row.minute));
    minutes
}

fn history_row(point: PointNumber, sample: &Sample, verdict: Verdict) -> HistoryRow {
    HistoryRow {
        point,
        at: sample.at,
        value: sample.value,
        quality: sample.quality,
        seq: sample.seq,
        correction: sample.correction,
        late: verdict == Verdict::Late,
    }
}
