//! What a model said of a position, and why.

use crate::{
    id::{ModelId, PositionId, PredictionId, SiteId, derived_id},
    time::Moment,
};
use serde::{Deserialize, Serialize};

/// One feature's share in a score: `coefficient * (value - mean) / scale`, in log-odds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    pub feature: String,
    pub value: f64,
    pub contribution: f64,
}

/// The score of one hourly window of one position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    pub id: PredictionId,
    pub model: ModelId,
    pub version: i64,
    pub site: SiteId,
    pub position: PositionId,
    /// The hour it was made of.
    pub window: Moment,
    pub probability: f64,
    pub threshold: f64,
    /// Strongest first, at most five.
    pub contributions: Vec<Contribution>,
    /// True in the window that completed the run of hours above the threshold, so that an order was proposed.
    pub proposes: bool,
}

impl Prediction {
    pub fn id_of(model: ModelId, version: i64, position: PositionId, window: Moment) -> PredictionId {
        PredictionId(derived_id(
            "prediction",
            &[model.0.as_bytes(), &version.to_be_bytes(), position.0.as_bytes(), &window.0.to_be_bytes()],
        ))
    }
}
