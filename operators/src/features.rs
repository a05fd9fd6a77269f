//! What a model looks at, and what it makes of it. The same functions serve the live engine and training, so that a model never
//! meets a feature that was made another way.

use dcmms_schemas::{
    id::{PointNumber, PositionId},
    model::{FeatureOf, FeatureSpec, Model},
    prediction::Contribution,
    time::{HOUR, Moment},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

/// The most contributions that a prediction lists.
pub const CONTRIBUTIONS_MAX: usize = 5;

/// How many hours before one make its day.
pub const DAY_HOURS: i64 = 24;

/// One hour of one point.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourStat {
    pub mean: f64,
    /// The population's.
    pub stddev: f64,
    /// The point's last reading in it.
    pub last_at: Moment,
}

/// The hours that are held of each point.
pub type Hours = BTreeMap<(PointNumber, Moment), HourStat>;

/// A point at a position of the model's class, with the place of its kind in [`kinds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub point: PointNumber,
    pub position: PositionId,
    pub kind: usize,
}

/// One hour of one kind at one position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KindHour {
    pub mean: f64,
    /// The population's.
    pub stddev: f64,
    /// The mean of the hourly means in the [`DAY_HOURS`] before, as far as there are any.
    pub day: Option<f64>,
}

/// One position in one hour, with an entry for each of [`kinds`].
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub position: PositionId,
    pub hours: Vec<Option<KindHour>>,
}

/// The kinds that some features are made of, each once, in the order of the features.
pub fn kinds(specs: &[FeatureSpec]) -> Vec<&str> {
    let mut kinds: Vec<&str> = Vec::new();
    for spec in specs {
        if !kinds.contains(&spec.kind.as_str()) {
            kinds.push(&spec.kind);
        }
    }
    kinds
}

/// The positions with something to say in an hour, in the order of their ids. `places` are those of one class at one site, in
/// the order of their points, because floats added in another order give another answer.
pub fn members(specs: &[FeatureSpec], places: &[Place], hours: &Hours, hour: Moment) -> Vec<Member> {
    let kinds = kinds(specs);
    let of_day = |kind: &str| specs.iter().any(|spec| spec.kind == kind && spec.of == FeatureOf::DayDifference);
    let of_day: Vec<bool> = kinds.iter().map(|kind| of_day(kind)).collect();
    let mut positions: BTreeMap<PositionId, Vec<Vec<KindHour>>> = BTreeMap::new();
    for place in places {
        if let Some(stat) = hours.get(&(place.point, hour)) {
            let day = of_day[place.kind].then(|| day_before(hours, place.point, hour)).flatten();
            let said = KindHour { mean: stat.mean, stddev: stat.stddev, day };
            positions.entry(place.position).or_insert_with(|| vec![Vec::new(); kinds.len()])[place.kind].push(said);
        }
    }
    let combine = |hours: Vec<Vec<KindHour>>| hours.iter().map(|hours| combined(hours)).collect();
    positions.into_iter().map(|(position, hours)| Member { position, hours: combine(hours) }).collect()
}

fn day_before(hours: &Hours, point: PointNumber, hour: Moment) -> Option<f64> {
    let day = hours.range((point, hour.minus(DAY_HOURS * HOUR))..(point, hour));
    mean(day.map(|(_, stat)| stat.mean))
}

/// Several points of one kind at one position speak as one.
fn combined(hours: &[KindHour]) -> Option<KindHour> {
    Some(KindHour {
        mean: mean(hours.iter().map(|hour| hour.mean))?,
        stddev: mean(hours.iter().map(|hour| hour.stddev))?,
        day: mean(hours.iter().filter_map(|hour| hour.day)),
    })
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), value| (sum + value, n + 1));
    (n > 0).then(|| sum / n as f64)
}

/// The features of all positions of one class at one site in one hour: a row per member, an entry per feature. `None`: there
/// was nothing to make it of.
pub fn features(specs: &[FeatureSpec], members: &[Member]) -> Vec<Vec<Option<f64>>> {
    let kinds = kinds(specs);
    let medians: Vec<Option<f64>> =
        (0..kinds.len()).map(|kind| median(members.iter().filter_map(|member| member.hours[kind]).map(|hour| hour.mean))).collect();
    let places: Vec<usize> =
        specs.iter().map(|spec| kinds.iter().position(|kind| *kind == spec.kind).expect("kinds come from the specs")).collect();
    let feature = |member: &Member, spec: &FeatureSpec, kind: usize| -> Option<f64> {
        let hour = member.hours[kind]?;
        match spec.of {
            FeatureOf::Mean => Some(hour.mean),
            FeatureOf::Stddev => Some(hour.stddev),
            FeatureOf::PeerDifference => Some(hour.mean - medians[kind]?),
            FeatureOf::PeerRatio => Some(medians[kind].filter(|median| *median != 0.0).map_or(1.0, |median| hour.mean / median)),
            FeatureOf::DayDifference => Some(hour.mean - hour.day?),
        }
    };
    members.iter().map(|member| specs.iter().zip(&places).map(|(spec, kind)| feature(member, spec, *kind)).collect()).collect()
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The probability of a failure within the horizon, and what spoke for and against it: the strongest first. A feature that is
/// missing counts as its mean; `None` when all are.
pub fn score(model: &Model, features: &[Option<f64>]) -> Option<(f64, Vec<Contribution>)> {
    let mut contributions = Vec::with_capacity(features.len());
    let mut log_odds = model.intercept;
    for (index, value) in features.iter().enumerate() {
        let Some(value) = *value else {
            continue;
        };
        let contribution = model.coefficients[index] * standard(value, model.means[index], model.scales[index]);
        log_odds += contribution;
        contributions.push(Contribution { feature: model.features[index].name.clone(), value, contribution });
    }
    if contributions.is_empty() {
        return None;
    }
    contributions.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    contributions.truncate(CONTRIBUTIONS_MAX);
    Some((1.0 / (1.0 + (-log_odds).exp()), contributions))
}

/// In standard deviations from the mean; a feature that never varied says nothing.
pub fn standard(value: f64, mean: f64, scale: f64) -> f64 {
    if scale > 0.0 { (value - mean) / scale } else { 0.0 }
}

/// Whether a model's lists are as long as each other, so that [`score`] may index them.
pub fn is_whole(model: &Model) -> bool {
    let n = model.features.len();
    n > 0 && model.means.len() == n && model.scales.len() == n && model.coefficients.len() == n
}
