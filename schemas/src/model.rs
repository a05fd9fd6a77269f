//! A trained failure classifier as data: the engine only multiplies and adds.

use crate::{id::ModelId, time::Moment};
use serde::{Deserialize, Serialize};

/// How one input of a model is made from a position's hourly windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureSpec {
    /// `inv.temp.cabinet.mean`, …: unique in the model.
    pub name: String,
    /// Canonical quantity of the point.
    pub kind: String,
    pub of: FeatureOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureOf {
    /// The hour's mean.
    Mean,
    /// The hour's mean less the median of the same hour at the positions of the same class and site.
    PeerDifference,
    /// The hour's mean over the median of its peers (1 when that is 0).
    PeerRatio,
    /// The hour's population standard deviation.
    Stddev,
    /// The hour's mean less the position's own mean over the hours before, up to 24.
    DayDifference,
}

/// One immutable version of a model: logistic over standardised features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    pub id: ModelId,
    pub version: i64,
    pub name: String,
    /// Asset class it speaks of.
    pub class: String,
    pub features: Vec<FeatureSpec>,
    /// Mean and scale of each feature in training; a feature that is missing counts as its mean.
    pub means: Vec<f64>,
    pub scales: Vec<f64>,
    /// One per feature, of P(failure within `horizon_hours`).
    pub coefficients: Vec<f64>,
    pub intercept: f64,
    /// Probability from which it counts.
    pub threshold: f64,
    /// Consecutive hours at or above the threshold before an order is proposed.
    pub hours: u32,
    pub horizon_hours: u32,
    /// What the failure is called: `cooling fan`, …
    pub failure: String,
    /// Windows that start before this are not scored.
    pub valid_from: Moment,
}
