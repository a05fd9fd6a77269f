//! A point in a checkpoint: a head that is written whole each time, and of its samples and minutes what a cut does not have yet.

use super::{
    samples::{KeptSamples, Sample, Samples},
    state::{Listed, Rare, Scoring, State},
    watched::{Watched, WatchedRollup},
    windows::{KeptWindows, Windows},
};
use crate::{
    alarms::{Judges, KeptWatch, Watch},
    quantum::Quantum,
    rules::Timeline,
    scores::Detector,
};
use dcmms_schemas::{id::PointNumber, outcome::Score, time::Moment};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

#[derive(Debug, Serialize, Deserialize)]
struct Head<'a> {
    quantum: Quantum,
    source: Option<u16>,
    watched: Watched,
    /// On the lists of latest values, minutes and coarser windows.
    listed: [bool; 3],
    greatest: Moment,
    edge: Moment,
    deadline: (Moment, u16),
    windows: KeptWindows,
    watch: Option<KeptWatch>,
    scoring: Option<(Cow<'a, Detector>, Option<Score>)>,
    beaten: Cow<'a, [Sample]>,
    said: Cow<'a, [(Moment, WatchedRollup)]>,
    newest: Option<Sample>,
}

/// What of a point follows from the domain, which is told again before.
pub(super) struct Known {
    pub(super) zone: u16,
    pub(super) horizon: i64,
    pub(super) timelines: Vec<Timeline>,
}

impl State {
    /// What a cut must have of the point. With `all`, also what earlier cuts have.
    pub(super) fn keep(&mut self, all: bool) -> Vec<u8> {
        let all = std::mem::take(&mut self.is_new) || all;
        let samples = self.samples.keep(all);
        let rare = self.rare.as_deref();
        let head = Head {
            quantum: self.quantum,
            source: self.source,
            watched: self.watched,
            listed: [self.listed.latest, self.listed.minutes, self.listed.coarse],
            greatest: self.greatest,
            edge: self.edge,
            deadline: (self.deadline, self.deadline_source),
            windows: self.windows.keep(all),
            watch: self.watch.as_deref().map(Watch::keep),
            scoring: self.scoring.as_deref().map(|scoring| (Cow::Borrowed(&scoring.detector), scoring.newest)),
            beaten: rare.map_or(Cow::Borrowed(&[]), |rare| Cow::Borrowed(rare.beaten.as_slice())),
            said: rare.map_or(Cow::Borrowed(&[]), |rare| Cow::Borrowed(rare.said.as_slice())),
            newest: self.newest,
        };
        let mut bytes = postcard::to_extend(&head, Vec::with_capacity(1_024)).expect("memory takes all that is written");
        samples.write(&mut bytes);
        bytes
    }

    /// Goes on as the point was at the last of some cuts.
    ///
    /// # Panics
    /// When the records are not as [`State::keep`] wrote them.
    pub(super) fn restore(number: PointNumber, known: Known, records: &[&[u8]], judges: &Judges<'_>) -> State {
        let mut newest = None;
        let (mut windows, mut samples) = (Vec::with_capacity(records.len()), Vec::with_capacity(records.len()));
        for record in records {
            let (mut head, rest): (Head<'static>, _) =
                postcard::take_from_bytes(record).expect("a checkpoint of this job's fingerprint is in this version's format");
            windows.push(std::mem::take(&mut head.windows));
            samples.push(KeptSamples::read(rest).expect("samples are written to the end of a record"));
            newest = Some(head);
        }
        let head = newest.expect("a key that was found has a value");
        let [latest, minutes, coarse] = head.listed;
        let mut state = State::new(number, head.quantum, known.zone, known.horizon);
        state.source = head.source;
        state.watched = head.watched;
        state.listed = Listed { latest, minutes, coarse, ..Listed::default() };
        (state.greatest, state.edge) = (head.greatest, head.edge);
        (state.deadline, state.deadline_source) = head.deadline;
        state.windows = Windows::restore(windows.into_iter());
        state.samples = Samples::restore(samples.into_iter());
        state.watch = head.watch.map(|kept| Box::new(Watch::restore(number, known.timelines.clone(), kept, judges)));
        state.timelines = known.timelines.into();
        state.scoring = head.scoring.map(|(detector, newest)| Box::new(Scoring { detector: detector.into_owned(), newest }));
        if !head.beaten.is_empty() || !head.said.is_empty() {
            state.rare = Some(Box::new(Rare { beaten: head.beaten.into_owned(), said: head.said.into_owned() }));
        }
        state.newest = head.newest;
        (state.changed_for, state.is_new) = (State::KEPT, false);
        state
    }
}
