//! Registers that count: hours, cycles, energy.

use crate::{
    check::Faults,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Plain, resource, row, text, uuid},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F10, F11};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::create(F11), routes!(add))
        .on(Gate::change(F11), routes!(change))
        .on(Gate::change(F11), routes!(remove))
}

resource!(MeterView, MeterInput, "/meters", "assets", "a meter"; list read add change remove);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MeterInput {
    pub position: Uuid,
    /// Unique at its position.
    #[schema(example = "H1")]
    pub code: String,
    /// `energy_export`, `energy_import`, `hours`, `cycles`, `starts`, `distance` or `volume`.
    #[schema(example = "hours")]
    pub register_type: String,
    #[schema(example = "h")]
    pub unit: String,
    /// The value at which the register begins at 0 again, if it does.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "99999")]
    pub rollover: Option<Decimal>,
    #[serde(default)]
    pub revenue_grade: bool,
}

row!(MeterView of MeterInput as meter {
    #[schema(value_type = Option<String>)]
    last_value: Option<Decimal>,
    last_at: Option<DateTime<Utc>>,
    /// What it has counted since its first reading, over all resets.
    #[schema(value_type = Option<String>)]
    total: Option<Decimal>,
});

impl Plain for MeterView {
    const NAME: &'static str = "meter";
    const PATH: &'static str = "/meters";
    const TABLE: &'static str = "meters";
    const VIEW: &'static str = "meter_rows";
    const FILTERS: &'static [Column] = &[uuid("position", ""), text("register_type", "Registers, comma-separated.")];
    const SORTS: &'static [Column] = &[text("code", "")];

    async fn check(
        _: &mut PgConnection,
        _: &Principal,
        current: Option<&MeterView>,
        input: &MeterInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let mut faults = Faults::new();
        faults.code("/code", &input.code, "-_.", 40);
        faults.name("/unit", &input.unit);
        if let Some(current) = current.filter(|row| row.last_at.is_some()) {
            let kept = current.meter.register_type == input.register_type && current.meter.unit == input.unit;
            faults.when(!kept, "/unit", "fixed", "a meter that was read keeps what it counts and in which unit");
        }
        faults.result()?;
        Ok(json!({}))
    }
}
