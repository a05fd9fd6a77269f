//! Hours of positions with what came after them.

use super::{FailureFact, TrainSpec, TrainingRow};
use dcmms_operators::features::{HourStat, Hours, Place, features, kinds, members};
use dcmms_schemas::{
    id::{PositionId, SiteId},
    time::{HOUR, Moment},
};
use std::collections::{BTreeMap, BTreeSet};

/// One hour of one position: its features, and whether it failed within the horizon after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    pub position: PositionId,
    pub hour: Moment,
    pub values: Vec<Option<f64>>,
    pub failed: bool,
}

/// All hours that can teach something, by site, hour and position.
pub fn examples(rows: &[TrainingRow], failures: &[FailureFact], spec: &TrainSpec) -> Vec<Example> {
    let kinds = kinds(&spec.features);
    let mut sites: BTreeMap<SiteId, Vec<&TrainingRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| kinds.contains(&row.kind.as_str())) {
        sites.entry(row.site).or_default().push(row);
    }
    let known_upto = rows.iter().map(|row| row.start.plus(HOUR)).max().unwrap_or(Moment::MIN);
    let mut failures_of: BTreeMap<PositionId, Vec<&FailureFact>> = BTreeMap::new();
    for failure in failures {
        failures_of.entry(failure.position).or_default().push(failure);
    }
    let mut all = Vec::new();
    for rows in sites.into_values() {
        let (places, hours) = arrange(&rows, &kinds);
        let starts: BTreeSet<Moment> = rows.iter().map(|row| row.start).collect();
        for hour in starts {
            let members = members(&spec.features, &places, &hours, hour);
            for (member, values) in members.iter().zip(features(&spec.features, &members)) {
                let failures = failures_of.get(&member.position).map_or(&[][..], Vec::as_slice);
                let useful = values.iter().any(Option::is_some);
                if let Some(failed) = label(hour, failures, known_upto, spec.horizon()).filter(|_| useful) {
                    all.push(Example { position: member.position, hour, values, failed });
                }
            }
        }
    }
    all
}

fn arrange(rows: &[&TrainingRow], kinds: &[&str]) -> (Vec<Place>, Hours) {
    let mut places = BTreeMap::new();
    let mut hours = Hours::new();
    for row in rows {
        let kind = kinds.iter().position(|kind| *kind == row.kind).expect("other kinds were left out");
        places.insert(row.point, Place { point: row.point, position: row.position, kind });
        hours.insert((row.point, row.start), HourStat { mean: row.mean, stddev: row.stddev, last_at: row.start });
    }
    (places.into_values().collect(), hours)
}

/// Whether a failure begins within the horizon after the hour; `None` while it is down, or when nobody can know yet.
fn label(hour: Moment, failures: &[&FailureFact], known_upto: Moment, horizon: i64) -> Option<bool> {
    let end = hour.plus(HOUR);
    let down = |failure: &&FailureFact| failure.at < end && hour < failure.restored.unwrap_or(failure.at.plus(horizon));
    if failures.iter().any(down) {
        return None;
    }
    if failures.iter().any(|failure| end <= failure.at && failure.at <= end.plus(horizon)) {
        return Some(true);
    }
    (end.plus(horizon) <= known_upto).then_some(false)
}
