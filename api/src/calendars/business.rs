//! Business time between two moments.

use super::store;
use crate::{
    extract::{At, Query},
    gate::Principal,
    problem::Problem,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use dcmms_schemas::time::{Moment, SECOND};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Days between `from` and `to` at most.
const DAYS_MAX: i64 = 3_660;
/// Intervals shown at most; all of them count.
const INTERVALS_MAX: usize = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SpanQuery {
    #[param(example = "2026-11-20T00:00:00Z")]
    from: DateTime<Utc>,
    #[param(example = "2026-11-21T00:00:00Z")]
    to: DateTime<Utc>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BusinessTime {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    business_s: i64,
    /// What was counted, the first thousand.
    intervals: Vec<Counted>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Counted {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

/// Reckons the business time between two moments.
#[utoipa::path(get, path = "/calendars/{id}/business-time", tag = "calendars", params(("id" = Uuid, Path), SpanQuery),
    responses((status = 200, body = BusinessTime), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn time(
    State(service): State<Shared>,
    who: Principal,
    At(id): At<Uuid>,
    Query(SpanQuery { from, to }): Query<SpanQuery>,
) -> Result<Json<BusinessTime>, Problem> {
    if to < from || to - from > chrono::Duration::days(DAYS_MAX) {
        return Err(Problem::malformed("bad_span", format!("to is 0 to {DAYS_MAX} days after from")));
    }
    let mut connection = service.pool.acquire().await?;
    let calendar = store::fetch(&mut connection, who.tenant, id).await?.noun();
    let (begin, end) = (Moment::from(from), Moment::from(to));
    let intervals = calendar.intervals(begin, end).take(INTERVALS_MAX);
    let intervals = intervals.map(|interval| Counted { from: interval.from.utc(), to: interval.to.utc() }).collect();
    Ok(Json(BusinessTime { from, to, business_s: calendar.business_time(begin, end) / SECOND, intervals }))
}
