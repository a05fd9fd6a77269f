//! Clocks as the engine derived them, and what they say this minute.

use crate::{
    extract::{At, Page, Query, commas, cursor, limit},
    gate::Principal,
    orders::{self, only_assigned},
    problem::Problem,
    service::Shared,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    domain::Row,
    sla::{Metric, Reckoning},
    time::{Moment, SECOND},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// One clock of one order.
#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub(super) struct ClockView {
    #[serde(rename = "order")]
    order_id: Uuid,
    order_number: String,
    order_title: String,
    order_status: String,
    #[serde(rename = "site")]
    site_id: Uuid,
    /// `respond` or `resolve`.
    metric: String,
    #[serde(rename = "policy")]
    policy_id: Uuid,
    policy_name: Option<String>,
    policy_version: i64,
    /// `running`, `paused`, `breached`, `met`, `missed` or `void`.
    state: String,
    started: DateTime<Utc>,
    stopped: Option<DateTime<Utc>>,
    /// Null while paused: then no moment can be named.
    due: Option<DateTime<Utc>>,
    target_s: i64,
    /// Business seconds counted when the engine last said something of it.
    elapsed_s: i64,
    /// The greatest warning share passed, in percent.
    warned_percent: Option<i16>,
    #[serde(skip)]
    explanation: Value,
    from_tick: i64,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// States, comma-separated.
    #[serde(rename = "filter[state]")]
    #[param(rename = "filter[state]")]
    state: Option<String>,
    #[serde(rename = "filter[order]")]
    #[param(rename = "filter[order]")]
    order_id: Option<Uuid>,
    /// `respond` or `resolve`.
    #[serde(rename = "filter[metric]")]
    #[param(rename = "filter[metric]")]
    metric: Option<String>,
    #[serde(rename = "filter[site]")]
    #[param(rename = "filter[site]")]
    site_id: Option<Uuid>,
    /// As of this tick.
    as_of: Option<i64>,
    limit: Option<u16>,
    cursor: Option<String>,
}

const LIST: &str = "sla-clocks due";

/// Where a page ends: the due moment, if there is one, the order and the metric.
type Key = (Option<DateTime<Utc>>, Uuid, String);

/// Lists clocks, the next due first.
#[utoipa::path(get, path = "/sla-clocks", tag = "sla", params(ListQuery), responses((status = 200, body = Page<ClockView>), (status = 400, body = Problem)))]
pub(super) async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<ClockView>>, Problem> {
    let limit = limit(query.limit)?;
    let after: Option<Key> = cursor(query.cursor.as_deref(), LIST)?;
    let mut connection = service.pool.acquire().await?;
    let find = Find {
        as_of: query.as_of,
        states: commas(query.state.as_deref()),
        order: query.order_id,
        metric: query.metric,
        site: query.site_id,
        after,
    };
    let rows = rows(&mut connection, &who, find, i64::from(limit) + 1).await?;
    Ok(axum::Json(Page::of(rows, limit, LIST, |row| (row.due, row.order_id, row.metric.clone()))))
}

#[derive(Default)]
struct Find {
    as_of: Option<i64>,
    states: Option<Vec<String>>,
    order: Option<Uuid>,
    metric: Option<String>,
    site: Option<Uuid>,
    after: Option<Key>,
}

async fn rows(connection: &mut PgConnection, who: &Principal, find: Find, rows_max: i64) -> Result<Vec<ClockView>, Problem> {
    let (due, order, metric) = match find.after {
        Some((due, order, metric)) => (due, Some(order), Some(metric)),
        None => (None, None, None),
    };
    let query = sqlx::query_as::<_, ClockView>(include_str!("../../queries/clocks_list.sql"))
        .bind(who.tenant)
        .bind(find.as_of)
        .bind(find.states)
        .bind(find.order)
        .bind(find.metric)
        .bind(find.site)
        .bind(only_assigned(who))
        .bind(due)
        .bind(order)
        .bind(metric)
        .bind(rows_max);
    Ok(query.fetch_all(connection).await?)
}

/// A clock with its reasons.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ExplainView {
    clock: ClockView,
    /// Business intervals counted, pauses and holidays left out, in the calendar's zone.
    explanation: Value,
    now: NowView,
}

/// What the same clock says this moment. Null where the policy or its calendar is gone.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct NowView {
    at: DateTime<Utc>,
    state: Option<String>,
    elapsed_s: Option<i64>,
    /// Business seconds left; negative once past due.
    remaining_s: Option<i64>,
    due: Option<DateTime<Utc>>,
    /// The policy has another version now than the one the clock was judged by.
    policy_changed: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AsOf {
    /// As of this tick.
    as_of: Option<i64>,
}

/// Explains a clock: what was counted, what was left out, and what remains now.
#[utoipa::path(get, path = "/sla-clocks/{order}/{metric}/explain", tag = "sla", params(("order" = Uuid, Path), ("metric" = String, Path), AsOf),
    responses((status = 200, body = ExplainView), (status = 404, body = Problem)))]
pub(super) async fn explain(
    State(service): State<Shared>,
    who: Principal,
    At((order, metric)): At<(Uuid, String)>,
    Query(query): Query<AsOf>,
) -> Result<axum::Json<ExplainView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    let find = Find { as_of: query.as_of, order: Some(order), metric: Some(metric.clone()), ..Find::default() };
    let clock = rows(&mut connection, &who, find, 1)
        .await?
        .pop()
        .ok_or_else(|| Problem::not_found("clock", format!("{metric} of work order {order}")))?;
    let now = now(&mut connection, &who, &clock, service.now()).await?;
    Ok(axum::Json(ExplainView { explanation: clock.explanation.clone(), clock, now }))
}

async fn now(connection: &mut PgConnection, who: &Principal, clock: &ClockView, at: DateTime<Utc>) -> Result<NowView, Problem> {
    let mut view = NowView { at, state: None, elapsed_s: None, remaining_s: None, due: None, policy_changed: true };
    let Ok(policy) = super::policies::fetch(connection, who.tenant, clock.policy_id).await else { return Ok(view) };
    let Ok(calendar) = crate::calendars::fetch(connection, who.tenant, policy.policy.calendar_id).await else { return Ok(view) };
    view.policy_changed = policy.version != clock.policy_version;
    let (policy, calendar) = (policy.noun(), calendar.noun());
    let Some(target) = policy.targets.iter().find(|target| metric_name(target.metric) == clock.metric) else { return Ok(view) };
    let order = orders::fetch(connection, who.tenant, clock.order_id, None).await?;
    let holds = orders::holds(connection, clock.order_id).await?;
    let Row::Order(facts) = order.event(holds).row else { return Err(Problem::internal()) };
    let (reckoning, moment) = (Reckoning::new(&facts, &policy, target, &calendar), Moment::from(at));
    let said = reckoning.clock(moment);
    let elapsed_s = reckoning.elapsed(reckoning.stopped.unwrap_or(moment)) / SECOND;
    view.state = Some(said.state.name().into());
    view.elapsed_s = Some(elapsed_s);
    view.remaining_s = Some(said.target_s - elapsed_s);
    view.due = said.due.map(Moment::utc);
    Ok(view)
}

const fn metric_name(metric: Metric) -> &'static str {
    metric.name()
}
