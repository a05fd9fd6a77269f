//! Roll-ups that a regulator or an owner asks for; every ratio with its numerator, denominator and basis.

use crate::{id::SiteId, time::Moment};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// One figure of one site and month (pack IN-GEN-M, monthly generation).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub site: SiteId,
    /// First day of the site-local month.
    pub month: NaiveDate,
    /// `energy`, `cuf`, `pr`, `availability` or `completeness`.
    pub metric: String,
    /// Null, with `reason`, when the denominator is empty.
    pub value: Option<f64>,
    pub numerator: f64,
    pub denominator: f64,
    /// kWh for energy, 1 for ratios.
    pub unit: String,
    /// What the figure stands on: `AC 8000 kW x 720 h`, …
    pub basis: String,
    pub reason: Option<String>,
    /// Up to when its inputs reach.
    pub through: Moment,
}
