//! The newest values, live.

use super::{Delta, Feed, open};
use crate::{
    extract::{Query, commas},
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
};
use axum::{extract::State, http::HeaderMap, response::Response};
use dcmms_schemas::access::Feature::F17;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;
use sqlx::PgPool;
use utoipa::IntoParams;
use utoipa_axum::routes;
use uuid::Uuid;

/// Points of one view at most.
const POINTS_MAX: i64 = 5_000;

pub(super) fn routes() -> Routes {
    Routes::new().on(Gate::read(F17), routes!(view))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ViewQuery {
    /// Id of a site.
    site: Option<Uuid>,
    /// Keys, comma-separated.
    points: Option<String>,
}

struct Latest {
    pool: PgPool,
    tenant: Uuid,
    site: Option<Uuid>,
    keys: Option<Vec<String>>,
}

#[derive(sqlx::FromRow)]
struct Seen {
    tick: i64,
    #[sqlx(json)]
    rows: Vec<Value>,
}

impl Feed for Latest {
    fn rows(&self, since: Option<i64>) -> BoxFuture<'_, Result<Delta, Problem>> {
        Box::pin(async move {
            let seen: Seen = sqlx::query_as(include_str!("../../queries/live_latest.sql"))
                .bind(self.tenant)
                .bind(self.site)
                .bind(&self.keys)
                .bind(since)
                .bind(POINTS_MAX)
                .fetch_one(&self.pool)
                .await?;
            Ok(Delta { tick: seen.tick, rows: seen.rows })
        })
    }
}

/// Streams the newest values of a site's points or of some points: `snapshot` first, then `change` events whose rows are
/// `{weight, key, row}`; their ids are ticks. At most 5,000 points, by key.
#[utoipa::path(get, path = "/live/latest", tag = "live", params(ViewQuery, ("Last-Event-ID" = Option<i64>, Header, description = "Resume after this tick")),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = 400, body = Problem), (status = 503, body = Problem)))]
async fn view(
    State(service): State<Shared>,
    who: Principal,
    headers: HeaderMap,
    Query(query): Query<ViewQuery>,
) -> Result<Response, Problem> {
    if query.site.is_none() && query.points.is_none() {
        return Err(Problem::malformed("too_wide", "say a site, or points by their keys"));
    }
    let keys = commas(query.points.as_deref());
    let feed = Latest { pool: service.pool.clone(), tenant: who.tenant, site: query.site, keys };
    open(&service, &headers, feed)
}
