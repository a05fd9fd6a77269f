//! Readings whose score crossed the detector's limit.

use crate::{
    extract::{At, Page, Query, cursor, limit},
    gate::Principal,
    points,
    problem::Problem,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OfPointQuery {
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    limit: Option<u16>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Id of a site.
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    site: Option<Uuid>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    limit: Option<u16>,
    cursor: Option<String>,
}

#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub(super) struct AnomalyView {
    point: Uuid,
    key: String,
    at: DateTime<Utc>,
    score: f64,
    value: f64,
    /// What the detector expected.
    expected: f64,
    tick: i64,
}

struct Wanted {
    tenant: Uuid,
    site: Option<Uuid>,
    point: Option<Uuid>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
}

/// Lists the anomalies of a point, newest first.
#[utoipa::path(get, path = "/points/{id}/anomalies", tag = "readings", params(("id" = Uuid, Path), OfPointQuery),
    responses((status = 200, body = Page<AnomalyView>), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn of_point(
    State(service): State<Shared>,
    who: Principal,
    At(id): At<Uuid>,
    Query(query): Query<OfPointQuery>,
) -> Result<Json<Page<AnomalyView>>, Problem> {
    points::fetch(&mut *service.pool.acquire().await?, who.tenant, id).await?;
    let wanted = Wanted { tenant: who.tenant, site: None, point: Some(id), from: query.from, to: query.to };
    page(&service.pool, wanted, query.limit, query.cursor.as_deref()).await
}

/// Lists anomalies, newest first.
#[utoipa::path(get, path = "/anomalies", tag = "readings", params(ListQuery), responses((status = 200, body = Page<AnomalyView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<AnomalyView>>, Problem> {
    let wanted = Wanted { tenant: who.tenant, site: query.site, point: None, from: query.from, to: query.to };
    page(&service.pool, wanted, query.limit, query.cursor.as_deref()).await
}

async fn page(pool: &PgPool, wanted: Wanted, asked: Option<u16>, from: Option<&str>) -> Result<Json<Page<AnomalyView>>, Problem> {
    let limit = limit(asked)?;
    let after: Option<(DateTime<Utc>, String)> = cursor(from, "anomalies")?;
    let (after_at, after_key) = after.unzip();
    let rows: Vec<AnomalyView> = sqlx::query_as(include_str!("../../queries/anomalies_list.sql"))
        .bind(wanted.tenant)
        .bind(wanted.site)
        .bind(wanted.point)
        .bind(wanted.from)
        .bind(wanted.to)
        .bind(after_at)
        .bind(after_key)
        .bind(i64::from(limit) + 1)
        .fetch_all(pool)
        .await?;
    Ok(Json(Page::of(rows, limit, "anomalies", |row| (row.at, row.key.clone()))))
}
