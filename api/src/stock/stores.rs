//! Where parts lie.

use crate::{
    check::Faults,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Plain, resource, row, text, uuid},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F37, F38};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F37), routes!(list))
        .on(Gate::read(F37), routes!(read))
        .on(Gate::create(F38), routes!(add))
        .on(Gate::change(F38), routes!(change))
        .on(Gate::change(F38).full(), routes!(remove))
}

resource!(StoreView, StoreInput, "/stock-locations", "stock", "a store"; list read add change remove "One in which something lies is refused.");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoreInput {
    #[schema(example = "MAIN")]
    pub(crate) code: String,
    #[schema(example = "Main store")]
    pub(crate) name: String,
    /// `warehouse`, `room`, `bin` or `vehicle`.
    #[serde(default = "warehouse")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) site: Option<Uuid>,
}

fn warehouse() -> String {
    "warehouse".into()
}

row!(StoreView of StoreInput as store {});

impl Plain for StoreView {
    const NAME: &'static str = "store";
    const PATH: &'static str = "/stock-locations";
    const TABLE: &'static str = "stores";
    const FILTERS: &'static [Column] = &[uuid("site", ""), text("kind", "Kinds, comma-separated."), text("code", "")];
    const SORTS: &'static [Column] = &[text("code", ""), text("name", "")];

    async fn check(
        _: &mut PgConnection,
        _: &Principal,
        _: Option<&StoreView>,
        input: &StoreInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let mut faults = Faults::new();
        faults.code("/code", &input.code, "-_./", 40);
        faults.name("/name", &input.name);
        faults.result()?;
        Ok(json!({}))
    }

    async fn check_archive(&self, connection: &mut PgConnection) -> Result<(), Problem> {
        match sqlx::query_scalar::<_, i64>(include_str!("../../queries/store_used.sql")).bind(self.id).fetch_one(connection).await? {
            0 => Ok(()),
            used => Err(Problem::conflict("in_use", format!("{used} parts lie there; move or scrap them first"))),
        }
    }
}
