//! Points as the API says them.

use super::kinds;
use crate::{check::Faults, respond::Versioned};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    domain,
    id::{PointNumber, PositionId, SiteId},
    plant,
    time::{DAY, MILLISECOND, Moment},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The step of a point with a declared range is at most this part of it.
const RESOLUTION_OF_RANGE: f64 = 1e-9;
/// The longest correction horizon.
const HORIZON_MS_MAX: i64 = 7 * DAY / MILLISECOND;

/// What is said of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PointInput {
    pub site: Uuid,
    /// Where it measures, at the same site.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub position: Option<Uuid>,
    /// As telemetry names it; unique, and it stays.
    #[schema(example = "RJ01/B03/INV07:ac.power")]
    pub key: String,
    #[serde(default)]
    pub name: String,
    /// Canonical quantity.
    #[schema(example = "ac.power")]
    pub kind: String,
    /// UCUM code; that of the quantity unless said.
    #[serde(default)]
    #[schema(example = "kW")]
    pub unit: Option<String>,
    /// A register that only grows; as is usual for the quantity unless said.
    #[serde(default)]
    #[schema(example = false)]
    pub counter: Option<bool>,
    /// The step at which values are summed; a billionth of the range, or 0.000001, unless said. It stays.
    #[serde(default)]
    #[schema(example = 0.001)]
    pub resolution: Option<f64>,
    #[serde(default)]
    #[schema(example = 0.0)]
    pub range_min: Option<f64>,
    #[serde(default)]
    #[schema(example = 300.0)]
    pub range_max: Option<f64>,
    /// How much older than the point's newest reading one may be and still change what was derived.
    #[serde(default = "horizon")]
    #[schema(example = 900000)]
    pub horizon_ms: i64,
}

const fn horizon() -> i64 {
    plant::Point::HORIZON_MS_DEFAULT
}

impl PointInput {
    pub(super) fn check(&self, faults: &mut Faults) {
        let key = &self.key;
        let wrong = key.is_empty() || key.len() > 200 || key.chars().any(|letter| letter.is_whitespace() || letter.is_control());
        faults.when(wrong, "/key", "bad_key", format!("a key has 1 to 200 characters and no spaces, not {key:?}"));
        faults.code("/kind", &self.kind, ".-_[]", 80);
        faults.when(self.name.chars().count() > 200, "/name", "length", "a name has at most 200 characters");
        let known = self.unit.is_some() || kinds::unit_of(&self.kind).is_some();
        faults.when(!known, "/unit", "missing", format!("{:?} is not a canonical quantity, so its unit has to be said", self.kind));
        faults.when(self.unit.as_ref().is_some_and(|unit| unit.len() > 40), "/unit", "length", "a unit has at most 40 characters");
        let fine = self.resolution.is_none_or(|step| step > 0.0 && step.is_finite());
        faults.when(!fine, "/resolution", "out_of_range", "a resolution is above 0");
        if let (Some(min), Some(max)) = (self.range_min, self.range_max) {
            faults.when(min >= max, "/range_max", "out_of_range", "range_max is above range_min");
        }
        let fine = (0..=HORIZON_MS_MAX).contains(&self.horizon_ms);
        faults.when(!fine, "/horizon_ms", "out_of_range", format!("a horizon is 0 to {HORIZON_MS_MAX} ms (seven days)"));
    }

    /// Fills in what follows from the quantity and the range.
    pub(super) fn complete(mut self) -> PointInput {
        self.unit = self.unit.or_else(|| kinds::unit_of(&self.kind).map(str::to_owned));
        self.counter = self.counter.or_else(|| Some(kinds::counts(&self.kind)));
        let range = self.range_min.zip(self.range_max).map(|(min, max)| max - min);
        // A power of ten, so that a value as sent is a whole number of steps.
        let step = range.map(|range| 10f64.powf((range * RESOLUTION_OF_RANGE).log10().floor()));
        self.resolution = self.resolution.or(step).or(Some(plant::Point::RESOLUTION_DEFAULT));
        self
    }
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct PointView {
    pub id: Uuid,
    /// The engine's dense number.
    pub number: i32,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub point: PointInput,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for PointView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl PointView {
    /// What the engine is told.
    pub fn event(&self, removed: bool) -> domain::Event {
        let point = plant::Point {
            id: self.id,
            number: PointNumber(self.number.unsigned_abs()),
            key: self.point.key.clone(),
            site: SiteId(self.point.site),
            position: self.point.position.map(PositionId),
            kind: self.point.kind.clone(),
            unit: self.point.unit.clone().unwrap_or_default(),
            counter: self.point.counter.unwrap_or(false),
            resolution: self.point.resolution.unwrap_or(plant::Point::RESOLUTION_DEFAULT),
            horizon_ms: self.point.horizon_ms,
        };
        domain::Event { version: self.version, at: Moment::from(self.updated_at), removed, row: domain::Row::Point(point) }
    }
}
