//! What models said, and the monthly figures: derived by the engine, read here as of any tick.

use crate::{
    extract::{Page, Query, cursor, limit},
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use dcmms_schemas::access::Feature::{F34, F67};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

/// Figures answered at once: five metrics of 200 sites and months.
const FIGURES_MAX: i64 = 1_000;

pub(crate) fn routes() -> Routes {
    Routes::new().on(Gate::read(F34), routes!(list)).on(Gate::read(F67), routes!(monthly))
}

/// The score of one hour of one position.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct PredictionView {
    id: Uuid,
    #[serde(rename = "model")]
    model_id: Uuid,
    model_name: Option<String>,
    model_version: i64,
    #[serde(rename = "site")]
    site_id: Uuid,
    #[serde(rename = "position")]
    position_id: Uuid,
    position_code: Option<String>,
    position_class: Option<String>,
    window_start: DateTime<Utc>,
    probability: f64,
    threshold: f64,
    /// What spoke for it, strongest first: feature, value, share in log-odds.
    contributions: Value,
    /// True in the hour that completed the run above the threshold, so that an order was proposed.
    proposes: bool,
    from_tick: i64,
    #[serde(rename = "order")]
    order_id: Option<Uuid>,
    order_number: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    site_id: Option<Uuid>,
    #[serde(rename = "filter[position]")]
    #[param(rename = "filter[position]")]
    position_id: Option<Uuid>,
    #[serde(rename = "filter[model]")]
    #[param(rename = "filter[model]")]
    model_id: Option<Uuid>,
    /// At least this likely.
    #[serde(rename = "filter[probability][gte]")]
    #[param(rename = "filter[probability][gte]")]
    probability: Option<f64>,
    /// `true`: only those that proposed an order.
    #[serde(rename = "filter[proposes]")]
    #[param(rename = "filter[proposes]")]
    proposes: Option<bool>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    /// As of this tick.
    as_of: Option<i64>,
    limit: Option<u16>,
    cursor: Option<String>,
}

const LIST: &str = "predictions -window_start";

/// Lists predictions, the newest hour first.
#[utoipa::path(get, path = "/predictions", tag = "predictions", params(ListQuery), responses((status = 200, body = Page<PredictionView>), (status = 400, body = Problem)))]
async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<PredictionView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<(DateTime<Utc>, Uuid)> = cursor(query.cursor.as_deref(), LIST)?;
    let rows = sqlx::query_as::<_, PredictionView>(include_str!("../queries/predictions_list.sql"))
        .bind(who.tenant)
        .bind(query.as_of)
        .bind(query.site_id)
        .bind(query.position_id)
        .bind(query.model_id)
        .bind(query.probability)
        .bind(query.proposes)
        .bind(query.from)
        .bind(query.to)
        .bind(after.map(|(at, _)| at))
        .bind(after.map(|(_, id)| id))
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(Page::of(rows, limit, LIST, |row| (row.window_start, row.id))))
}

/// One figure of one site and month.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct FigureView {
    #[serde(rename = "site")]
    site_id: Uuid,
    site_code: String,
    /// First day of the site-local month.
    month: NaiveDate,
    /// `energy`, `cuf`, `pr`, `availability` or `completeness`.
    metric: String,
    /// Null, with `reason`, where the denominator is empty.
    value: Option<f64>,
    numerator: f64,
    denominator: f64,
    unit: String,
    basis: String,
    reason: Option<String>,
    /// Up to when its inputs reach.
    through: DateTime<Utc>,
    from_tick: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MonthlyQuery {
    site: Option<Uuid>,
    /// `2026-11`; default: every month.
    #[param(example = "2026-11")]
    month: Option<String>,
    /// As of this tick.
    as_of: Option<i64>,
}

/// Shows the monthly generation roll-up: each figure with numerator, denominator and basis, the newest month first.
#[utoipa::path(get, path = "/compliance/monthly", tag = "compliance", params(MonthlyQuery), responses((status = 200, body = Vec<FigureView>), (status = 400, body = Problem)))]
async fn monthly(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<MonthlyQuery>,
) -> Result<axum::Json<Vec<FigureView>>, Problem> {
    let month = query.month.as_deref().map(|month| {
        let first = format!("{month}-01");
        first.parse::<NaiveDate>().map_err(|_| Problem::malformed("bad_month", format!("month is written like 2026-11, not {month:?}")))
    });
    let rows = sqlx::query_as::<_, FigureView>(include_str!("../queries/compliance_monthly.sql"))
        .bind(who.tenant)
        .bind(query.as_of)
        .bind(query.site)
        .bind(month.transpose()?)
        .bind(FIGURES_MAX)
        .fetch_all(&service.pool)
        .await?;
    Ok(axum::Json(rows))
}
