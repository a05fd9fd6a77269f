//! Everything that is kept of one point.

use super::{
    samples::{Sample, Samples},
    sums::Sums,
    watched::{Watched, WatchedRollup},
    windows::{Form, Windows},
    zones::Zones,
};
use crate::{
    Diff,
    alarms::Watch,
    quantum::Quantum,
    rules::Timeline,
    scores::{Detector, ScoreChanges, Scored},
};
use dcmms_schemas::{
    id::PointNumber,
    outcome::{Latest, Score},
    reading::Quality,
    rollup::{Level, Rollup},
    time::{MINUTE, Moment},
};
use std::cmp::Ordering;

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It counts and is the newest of its point.
    Newest,
    /// It counts, and so changes what was made of readings after it.
    Inserted,
    /// It counts in the place of one heard on this partition.
    Replaced { source: u16 },
    /// It lost to another of its moment.
    Superseded,
    /// It was heard before.
    Duplicate,
    /// Older than the correction horizon.
    Late,
}

/// A point: what every reading touches first, what few need behind it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) number: PointNumber,
    pub(crate) quantum: Quantum,
    pub(crate) zone: u16,
    /// The partition it was last heard on.
    pub(crate) source: Option<u16>,
    pub(crate) watched: Watched,
    /// Its turns in the wheels, and what is to be done at the end of the tick.
    pub(crate) listed: Listed,
    horizon: i64,
    pub(super) greatest: Moment,
    /// What is older is late. It never goes back, also when the horizon is widened.
    pub(super) edge: Moment,
    pub(super) windows: Windows,
    pub(super) samples: Samples,
    /// Who judges it.
    pub(crate) timelines: Box<[Timeline]>,
    pub(crate) watch: Option<Box<Watch>>,
    pub(crate) scoring: Option<Box<Scoring>>,
    /// The oldest moment that a pending judgement anew must begin with.
    pub(crate) rerun_since: Moment,
    /// When [`Watch::advance`] has been asked to be called, at the latest.
    pub(crate) deadline: Moment,
    /// The partition whose time that deadline goes by.
    pub(crate) deadline_source: u16,
    /// The number of the cut that must have it because it changed, or [`State::KEPT`].
    pub(super) changed_for: u32,
    /// No cut has it yet.
    pub(super) is_new: bool,
    pub(super) rare: Option<Box<Rare>>,
    /// The newest reading where no samples are kept.
    pub(super) newest: Option<Sample>,
}

/// The lists that a point is on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Listed {
    pub(crate) latest: bool,
    pub(crate) minutes: bool,
    pub(crate) coarse: bool,
    /// A minute closed by the reading just taken.
    pub(crate) closes: bool,
    pub(crate) rerun: bool,
}

/// The scorer of a point and its newest score.
#[derive(Debug)]
pub(crate) struct Scoring {
    pub(crate) detector: Detector,
    pub(crate) newest: Option<Score>,
}

impl Scoring {
    pub(crate) fn new(detector: Detector) -> Scoring {
        Scoring { detector, newest: None }
    }

    pub(crate) fn append(&mut self, point: PointNumber, sample: &Sample, changes: &mut ScoreChanges) {
        if let Some(scored) = self.detector.append(sample, changes) {
            self.newest = Some(score(point, sample, scored));
        }
    }

    /// Scores again what `samples` says from `since` on. Where no reading that counts is left, the last score stays.
    pub(crate) fn rerun(&mut self, point: PointNumber, samples: &[Sample], since: Moment, changes: &mut ScoreChanges) {
        let scored = self.detector.rerun(samples.iter(), since, changes);
        let newest = samples.iter().rev().find(|sample| sample.quality != Quality::Bad);
        if let (Some(scored), Some(newest)) = (scored, newest) {
            self.newest = Some(score(point, newest, scored));
        }
    }
}

fn score(point: PointNumber, sample: &Sample, scored: Scored) -> Score {
    Score { point, at: sample.at, score: scored.score, value: sample.value, expected: scored.expected }
}

#[derive(Debug, Default)]
pub(super) struct Rare {
    /// Readings that lost to another of their moment, so that a repeat of one is known as such.
    pub(super) beaten: Vec<Sample>,
    /// What differential was told of windows that can still change, with their ends.
    pub(super) said: Vec<(Moment, WatchedRollup)>,
}

impl State {
    /// The cuts so far have it as it is.
    pub(super) const KEPT: u32 = 0;

    pub(crate) fn new(number: PointNumber, quantum: Quantum, zone: u16, horizon: i64) -> State {
        State {
            number,
            quantum,
            zone,
            source: None,
            watched: Watched::default(),
            listed: Listed::default(),
            horizon,
            greatest: Moment::MIN,
            edge: Moment::MIN,
            windows: Windows::EMPTY,
            samples: Samples::default(),
            timelines: Box::default(),
            watch: None,
            scoring: None,
            rerun_since: Moment::MAX,
            deadline: Moment::MAX,
            deadline_source: 0,
            changed_for: State::KEPT,
            is_new: true,
            rare: None,
            newest: None,
        }
    }

    /// A wider horizon keeps more from now on; what has left it does not come back.
    pub(crate) fn set_horizon(&mut self, horizon: i64) {
        self.horizon = horizon;
    }

    fn form(&self) -> Form {
        Form { point: self.number, quantum: self.quantum, zone: self.zone }
    }

    /// Takes a reading in; the caller retires what leaves the horizon by it. With `dedupe` a moment's readings compete and
    /// repeats count once; without it each counts.
    #[inline]
    pub(crate) fn take(&mut self, sample: &Sample, dedupe: bool) -> Verdict {
        if sample.at <= self.greatest {
            return self.take_older(sample, dedupe);
        }
        self.greatest = sample.at;
        self.edge = self.edge.max(sample.at.minus(self.horizon));
        if dedupe {
            self.samples.push(sample);
        }
        self.count(sample);
        Verdict::Newest
    }

    #[inline(never)]
    fn take_older(&mut self, sample: &Sample, dedupe: bool) -> Verdict {
        if sample.at < self.edge {
            return Verdict::Late;
        }
        if !dedupe {
            self.count(sample);
            return Verdict::Inserted;
        }
        let index = match self.samples.locate(sample.at) {
            Err(index) => {
                self.samples.insert(index, sample);
                self.count(sample);
                return Verdict::Inserted;
            }
            Ok(index) => index,
        };
        let winner = self.samples.get(index);
        match sample.against(&winner) {
            Ordering::Equal => Verdict::Duplicate,
            Ordering::Less => {
                let beaten = &mut self.rare.get_or_insert_default().beaten;
                if beaten.iter().any(|known| known.at == sample.at && known.against(sample) == Ordering::Equal) {
                    return Verdict::Duplicate;
                }
                beaten.push(*sample);
                Verdict::Superseded
            }
            Ordering::Greater => {
                self.samples.replace(index, sample);
                self.rare.get_or_insert_default().beaten.push(winner);
                let minute = sample.at.floor(MINUTE);
                let sums = Sums::of(self.samples.between(minute, minute.plus(MINUTE)), self.quantum);
                self.windows.replace(sample.at, sums);
                Verdict::Replaced { source: winner.source }
            }
        }
    }

    #[inline]
    fn count(&mut self, sample: &Sample) {
        let opened = self.windows.add(sample.at, sample.value, sample.quality, self.quantum);
        self.listed.closes |= opened;
    }

    /// Keeps the newest reading where no samples are kept; of one moment's the one that wins.
    pub(crate) fn keep_newest(&mut self, sample: &Sample) {
        let older = |known: Sample| known.at < sample.at || (known.at == sample.at && sample.against(&known) == Ordering::Greater);
        if self.newest.is_none_or(older) {
            self.newest = Some(*sample);
        }
    }

    pub(crate) fn latest(&self) -> Option<Latest> {
        let newest = self.samples.newest().or(self.newest)?;
        Some(Latest { point: self.number, at: newest.at, value: newest.value, quality: newest.quality })
    }

    /// Whether a minute has wholly left the horizon.
    #[inline]
    pub(crate) fn is_ripe(&self) -> bool {
        self.windows.oldest_end() <= self.edge
    }

    /// Lets go of minutes that have wholly left the horizon, with their samples, oldest first. The caller has judged
    /// again what late readings changed, because the alarms must know a sample before it leaves.
    pub(crate) fn retire(&mut self, zones: &mut Zones, say: impl FnMut(Rollup)) {
        let form = self.form();
        // Whole minutes, so that a minute's sums can be made anew from its samples as long as it can change.
        let until = self.edge.floor(MINUTE);
        while let Some(oldest) = self.samples.pop_before(until) {
            if let Some(watch) = &mut self.watch {
                watch.expire(&oldest);
            }
            if let Some(scoring) = &mut self.scoring {
                scoring.detector.expire(&oldest);
            }
        }
        self.windows.retire(until, form, zones, say);
        if let Some(rare) = &mut self.rare {
            rare.beaten.retain(|beaten| beaten.at >= until);
        }
    }

    /// Forgets what differential was told of windows that can no longer change.
    pub(crate) fn forget_final(&mut self) {
        if let Some(rare) = &mut self.rare {
            let edge = self.edge.floor(MINUTE);
            rare.said.retain(|(end, _)| *end > edge);
        }
    }

    pub(crate) fn say_closed(&mut self, say: impl FnMut(Rollup)) {
        self.windows.say_closed(self.form(), say);
    }

    pub(crate) fn say_minutes(&mut self, say: impl FnMut(Rollup)) {
        self.windows.say_minutes(self.form(), say);
    }

    pub(crate) fn say_coarse(&mut self, zones: &mut Zones, say: impl FnMut(Rollup)) {
        self.windows.say_coarse(self.form(), zones, say);
    }

    /// Says a watched row to differential: takes back what was said of its window before. A window's end is asked for
    /// because what was said is forgotten once the window can no longer change.
    pub(crate) fn say_watched(&mut self, row: Rollup, end: Moment, out: &mut Vec<(WatchedRollup, Diff)>) {
        let row = WatchedRollup::from(row);
        let said = &mut self.rare.get_or_insert_default().said;
        match said.iter_mut().find(|(_, before)| before.level == row.level && before.start == row.start) {
            Some((_, before)) if *before == row => return,
            Some((_, before)) => out.push((std::mem::replace(before, row), -1)),
            None => said.push((end, row)),
        }
        out.push((row, 1));
    }

    /// Changes which rows differential is told of. What is newly watched is said anew with the next rows; what is no
    /// longer watched stays said.
    pub(crate) fn set_watched(&mut self, watched: Watched) -> bool {
        let more = (watched.quarter && !self.watched.quarter) || (watched.hour && !self.watched.hour);
        self.watched = watched;
        if more {
            self.windows.forget_said();
        }
        more
    }

    /// Whether anything looks at the samples in their order, so that a late one changes what it says of later ones.
    pub(crate) fn is_judged(&self) -> bool {
        self.watch.is_some() || self.scoring.is_some()
    }

    /// All samples inside the horizon, in event order.
    pub(crate) fn copy_samples(&self, into: &mut Vec<Sample>) {
        into.clear();
        into.extend(self.samples.iter());
    }

    /// The level's end of a window is needed only for watched levels.
    pub(crate) fn end_of(&self, row: &Rollup, zones: &mut Zones) -> Moment {
        let [quarter, hour, day] = zones.spans(self.zone, row.start);
        match row.level {
            Level::Minute => row.start.plus(MINUTE),
            Level::Quarter => quarter.1,
            Level::Hour => hour.1,
            Level::Day => day.1,
        }
    }
}
