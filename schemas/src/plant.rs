//! What is monitored: sites, positions and points, as the engine needs to know them.

use crate::{
    id::{PointNumber, PositionId, SiteId},
    time::{MILLISECOND, MINUTE},
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A plant with its zone and ratings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    pub id: SiteId,
    pub code: String,
    pub name: String,
    pub zone: Tz,
    /// Rated AC power in kW: the basis of CUF.
    pub ac_kw: Option<f64>,
    /// Installed DC power at standard test conditions in kWp: the basis of PR.
    pub dc_kwp: Option<f64>,
    /// Irradiance in W/m2 from which a PV inverter is expected to run; default 50.
    pub poa_threshold: f64,
}

/// A place in a site's tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    pub id: PositionId,
    pub site: SiteId,
    pub parent: Option<PositionId>,
    /// Unique in its site, a path: `B03/INV07`.
    pub code: String,
    pub name: String,
    /// Asset class code: `inverter`, `turbine`, `rack`, `pump`, …
    pub class: String,
    pub rated_kw: Option<f64>,
}

/// A measured quantity of a position.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub id: Uuid,
    pub number: PointNumber,
    /// As telemetry names it: `RJ01/B03/INV07:ac.power`.
    pub key: String,
    pub site: SiteId,
    pub position: Option<PositionId>,
    /// Canonical quantity: `ac.power`, `ac.energy_export`, `met.poa`, `inv.temp.cabinet`, …
    pub kind: String,
    pub unit: String,
    /// A register that only grows (but for roll-over and replacement).
    pub counter: bool,
    /// The step at which values are summed; the history keeps the value as sent.
    pub resolution: f64,
    /// The correction horizon.
    pub horizon_ms: i64,
}

impl Point {
    /// Fifteen minutes.
    pub const HORIZON_MS_DEFAULT: i64 = 15 * MINUTE / MILLISECOND;
    /// The step of a point whose range is not declared.
    pub const RESOLUTION_DEFAULT: f64 = 1e-6;

    pub const fn horizon(&self) -> i64 {
        self.horizon_ms * MILLISECOND
    }
}
