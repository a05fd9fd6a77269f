//! What a maker sells: the type plate that many things share.

use crate::{
    check::Faults,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Plain, resource, row, text},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F10, F11};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::create(F11), routes!(add))
        .on(Gate::change(F11), routes!(change))
        .on(Gate::change(F11), routes!(remove))
}

resource!(ModelView, ModelInput, "/asset-models", "assets", "an asset model"; list read add change remove "One that an asset is of is refused.");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModelInput {
    #[schema(example = "Sungrow")]
    pub manufacturer: String,
    #[schema(example = "SG250HX")]
    pub model: String,
    /// Code of an asset class.
    #[schema(example = "inverter")]
    pub class: String,
    #[serde(default)]
    #[schema(example = 250.0)]
    pub rated_kw: Option<f64>,
    #[serde(default)]
    #[schema(example = 15)]
    pub expected_life_years: Option<i32>,
    #[serde(default)]
    pub description: String,
}

row!(ModelView of ModelInput as model {});

impl Plain for ModelView {
    const NAME: &'static str = "asset model";
    const PATH: &'static str = "/asset-models";
    const TABLE: &'static str = "asset_models";
    const FILTERS: &'static [Column] = &[text("class", "Classes, comma-separated."), text("manufacturer", "")];
    const SORTS: &'static [Column] = &[text("model", ""), text("manufacturer", "")];

    async fn check(
        connection: &mut PgConnection,
        who: &Principal,
        _: Option<&ModelView>,
        input: &ModelInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let mut faults = Faults::new();
        faults.name("/manufacturer", &input.manufacturer);
        faults.name("/model", &input.model);
        let known = sqlx::query_scalar::<_, bool>(include_str!("../../queries/class_known.sql")).bind(who.tenant).bind(&input.class);
        let known = known.fetch_one(connection).await?;
        faults.when(!known, "/class", "unknown", format!("asset class {:?} does not exist", input.class));
        faults.result()?;
        Ok(json!({}))
    }

    async fn check_archive(&self, connection: &mut PgConnection) -> Result<(), Problem> {
        let used = sqlx::query_scalar::<_, i64>(include_str!("../../queries/asset_model_used.sql")).bind(self.id);
        match used.fetch_one(connection).await? {
            0 => Ok(()),
            used => Err(Problem::conflict("in_use", format!("{used} assets are of this model; archive them first"))),
        }
    }
}
