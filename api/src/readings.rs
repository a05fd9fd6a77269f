//! What points said, and what the engine makes of it.

mod anomalies;
mod history;
mod latest;
mod raw;
mod rollups;

use crate::{
    extract::{At, Page, Query, cursor},
    gate::{Gate, Principal},
    points,
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{access::Feature::F17, rollup::Level};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F17), routes!(read))
        .on(Gate::read(F17), routes!(windows))
        .on(Gate::read(F17), routes!(latest::list))
        .on(Gate::read(F17), routes!(anomalies::of_point))
        .on(Gate::read(F17), routes!(anomalies::list))
}

/// Rows of readings and roll-ups in one answer at most: a chart, not an export.
const ROWS_MAX: u16 = 10_000;
const ROWS_DEFAULT: u16 = 1_000;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SpanQuery {
    /// The first moment, inclusive.
    #[param(example = "2026-11-20T00:00:00Z")]
    from: DateTime<Utc>,
    /// The last moment, exclusive.
    #[param(example = "2026-11-21T00:00:00Z")]
    to: DateTime<Utc>,
    /// `raw` (default), `1m`, `15m` (UTC), `1h` or `1d` (site-local).
    #[param(example = "raw")]
    bucket: Option<String>,
    /// 1 to 10,000 rows; 1,000 unless said.
    limit: Option<u16>,
    cursor: Option<String>,
}

/// One span of one point, checked.
struct Span {
    number: i32,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    limit: u16,
    /// What a cursor of this answer is good for.
    list: String,
}

impl Span {
    async fn of(service: &Shared, who: &Principal, id: Uuid, bucket: &str, query: &SpanQuery) -> Result<Span, Problem> {
        if query.to < query.from {
            return Err(Problem::malformed("bad_span", "to is before from"));
        }
        let limit = match query.limit.unwrap_or(ROWS_DEFAULT) {
            limit @ 1..=ROWS_MAX => limit,
            limit => return Err(Problem::malformed("bad_limit", format!("limit is 1 to {ROWS_MAX}, not {limit}"))),
        };
        let list = format!("readings {id} {bucket}");
        let after: Option<DateTime<Utc>> = cursor(query.cursor.as_deref(), &list)?;
        // A page begins right after the last moment of the page before it.
        let from = after.map_or(query.from, |after| query.from.max(after + chrono::Duration::microseconds(1)));
        let mut connection = service.pool.acquire().await?;
        let point = points::fetch(&mut connection, who.tenant, id).await?;
        Ok(Span { number: point.number, from, to: query.to, limit, list })
    }
}

/// The roll-up that a bucket names, or `None` for raw readings.
fn level(bucket: Option<&str>) -> Result<Option<Level>, Problem> {
    match bucket.unwrap_or("raw") {
        "raw" => Ok(None),
        name => Level::ALL
            .into_iter()
            .find(|level| level.name() == name)
            .map(Some)
            .ok_or_else(|| Problem::malformed("bad_bucket", format!("bucket is raw, 1m, 15m, 1h or 1d, not {name:?}"))),
    }
}

/// Raw readings or roll-ups, as `bucket` says.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the document only")]
enum Series {
    Raw(raw::RawPage),
    Rollups(Page<rollups::RollupView>),
}

/// Shows what a point said: from the history as sent, or in windows. At one moment the winner counts: the greatest
/// (correction, seq, value). Raw readings come from sealed files; `tail` says since when newer ones are missing.
#[utoipa::path(get, path = "/points/{id}/readings", tag = "readings", params(("id" = Uuid, Path), SpanQuery),
    responses((status = 200, body = Series), (status = 400, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn read(
    State(service): State<Shared>,
    who: Principal,
    At(id): At<Uuid>,
    Query(query): Query<SpanQuery>,
) -> Result<Response, Problem> {
    let level = level(query.bucket.as_deref())?;
    let span = Span::of(&service, &who, id, level.map_or("raw", Level::name), &query).await?;
    match level {
        None => Ok(Json(raw::read(&service, span).await?).into_response()),
        Some(level) => Ok(Json(rollups::read(&service.pool, level, span).await?).into_response()),
    }
}

/// Shows the windows of a point; `bucket` is `1m`, `15m`, `1h` (default) or `1d`.
#[utoipa::path(get, path = "/points/{id}/rollups", tag = "readings", params(("id" = Uuid, Path), SpanQuery),
    responses((status = 200, body = Page<rollups::RollupView>), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn windows(
    State(service): State<Shared>,
    who: Principal,
    At(id): At<Uuid>,
    Query(query): Query<SpanQuery>,
) -> Result<Json<Page<rollups::RollupView>>, Problem> {
    let level =
        level(query.bucket.as_deref().or(Some("1h")))?.ok_or_else(|| Problem::malformed("bad_bucket", "bucket is 1m, 15m, 1h or 1d"))?;
    let span = Span::of(&service, &who, id, level.name(), &query).await?;
    Ok(Json(rollups::read(&service.pool, level, span).await?))
}
