//! The hours of one site, their scores, and the orders proposed for them.

use super::{
    Known, Settings,
    kept::Entry,
    runs::{Scored, Track},
    words,
};
use crate::{
    Diff,
    features::{DAY_HOURS, HourStat, Hours, Place, features, kinds, members, score},
    points::WatchedRollup,
};
use dcmms_schemas::{
    command::{Command, Request},
    id::{ModelId, PointNumber, PositionId, SiteId},
    model::Model,
    outcome::Outcome,
    plant::Point,
    prediction::Prediction,
    time::{HOUR, Moment},
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Site {
    pub(super) hours: Hours,
    /// How many hours end their data at each moment: the greatest says how far the site has come.
    ends: BTreeMap<Moment, usize>,
    pub(super) tracks: BTreeMap<(ModelId, PositionId), Track>,
    touched: BTreeSet<Moment>,
    /// The hours that start before this have been settled as being over.
    pub(super) over: Option<Moment>,
    /// What is other than at the last cut.
    pub(super) changed: BTreeSet<Entry>,
}

impl Site {
    pub(super) fn hear(&mut self, row: &WatchedRollup, diff: Diff, settings: Settings) {
        let key = (row.point, row.start);
        let stat = HourStat { mean: row.mean.0, stddev: row.stddev.0, last_at: row.last_at };
        if diff < 0 {
            if self.hours.get(&key) == Some(&stat) {
                self.hours.remove(&key);
                self.uncount(stat.last_at);
                self.changed.insert(Entry::Hour(row.point, row.start));
                self.touch(row.start);
            }
        } else if row.n > 0 && row.start >= self.reached().minus(settings.keep_us) {
            if let Some(before) = self.hours.insert(key, stat) {
                self.uncount(before.last_at);
            }
            *self.ends.entry(stat.last_at).or_default() += 1;
            self.changed.insert(Entry::Hour(row.point, row.start));
            self.touch(row.start);
        }
    }

    /// Takes over an hour that was held at a cut.
    pub(super) fn restore_hour(&mut self, point: PointNumber, hour: Moment, stat: HourStat) {
        self.hours.insert((point, hour), stat);
        *self.ends.entry(stat.last_at).or_default() += 1;
    }

    fn uncount(&mut self, end: Moment) {
        if let Some(count) = self.ends.get_mut(&end) {
            *count -= 1;
            if *count == 0 {
                self.ends.remove(&end);
            }
        }
    }

    /// An hour counts in the day of those after it.
    fn touch(&mut self, hour: Moment) {
        self.touched.extend((0..=DAY_HOURS).map(|hours| hour.plus(hours * HOUR)));
    }

    /// How many hours and scores are held.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.hours.len(), self.tracks.values().map(|track| track.scored.len()).sum())
    }

    pub(super) fn touch_all(&mut self) {
        self.touched.extend(self.hours.keys().map(|(_, hour)| *hour));
        self.touched.extend(self.tracks.values().flat_map(|track| track.scored.keys().copied()));
    }

    fn reached(&self) -> Moment {
        self.ends.last_key_value().map_or(Moment::MIN, |(end, _)| *end)
    }

    /// Scores what was touched or is over now, and says the differences and what people should do.
    pub(super) fn settle(&mut self, id: SiteId, plant: &Known, settings: Settings, now: Moment, outcome: &mut Outcome) {
        let over = self.reached().minus(settings.grace_us + HOUR).plus(1);
        if self.over != Some(over) {
            self.changed.insert(Entry::Over);
        }
        if let Some(before) = self.over.replace(over) {
            // Also backwards: what was over may not be any more when the newest hour is taken back.
            let (from, to) = (before.min(over), before.max(over));
            if from < to {
                let hours: BTreeSet<Moment> = self.hours.keys().map(|(_, hour)| *hour).filter(|hour| (from..to).contains(hour)).collect();
                self.touched.extend(hours);
            }
        }
        let touched = std::mem::take(&mut self.touched);
        if touched.is_empty() {
            return;
        }
        let mut before: BTreeMap<(ModelId, PositionId), BTreeMap<Moment, Option<Prediction>>> = BTreeMap::new();
        let oldest = self.reached().minus(settings.keep_us);
        let mut points: Vec<&Point> = plant.points.values().filter(|point| point.site == id).collect();
        points.sort_unstable_by_key(|point| point.number);
        for hour in touched.into_iter().filter(|hour| *hour >= oldest) {
            let scored = if hour < over { self.score(id, plant, &points, hour) } else { BTreeMap::new() };
            self.replace(hour, scored, &mut before);
        }
        for (key, before) in before {
            self.conclude(key, before, plant, settings, now, outcome);
        }
        self.forget(oldest);
    }

    /// All scores of one hour.
    fn score(&self, id: SiteId, plant: &Known, points: &[&Point], hour: Moment) -> BTreeMap<(ModelId, PositionId), Scored> {
        let mut all = BTreeMap::new();
        for (model_id, versions) in &plant.models {
            let Some(model) = Known::version_at(versions, hour) else {
                continue;
            };
            let members = members(&model.features, &places(plant, model, points), &self.hours, hour);
            for (member, values) in members.iter().zip(features(&model.features, &members)) {
                let Some((probability, contributions)) = score(model, &values) else {
                    continue;
                };
                let prediction = Prediction {
                    id: Prediction::id_of(*model_id, model.version, member.position, hour),
                    model: *model_id,
                    version: model.version,
                    site: id,
                    position: member.position,
                    window: hour,
                    probability,
                    threshold: model.threshold,
                    contributions,
                    proposes: false,
                };
                all.insert((*model_id, member.position), Scored { prediction, hours: model.hours });
            }
        }
        all
    }

    /// Puts the scores of an hour in place of those before, noting what was there when it was first touched.
    fn replace(
        &mut self,
        hour: Moment,
        scored: BTreeMap<(ModelId, PositionId), Scored>,
        before: &mut BTreeMap<(ModelId, PositionId), BTreeMap<Moment, Option<Prediction>>>,
    ) {
        let known = self.tracks.iter().filter(|(_, track)| track.scored.contains_key(&hour)).map(|(key, _)| *key);
        let keys: BTreeSet<_> = known.chain(scored.keys().copied()).collect();
        let mut scored = scored;
        for key in keys {
            let track = self.tracks.entry(key).or_default();
            let old = match scored.remove(&key) {
                Some(new) => track.scored.insert(hour, new),
                None => track.scored.remove(&hour),
            };
            self.changed.insert(Entry::Scored(key.0, key.1, hour));
            before.entry(key).or_default().entry(hour).or_insert(old.map(|old| old.prediction));
        }
    }

    /// Marks runs anew, says the differences, and proposes and withdraws.
    fn conclude(
        &mut self,
        key: (ModelId, PositionId),
        mut before: BTreeMap<Moment, Option<Prediction>>,
        plant: &Known,
        settings: Settings,
        now: Moment,
        outcome: &mut Outcome,
    ) {
        let Some(track) = self.tracks.get_mut(&key) else {
            return;
        };
        // The marks of other hours can change as well.
        let marked: Vec<(Moment, Prediction)> = track
            .scored
            .iter()
            .filter(|(_, scored)| scored.prediction.proposes)
            .map(|(hour, scored)| (*hour, scored.prediction.clone()))
            .collect();
        let runs = track.mark();
        for (hour, prediction) in marked {
            before.entry(hour).or_insert(Some(prediction));
        }
        for hour in runs.iter().filter_map(|run| run.proposes) {
            let unmarked = || track.scored.get(&hour).map(|scored| Prediction { proposes: false, ..scored.prediction.clone() });
            before.entry(hour).or_insert_with(unmarked);
        }
        for (hour, old) in before {
            let new = track.scored.get(&hour).map(|scored| &scored.prediction);
            if old.as_ref() != new {
                self.changed.insert(Entry::Scored(key.0, key.1, hour));
                outcome.predictions.extend(old.map(|row| (row, -1)));
                outcome.predictions.extend(new.map(|row| (row.clone(), 1)));
            }
        }
        track.proposed.retain(|hour, prediction| {
            let stands = runs.iter().any(|run| run.qualifies && run.start <= *hour && *hour < run.next);
            if !stands {
                let reason = "later readings took back the hours above the threshold".to_owned();
                outcome.commands.push(Command::new(now, Request::WithdrawPrediction { prediction: *prediction, reason }));
                self.changed.insert(Entry::Track(key.0, key.1));
            }
            stands
        });
        for run in runs {
            let told = track.proposed.range(run.start..run.next).next().is_some();
            let old = run.start < now.minus(settings.act_within_us);
            let proposing = run.proposes.and_then(|hour| Some((hour, &track.scored.get(&hour)?.prediction)));
            if let (false, false, Some((hour, prediction))) = (told, old, proposing)
                && let Some(model) = plant.models.get(&key.0).and_then(|versions| Known::version_at(versions, hour))
            {
                outcome.commands.push(Command::new(now, propose(model, plant, prediction, run.start)));
                let id = prediction.id;
                track.proposed.insert(hour, id);
                self.changed.insert(Entry::Track(key.0, key.1));
            }
        }
        if track.scored.is_empty() && track.proposed.is_empty() {
            self.tracks.remove(&key);
            self.changed.insert(Entry::Track(key.0, key.1));
        }
    }

    fn forget(&mut self, oldest: Moment) {
        let old: Vec<_> = self.hours.iter().filter(|((_, hour), _)| *hour < oldest).map(|(key, stat)| (*key, stat.last_at)).collect();
        for (key, end) in old {
            self.hours.remove(&key);
            self.uncount(end);
            self.changed.insert(Entry::Hour(key.0, key.1));
        }
        for (key, track) in &mut self.tracks {
            if track.scored.first_key_value().is_none_or(|(hour, _)| *hour >= oldest) {
                continue;
            }
            let gone = track.scored.range(..oldest).map(|(hour, _)| Entry::Scored(key.0, key.1, *hour));
            self.changed.extend(gone);
            self.changed.insert(Entry::Track(key.0, key.1));
            track.forget(oldest);
        }
    }
}

/// Where the model's class has points of its kinds.
fn places(plant: &Known, model: &Model, points: &[&Point]) -> Vec<Place> {
    let kinds = kinds(&model.features);
    let place = |point: &&Point| {
        let kind = kinds.iter().position(|kind| *kind == point.kind)?;
        let position = plant.positions.get(&point.position?).filter(|position| position.class == model.class)?;
        Some(Place { point: point.number, position: position.id, kind })
    };
    points.iter().filter_map(place).collect()
}

fn propose(model: &Model, plant: &Known, prediction: &Prediction, onset: Moment) -> Request {
    Request::ProposeOrder {
        prediction: prediction.id,
        site: prediction.site,
        position: prediction.position,
        onset,
        probability: prediction.probability,
        because: words::because(model, prediction),
        title: words::title(model, plant.positions.get(&prediction.position), prediction),
    }
}
