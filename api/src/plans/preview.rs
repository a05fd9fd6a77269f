//! What a plan will ask for.

use super::{PlanView, past};
use crate::{
    extract::{At, Query},
    gate::Principal,
    problem::Problem,
    resource::Find,
    service::Shared,
};
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_schemas::plan::due::{Due, FORECAST_MAX};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The farthest that a forecast looks, in days.
const HORIZON_DAYS_MAX: i64 = 3_660;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PreviewQuery {
    /// 1 to 3660; a year unless said.
    horizon_days: Option<i64>,
}

/// What will be due, if all is done on its day and meters go on as they did.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Forecast {
    until: DateTime<Utc>,
    /// By date; those of the plan's own positions only.
    occurrences: Vec<Projected>,
    #[schema(value_type = String)]
    hours: Decimal,
    #[schema(value_type = String)]
    cost: Decimal,
    /// There are more than are shown.
    cut_off: bool,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Projected {
    position: Uuid,
    due_at: DateTime<Utc>,
    window_from: DateTime<Utc>,
    window_to: DateTime<Utc>,
    /// `time`, `meter` or `condition`.
    basis: String,
    /// The larger plan includes it.
    absorbed: bool,
}

/// Forecasts what a plan will ask for, with hours and cost.
#[utoipa::path(get, path = "/pm-plans/{id}/preview", tag = "plans", params(("id" = Uuid, Path), PreviewQuery),
    responses((status = 200, body = Forecast), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn preview(
    State(service): State<Shared>,
    who: Principal,
    At(id): At<Uuid>,
    Query(query): Query<PreviewQuery>,
) -> Result<axum::Json<Forecast>, Problem> {
    let horizon = query.horizon_days.unwrap_or(365);
    if !(1..=HORIZON_DAYS_MAX).contains(&horizon) {
        return Err(Problem::malformed("bad_horizon", format!("horizon_days is 1 to {HORIZON_DAYS_MAX}, not {horizon}")));
    }
    let now = service.now();
    let until = now + TimeDelta::days(horizon);
    let mut connection = service.pool.acquire().await?;
    let row = PlanView::find(&mut connection, who.tenant, id).await?;
    let mut occurrences = Vec::new();
    let (mine, larger) = (
        dues(&mut connection, who.tenant, &row, now, until).await?,
        match row.plan.absorbed_by {
            Some(id) => {
                let larger = PlanView::find(&mut connection, who.tenant, id).await?;
                dues(&mut connection, who.tenant, &larger, now, until).await?
            }
            None => vec![],
        },
    );
    for (position, due) in mine {
        let window_from = due.at - TimeDelta::days(row.plan.early_days.into());
        let window_to = due.at + TimeDelta::days(row.plan.late_days.into());
        let absorbed = larger.iter().any(|(place, other)| *place == position && (window_from..=window_to).contains(&other.at));
        occurrences.push(Projected { position, due_at: due.at, window_from, window_to, basis: due.basis.into(), absorbed });
    }
    occurrences.sort_by_key(|occurrence| (occurrence.due_at, occurrence.position));
    let cut_off = occurrences.len() > FORECAST_MAX;
    occurrences.truncate(FORECAST_MAX);
    let count = Decimal::from(occurrences.iter().filter(|occurrence| !occurrence.absorbed).count());
    let (hours, cost) = (row.plan.job.hours.unwrap_or_default(), row.plan.job.estimate_cost.unwrap_or_default());
    Ok(axum::Json(Forecast { until, occurrences, hours: hours * count, cost: cost * count, cut_off }))
}

/// Every due date of every position until then.
async fn dues(
    connection: &mut sqlx::PgConnection,
    tenant: Uuid,
    row: &PlanView,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<(Uuid, Due)>, Problem> {
    let zone = sqlx::query_scalar::<_, String>(include_str!("../../queries/site_zone.sql")).bind(row.plan.site);
    let zone = zone.fetch_one(&mut *connection).await?;
    let months = row.plan.months();
    let rules = row.plan.rules(&months, &zone, row.active_from.unwrap_or(now));
    let pasts = past::of(connection, tenant, row.id, &row.plan.positions).await?;
    Ok(pasts.iter().flat_map(|(position, past)| rules.forecast(past, until).into_iter().map(|due| (*position, due))).collect())
}
