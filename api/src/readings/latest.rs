//! The newest value of many points.

use crate::{
    extract::{Page, Query, commas, cursor, limit},
    gate::Principal,
    problem::Problem,
    service::Shared,
};
use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LatestQuery {
    /// Id of a site.
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    site: Option<Uuid>,
    /// Keys, comma-separated.
    #[serde(rename = "filter[key]")]
    #[param(rename = "filter[key]")]
    key: Option<String>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// A point's newest accepted reading; its fields are null while there is none.
#[derive(Debug, Serialize, sqlx::FromRow, ToSchema)]
pub(super) struct LatestView {
    point: Uuid,
    #[schema(example = "RJ01/B03/INV07:ac.power")]
    key: String,
    unit: String,
    at: Option<DateTime<Utc>>,
    value: Option<f64>,
    /// `good`, `uncertain` or `bad`.
    quality: Option<String>,
    /// How unusual its value was, when scored last.
    score: Option<f64>,
    tick: Option<i64>,
}

/// Lists points with their newest values, by key.
#[utoipa::path(get, path = "/points:latest", tag = "readings", params(LatestQuery), responses((status = 200, body = Page<LatestView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<LatestQuery>,
) -> Result<Json<Page<LatestView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<String> = cursor(query.cursor.as_deref(), "latest")?;
    let rows: Vec<LatestView> = sqlx::query_as(include_str!("../../queries/latest_list.sql"))
        .bind(who.tenant)
        .bind(query.site)
        .bind(commas(query.key.as_deref()))
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(&service.pool)
        .await?;
    Ok(Json(Page::of(rows, limit, "latest", |row| row.key.clone())))
}
