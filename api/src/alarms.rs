//! Alarms: what the engine says, what people did about it, and the letter that comes of both.

mod actions;
mod live;
mod view;

pub use view::{AlarmFilter, AlarmView, list};

use crate::{
    extract::{At, Page, Query, commas, cursor, limit},
    gate::{Gate, Principal},
    orders::only_assigned,
    problem::Problem,
    respond::Tagged,
    routes::Routes,
    service::Shared,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcmms_schemas::{access::Feature::F23, alarm::state::Letter};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F23), routes!(all))
        .on(Gate::read(F23), routes!(read))
        .on(Gate::read(F23), routes!(comments))
        .merge(actions::routes())
        .merge(live::routes())
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// ISA-18.2 letters A to I, comma-separated: `B,D` are those that nobody has acknowledged.
    #[serde(rename = "filter[state]")]
    #[param(rename = "filter[state]")]
    state: Option<String>,
    /// `info`, `low`, `medium`, `high`, `critical`, comma-separated.
    #[serde(rename = "filter[severity]")]
    #[param(rename = "filter[severity]")]
    severity: Option<String>,
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    site_id: Option<Uuid>,
    /// Key of a point.
    #[serde(rename = "filter[point]")]
    #[param(rename = "filter[point]")]
    point: Option<String>,
    /// Alarms that were active at or after this.
    from: Option<DateTime<Utc>>,
    /// Alarms whose onset is before this.
    to: Option<DateTime<Utc>>,
    /// What the engine said as of this tick; what people did is as of now.
    as_of: Option<i64>,
    limit: Option<u16>,
    cursor: Option<String>,
}

/// The list's order, which its cursors are good for.
const LIST: &str = "alarms -onset";

/// Lists alarms, the newest onset first.
#[utoipa::path(get, path = "/alarms", tag = "alarms", params(ListQuery), responses((status = 200, body = Page<AlarmView>), (status = 400, body = Problem)))]
async fn all(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<AlarmView>>, Problem> {
    let limit = limit(query.limit)?;
    let filter = AlarmFilter {
        only_assigned_to: only_assigned(&who),
        states: letters(query.state.as_deref())?,
        severities: commas(query.severity.as_deref()),
        site: query.site_id,
        point: query.point,
        from: query.from,
        to: query.to,
        as_of: query.as_of,
        after: cursor(query.cursor.as_deref(), LIST)?,
        ..AlarmFilter::of(who.tenant)
    };
    let mut connection = service.pool.acquire().await?;
    let rows = list(&mut connection, filter, i64::from(limit) + 1, service.now()).await?;
    Ok(axum::Json(Page::of(rows, limit, LIST, |row| (row.onset, row.id))))
}

/// The letters of a filter.
pub(crate) fn letters(text: Option<&str>) -> Result<Option<Vec<Letter>>, Problem> {
    let Some(names) = commas(text) else { return Ok(None) };
    let letter = |name: &String| {
        Letter::of(name).ok_or_else(|| Problem::malformed("bad_filter", format!("{name:?} is not a state of alarms; they are A to I")))
    };
    Ok(Some(names.iter().map(letter).collect::<Result<_, _>>()?))
}

/// The newest that is known of an alarm, be it retracted.
pub(crate) async fn fetch(connection: &mut PgConnection, who: &Principal, id: Uuid, now: DateTime<Utc>) -> Result<AlarmView, Problem> {
    let filter = AlarmFilter { id: Some(id), only_assigned_to: only_assigned(who), ..AlarmFilter::of(who.tenant) };
    list(connection, filter, 1, now).await?.pop().ok_or_else(|| Problem::not_found("alarm", id))
}

/// Shows an alarm; one that the engine took back is shown as `retracted`.
#[utoipa::path(get, path = "/alarms/{id}", tag = "alarms", params(("id" = Uuid, Path)), responses((status = 200, body = AlarmView), (status = 404, body = Problem)))]
async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<AlarmView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, &who, id, service.now()).await?))
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
struct AlarmCommentView {
    id: Uuid,
    text: String,
    by_name: String,
    at: DateTime<Utc>,
}

/// Lists the comments on an alarm, oldest first.
#[utoipa::path(get, path = "/alarms/{id}/comments", tag = "alarms", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<AlarmCommentView>), (status = 404, body = Problem)))]
async fn comments(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<AlarmCommentView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    fetch(&mut connection, &who, id, service.now()).await?;
    let rows = sqlx::query_as::<_, AlarmCommentView>(include_str!("../queries/alarm_comments_list.sql"))
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
    Ok(axum::Json(rows))
}
