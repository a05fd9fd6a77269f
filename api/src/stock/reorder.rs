//! What should be bought.

use crate::{
    extract::{Page, Query, cursor, limit},
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::extract::State;
use dcmms_schemas::access::Feature::F37;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new().on(Gate::read(F37), routes!(list))
}

/// A part at or below its reorder point.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct Suggestion {
    part: Uuid,
    number: String,
    name: String,
    #[schema(value_type = String)]
    available: Decimal,
    /// Wanted by orders and not there.
    #[schema(value_type = String)]
    backordered: Decimal,
    /// Ordered and not yet received.
    #[schema(value_type = String)]
    on_order: Decimal,
    #[schema(value_type = String)]
    reorder_point: Decimal,
    /// Up to the greatest quantity, or the reorder point with the safety stock.
    #[schema(value_type = String)]
    suggested: Decimal,
    lead_time_days: Option<i32>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists parts that should be bought: what is available and ordered, less what orders wait for, is at or below the reorder point.
#[utoipa::path(get, path = "/reorder-suggestions", tag = "stock", params(ListQuery), responses((status = 200, body = Page<Suggestion>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<Suggestion>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<String> = cursor(query.cursor.as_deref(), "reorder-suggestions")?;
    let rows = sqlx::query_as(include_str!("../../queries/reorder_list.sql")).bind(who.tenant).bind(after).bind(i64::from(limit) + 1);
    let rows: Vec<Suggestion> = rows.fetch_all(&service.pool).await?;
    Ok(axum::Json(Page::of(rows, limit, "reorder-suggestions", |row| row.number.clone())))
}
