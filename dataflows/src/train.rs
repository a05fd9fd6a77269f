//! Fits a failure classifier on hours of the past and on the failures that people reported.
//!
//! The features come from the very function that the live engine calls ([`dcmms_operators::features`]), and what is learnt is
//! data: a [`Model`] whose score is multiplication and addition. Rules against fooling ourselves: earlier hours teach, later
//! hours test, with a gap as long as the horizon between them, because an early label looks that far ahead; scales come
//! from the teaching hours alone; hours inside a failure, and hours whose future is not known yet, are left out.

mod examples;
mod measure;

#[cfg(test)]
mod tests;

pub use examples::{Example, examples};
pub use measure::{average_precision, best_threshold};

use dcmms_operators::features::standard;
use dcmms_schemas::{
    id::{ModelId, PointNumber, PositionId, SiteId},
    model::{FeatureSpec, Model},
    time::{HOUR, Moment},
};
use linfa::{Dataset, traits::Fit};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// One hour of one point of a position of the model's class.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingRow {
    pub site: SiteId,
    pub position: PositionId,
    pub point: PointNumber,
    pub kind: String,
    pub start: Moment,
    pub mean: f64,
    pub stddev: f64,
}

/// A failure that people reported, of the kind the model is to foresee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureFact {
    pub position: PositionId,
    /// When it failed.
    pub at: Moment,
    /// When it worked again; unknown counts as one horizon later.
    pub restored: Option<Moment>,
}

/// What is to be trained. See [`Model`] for the fields they share.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainSpec {
    pub id: ModelId,
    pub version: i64,
    pub name: String,
    pub class: String,
    pub features: Vec<FeatureSpec>,
    pub hours: u32,
    pub horizon_hours: u32,
    pub failure: String,
    pub valid_from: Moment,
    /// `None`: the one with the best F1 on the hours it was taught with.
    pub threshold: Option<f64>,
    /// The share of the time that only tests, between 0 and 1.
    pub test_share: f64,
}

impl TrainSpec {
    /// The share of the time that only tests, unless said otherwise.
    pub const TEST_SHARE: f64 = 0.3;

    fn horizon(&self) -> i64 {
        i64::from(self.horizon_hours) * HOUR
    }
}

/// How good it is on hours that it was not taught with. The published model is taught with all hours by the same recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Position-hours that taught and that tested, and how many of each came before a failure.
    pub taught: usize,
    pub taught_before_failure: usize,
    pub tested: usize,
    pub tested_before_failure: usize,
    /// The share of tested hours before a failure: what average precision a blind guess has.
    pub prevalence: f64,
    pub threshold: f64,
    /// Of the hours at or above the threshold, those before a failure; `None` when there were none.
    pub precision: Option<f64>,
    /// Of the hours before a failure, those at or above the threshold; `None` when there were none.
    pub recall: Option<f64>,
    pub average_precision: Option<f64>,
}

/// Why nothing was learnt.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("the model has no features")]
    NoFeatures,
    #[error("no hours to learn from: check that roll-ups of an hour exist for the kinds {kinds}")]
    NoHours { kinds: String },
    #[error(
        "{before} of {hours} position-hours come before a failure, and both sides are needed: report failures of {failure}, or look further back"
    )]
    OneSided { hours: usize, before: usize, failure: String },
    #[error("fit the logistic regression")]
    Fit(#[source] linfa_logistic::error::Error),
}

/// Learns and measures. The same input gives the same model.
pub fn fit(rows: &[TrainingRow], failures: &[FailureFact], spec: &TrainSpec) -> Result<(Model, Metrics), TrainError> {
    if spec.features.is_empty() {
        return Err(TrainError::NoFeatures);
    }
    let all = examples(rows, failures, spec);
    let (Some(first), Some(last)) = (all.iter().map(|one| one.hour).min(), all.iter().map(|one| one.hour).max()) else {
        return Err(TrainError::NoHours { kinds: dcmms_operators::features::kinds(&spec.features).join(", ") });
    };
    let split = last.minus(((last.0 - first.0) as f64 * spec.test_share.clamp(0.0, 1.0)) as i64);
    let taught: Vec<&Example> = all.iter().filter(|one| one.hour.plus(HOUR + spec.horizon()) <= split).collect();
    let tested: Vec<&Example> = all.iter().filter(|one| one.hour >= split).collect();
    let earlier = learn(&taught, spec)?;
    let threshold = spec.threshold.unwrap_or_else(|| best_threshold(&scores(&earlier, &taught)));
    let metrics = measure::measure(&scores(&earlier, &tested), threshold, (taught.len(), before_failure(&taught)));
    let learnt = learn(&all.iter().collect::<Vec<_>>(), spec)?;
    Ok((model(spec, learnt, threshold), metrics))
}

fn before_failure(examples: &[&Example]) -> usize {
    examples.iter().filter(|one| one.failed).count()
}

/// What training finds out.
#[derive(Clone, Debug, PartialEq)]
struct Learnt {
    means: Vec<f64>,
    scales: Vec<f64>,
    coefficients: Vec<f64>,
    intercept: f64,
}

fn model(spec: &TrainSpec, learnt: Learnt, threshold: f64) -> Model {
    Model {
        id: spec.id,
        version: spec.version,
        name: spec.name.clone(),
        class: spec.class.clone(),
        features: spec.features.clone(),
        means: learnt.means,
        scales: learnt.scales,
        coefficients: learnt.coefficients,
        intercept: learnt.intercept,
        threshold,
        hours: spec.hours,
        horizon_hours: spec.horizon_hours,
        failure: spec.failure.clone(),
        valid_from: spec.valid_from,
    }
}

/// Score and truth of each example.
fn scores(learnt: &Learnt, examples: &[&Example]) -> Vec<(f64, bool)> {
    let log_odds = |one: &Example| {
        let share = |(index, value): (usize, &Option<f64>)| {
            value.map_or(0.0, |value| learnt.coefficients[index] * standard(value, learnt.means[index], learnt.scales[index]))
        };
        learnt.intercept + one.values.iter().enumerate().map(share).sum::<f64>()
    };
    examples.iter().map(|one| (1.0 / (1.0 + (-log_odds(one)).exp()), one.failed)).collect()
}

fn learn(examples: &[&Example], spec: &TrainSpec) -> Result<Learnt, TrainError> {
    let (hours, before) = (examples.len(), before_failure(examples));
    if before == 0 || before == hours {
        return Err(TrainError::OneSided { hours, before, failure: spec.failure.clone() });
    }
    let (means, scales) = scales(examples, spec.features.len());
    // Failures are rare: each hour before one is repeated until both sides weigh the same, and what that adds to
    // the odds is taken off again below, so that a probability stays one.
    let repeats = ((hours - before) as f64 / before as f64).round().max(1.0) as usize;
    let repeated: Vec<&Example> = examples.iter().flat_map(|one| std::iter::repeat_n(*one, if one.failed { repeats } else { 1 })).collect();
    let inputs = Array2::from_shape_fn((repeated.len(), means.len()), |(row, column)| {
        repeated[row].values[column].map_or(0.0, |value| standard(value, means[column], scales[column]))
    });
    let truth: Array1<bool> = repeated.iter().map(|one| one.failed).collect();
    let (coefficients, intercept) = logistic(inputs, truth)?;
    Ok(Learnt { means, scales, coefficients, intercept: intercept - (repeats as f64).ln() })
}

/// Coefficients and intercept of the log-odds of `true`.
fn logistic(inputs: Array2<f64>, truth: Array1<bool>) -> Result<(Vec<f64>, f64), TrainError> {
    let fitted = LogisticRegression::default().max_iterations(200).fit(&Dataset::new(inputs, truth)).map_err(TrainError::Fit)?;
    // linfa 0.8 speaks of the probability of whichever class had more rows, not of `true`: ask which one it was.
    let side = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    Ok((fitted.params().iter().map(|coefficient| side * coefficient).collect(), side * fitted.intercept()))
}

/// Mean and standard deviation of each feature; 0 and 0 for one that is never there.
fn scales(examples: &[&Example], features: usize) -> (Vec<f64>, Vec<f64>) {
    let of = |feature: usize| {
        let values: Vec<f64> = examples.iter().filter_map(|one| one.values[feature]).collect();
        if values.is_empty() {
            return (0.0, 0.0);
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, variance.sqrt())
    };
    (0..features).map(of).unzip()
}
