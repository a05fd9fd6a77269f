//! What came too late for the correction horizon: kept in the history, and awaiting restatement.

use crate::{
    extract::{Page, Query, cursor, limit},
    gate::Principal,
    problem::Problem,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LateQuery {
    /// A site's code.
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    pub site: Option<String>,
    /// A point's key.
    #[serde(rename = "filter[point]")]
    #[param(rename = "filter[point]")]
    pub point: Option<String>,
    /// Hours from here on,
    pub from: Option<DateTime<Utc>>,
    /// and before here.
    pub to: Option<DateTime<Utc>>,
    pub limit: Option<u16>,
    pub cursor: Option<String>,
}

/// Late readings of a point in one UTC hour.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct LateView {
    pub site: String,
    pub point: String,
    #[serde(skip)]
    pub number: i32,
    pub hour: DateTime<Utc>,
    pub readings: i64,
    /// The first and the last moment they speak of.
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    pub tick: i64,
}

/// Lists readings that came too late, by point and UTC hour, newest hours first.
#[utoipa::path(get, path = "/late-readings", tag = "operations", params(LateQuery),
    responses((status = 200, body = Page<LateView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<LateQuery>,
) -> Result<Json<Page<LateView>>, Problem> {
    Ok(Json(late(&service.pool, who.tenant, &query).await?))
}

/// A page of what came too late.
pub async fn late(pool: &PgPool, tenant: Uuid, query: &LateQuery) -> Result<Page<LateView>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<(DateTime<Utc>, i32)> = cursor(query.cursor.as_deref(), "late-readings")?;
    let rows: Vec<LateView> = sqlx::query_as(include_str!("../../queries/late_readings_list.sql"))
        .bind(tenant)
        .bind(&query.site)
        .bind(&query.point)
        .bind(query.from)
        .bind(query.to)
        .bind(after.map(|after| after.0))
        .bind(after.map(|after| after.1))
        .bind(i64::from(limit) + 1)
        .fetch_all(pool)
        .await?;
    Ok(Page::of(rows, limit, "late-readings", |row| (row.hour, row.number)))
}
