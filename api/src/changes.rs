//! Who changed a row, when, how and why.

use crate::{
    extract::{At, Page, Query, cursor, limit},
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::F72;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new().on(Gate::read(F72), routes!(list))
}

/// One change of a row.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct ChangeView {
    /// The row's version after it.
    version: i64,
    /// `create`, `edit`, `archive`, or what its machine calls it.
    #[schema(example = "approve")]
    event: String,
    by_label: String,
    by_name: String,
    reason: Option<String>,
    /// What was said before and after, or the columns that a move set.
    detail: Value,
    at: DateTime<Utc>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Shows every change of a row, newest first.
#[utoipa::path(get, path = "/history/{entity}/{id}", tag = "audit", description = "The entity is a resource as its path names it, with underscores: `asset_items`, `parts`, `purchase_orders`.",
    params(("entity" = String, Path), ("id" = Uuid, Path), ListQuery), responses((status = 200, body = Page<ChangeView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    At((entity, id)): At<(String, Uuid)>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<ChangeView>>, Problem> {
    let limit = limit(query.limit)?;
    let name = format!("history {id}");
    let after: Option<i64> = cursor(query.cursor.as_deref(), &name)?;
    let rows = sqlx::query_as(include_str!("../queries/history_list.sql")).bind(who.tenant).bind(entity).bind(id).bind(after);
    let rows = rows.bind(i64::from(limit) + 1).fetch_all(&service.pool).await?;
    Ok(axum::Json(Page::of(rows, limit, &name, |row: &ChangeView| row.version)))
}
