//! What makers and installers answer for, and until when.

use crate::{
    check::Faults,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Plain, resource, row, text, uuid},
    routes::Routes,
};
use chrono::{DateTime, NaiveDate, Utc};
use dcmms_schemas::access::Feature::F14;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F14), routes!(list))
        .on(Gate::read(F14), routes!(read))
        .on(Gate::create(F14), routes!(add))
        .on(Gate::change(F14), routes!(change))
        .on(Gate::change(F14).full(), routes!(remove))
}

resource!(WarrantyView, WarrantyInput, "/warranties", "assets", "a warranty"; list read add change remove);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WarrantyInput {
    /// The asset it is for.
    pub item: Uuid,
    #[schema(example = "Sungrow Service")]
    pub provider: String,
    /// `product`, `performance`, `workmanship` or `extended`.
    #[schema(example = "product")]
    pub kind: String,
    pub starts_on: NaiveDate,
    /// The last day.
    pub ends_on: NaiveDate,
    /// Hours, kWh or cycles up to which it holds.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub meter_limit: Option<Decimal>,
    #[serde(default)]
    pub conditions: String,
    #[serde(default)]
    pub claim_procedure: String,
}

row!(WarrantyView of WarrantyInput as warranty {});

impl Plain for WarrantyView {
    const NAME: &'static str = "warranty";
    const PATH: &'static str = "/warranties";
    const TABLE: &'static str = "warranties";
    const FILTERS: &'static [Column] = &[uuid("item", "An asset."), text("kind", "Kinds, comma-separated.")];
    const SORTS: &'static [Column] = &[Column { name: "ends_on", kind: "date", says: "" }];

    async fn check(
        _: &mut PgConnection,
        _: &Principal,
        _: Option<&WarrantyView>,
        input: &WarrantyInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let mut faults = Faults::new();
        faults.name("/provider", &input.provider);
        faults.when(input.ends_on < input.starts_on, "/ends_on", "out_of_order", "a warranty ends after it begins");
        faults.result()?;
        Ok(json!({}))
    }
}
