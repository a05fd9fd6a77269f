//! Sites as the API says them.

use crate::{
    problem::{FieldError, Problem},
    respond::Versioned,
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use dcmms_schemas::{domain, id::SiteId, plant, time::Moment};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Irradiance from which an inverter is expected to run, in W/m2.
const POA_THRESHOLD_DEFAULT: f64 = 50.0;

/// What is said of a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteInput {
    /// Short and unique: point keys begin with it.
    #[schema(example = "RJ01")]
    pub code: String,
    #[schema(example = "Rajasthan 1")]
    pub name: String,
    /// `solar`, `wind`, `bess`, `hybrid`, `microgrid`, `substation` or `factory`.
    #[serde(default = "solar")]
    #[schema(example = "solar")]
    pub kind: String,
    /// IANA time zone; hours and days are cut by it.
    #[schema(example = "Asia/Kolkata")]
    pub zone: String,
    #[serde(default)]
    #[schema(example = 27.5)]
    pub latitude: Option<f64>,
    #[serde(default)]
    #[schema(example = 71.9)]
    pub longitude: Option<f64>,
    /// Rated AC power in kW, the basis of CUF.
    #[serde(default)]
    #[schema(example = 8000.0)]
    pub ac_kw: Option<f64>,
    /// Installed DC power in kWp, the basis of PR.
    #[serde(default)]
    #[schema(example = 10400.0)]
    pub dc_kwp: Option<f64>,
    /// Irradiance in W/m2 from which an inverter is expected to run.
    #[serde(default = "poa_threshold")]
    #[schema(example = 50.0)]
    pub poa_threshold: f64,
}

fn solar() -> String {
    "solar".into()
}

const fn poa_threshold() -> f64 {
    POA_THRESHOLD_DEFAULT
}

const KINDS: [&str; 7] = ["solar", "wind", "bess", "hybrid", "microgrid", "substation", "factory"];

impl SiteInput {
    /// Everything that is wrong with it, at once.
    pub fn check(&self) -> Result<(), Problem> {
        let mut errors = Vec::new();
        let mut wrong = |pointer: &str, code: &str, message: String| errors.push(FieldError::new(pointer, code, message));
        let letters = |code: &str| code.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.".contains(letter));
        if self.code.is_empty() || self.code.len() > 40 || !letters(&self.code) {
            wrong("/code", "bad_code", format!("a code is 1 to 40 letters, digits, '-', '_' or '.', not {:?}", self.code));
        }
        if self.name.trim().is_empty() || self.name.len() > 200 {
            wrong("/name", "length", "a name has 1 to 200 characters".into());
        }
        if !KINDS.contains(&self.kind.as_str()) {
            wrong("/kind", "bad_value", format!("kind is one of {}, not {:?}", KINDS.join(", "), self.kind));
        }
        if self.zone.parse::<Tz>().is_err() {
            wrong("/zone", "unknown_zone", format!("{:?} is not an IANA time zone such as Asia/Kolkata", self.zone));
        }
        for (pointer, value, bound) in [("/latitude", self.latitude, 90.0), ("/longitude", self.longitude, 180.0)] {
            if value.is_some_and(|value| value.abs() > bound) {
                wrong(pointer, "out_of_range", format!("it is within ±{bound} degrees"));
            }
        }
        for (pointer, value) in [("/ac_kw", self.ac_kw), ("/dc_kwp", self.dc_kwp)] {
            if value.is_some_and(|value| value <= 0.0) {
                wrong(pointer, "out_of_range", "a rating is above 0".into());
            }
        }
        if self.poa_threshold < 0.0 {
            wrong("/poa_threshold", "out_of_range", "irradiance is 0 or more".into());
        }
        if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
    }
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct SiteView {
    pub id: Uuid,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub site: SiteInput,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for SiteView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl SiteView {
    /// What the engine is told.
    pub fn event(&self, removed: bool) -> domain::Event {
        let site = plant::Site {
            id: SiteId(self.id),
            code: self.site.code.clone(),
            name: self.site.name.clone(),
            zone: self.site.zone.parse().unwrap_or(Tz::UTC),
            ac_kw: self.site.ac_kw,
            dc_kwp: self.site.dc_kwp,
            poa_threshold: self.site.poa_threshold,
        };
        domain::Event { version: self.version, at: Moment::from(self.updated_at), removed, row: domain::Row::Site(site) }
    }
}
