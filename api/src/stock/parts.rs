//! The catalogue of parts.

use crate::{
    check::Faults,
    extract::At,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Find, Plain, resource, row, text},
    routes::Routes,
    service::Shared,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcmms_schemas::access::{
    Feature::{F37, F38, F44},
    Need,
};
use rust_decimal::Decimal;
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
        .on(Gate::read(F37), routes!(levels))
        .on(Gate::create(F38), routes!(add))
        .on(Gate::change(F38), routes!(change))
        .on(Gate::change(F38).full(), routes!(remove))
}

resource!(PartView, PartInput, "/parts", "stock", "a part"; list read add change remove "One that still lies somewhere is refused.");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartInput {
    /// Unique.
    #[schema(example = "FAN-24V-120")]
    pub(crate) number: String,
    #[schema(example = "Cabinet fan 24 V")]
    pub(crate) name: String,
    /// Unit in which it is counted.
    #[serde(default = "piece")]
    #[schema(example = "pcs")]
    pub(crate) uom: String,
    #[serde(default)]
    pub(crate) manufacturer: String,
    /// The maker's number.
    #[serde(default)]
    pub(crate) mpn: String,
    #[serde(default)]
    pub(crate) hazardous: bool,
    /// Each piece has a serial number, named when it is issued.
    #[serde(default)]
    pub(crate) serialised: bool,
    #[serde(default)]
    pub(crate) repairable: bool,
    /// A (most critical), B or C.
    #[serde(default = "middling")]
    #[schema(example = "B")]
    pub(crate) criticality: String,
    #[serde(default)]
    #[schema(example = 21)]
    pub(crate) lead_time_days: Option<i32>,
    /// At or below this more is suggested to be bought.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2")]
    pub(crate) reorder_point: Option<Decimal>,
    /// Up to this.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "10")]
    pub(crate) max_quantity: Option<Decimal>,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) safety_stock: Option<Decimal>,
    /// Of its cost.
    #[serde(default = "euro")]
    #[schema(example = "EUR")]
    pub(crate) currency: String,
}

fn piece() -> String {
    "pcs".into()
}

fn middling() -> String {
    "B".into()
}

fn euro() -> String {
    "EUR".into()
}

row!(PartView of PartInput as part {
    /// Moving average of what was received; null without the right to see prices.
    #[schema(value_type = Option<String>)]
    average_cost: Option<Decimal>,
    #[schema(value_type = String)]
    on_hand: Decimal,
    /// Promised to orders.
    #[schema(value_type = String)]
    reserved: Decimal,
    #[schema(value_type = String)]
    available: Decimal,
});

/// Whether this caller may see prices.
pub(super) fn sees_prices(who: &Principal) -> bool {
    F44.letter(who.role).allows(Need::Read)
}

impl Plain for PartView {
    const NAME: &'static str = "part";
    const PATH: &'static str = "/parts";
    const TABLE: &'static str = "parts";
    const VIEW: &'static str = "part_rows";
    const FILTERS: &'static [Column] =
        &[text("number", "Numbers, comma-separated."), text("manufacturer", ""), text("mpn", ""), text("criticality", "")];
    const SORTS: &'static [Column] = &[text("number", ""), text("name", "")];

    async fn check(
        _: &mut PgConnection,
        _: &Principal,
        _: Option<&PartView>,
        input: &PartInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let mut faults = Faults::new();
        faults.code("/number", &input.number, "-_./", 60);
        faults.name("/name", &input.name);
        faults.name("/uom", &input.uom);
        let full = input.reorder_point.zip(input.max_quantity).is_some_and(|(point, max)| max <= point);
        faults.when(full, "/max_quantity", "out_of_range", "it is above the reorder point");
        faults.result()?;
        Ok(json!({}))
    }

    async fn check_archive(&self, _: &mut PgConnection) -> Result<(), Problem> {
        if self.on_hand.is_zero() {
            return Ok(());
        }
        Err(Problem::conflict("in_use", format!("{} {} are on hand; adjust or scrap them first", self.on_hand.normalize(), self.part.uom)))
    }

    fn shown(mut self, who: &Principal) -> PartView {
        self.average_cost = self.average_cost.filter(|_| sees_prices(who));
        self
    }
}

/// What lies in one store.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct LevelView {
    store: Uuid,
    #[schema(example = "MAIN")]
    store_code: String,
    #[schema(value_type = String)]
    on_hand: Decimal,
    #[schema(value_type = String)]
    reserved: Decimal,
    #[schema(value_type = String)]
    available: Decimal,
}

/// Shows how much of a part lies where.
#[utoipa::path(get, path = "/parts/{id}/stock", tag = "stock", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<LevelView>), (status = 404, body = Problem)))]
async fn levels(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<LevelView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    PartView::find(&mut connection, who.tenant, id).await?;
    let rows = sqlx::query_as(include_str!("../../queries/part_levels.sql")).bind(who.tenant).bind(id);
    Ok(axum::Json(rows.fetch_all(&mut *connection).await?))
}
