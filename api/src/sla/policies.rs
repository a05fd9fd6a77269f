//! How long people may take.

use crate::{
    extract::{At, IfMatch, Json, Page, Query, cursor, limit, merge},
    gate::Principal,
    outbox,
    problem::Problem,
    respond::{Created, Tagged, Versioned},
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    domain,
    id::{CalendarId, PolicyId, SiteId},
    order::kinds::{HoldReason, OrderType, Priority},
    sla::{Policy, Target},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What is said of a policy. It speaks for orders that match every list that is not empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyInput {
    #[schema(example = "O&M contract, emergencies")]
    pub name: String,
    /// Of several policies that speak for an order the lowest rank wins.
    #[serde(default = "rank")]
    pub rank: i32,
    #[serde(rename = "calendar")]
    pub calendar_id: Uuid,
    #[serde(default)]
    #[schema(example = json!(["corrective", "emergency"]))]
    pub order_types: Vec<String>,
    #[serde(default)]
    #[schema(example = json!(["emergency", "high"]))]
    pub priorities: Vec<String>,
    #[serde(default)]
    pub sites: Vec<Uuid>,
    /// Per metric (`respond`, `resolve`): business minutes, hold reasons that stop the clock, shares at which to warn.
    #[sqlx(json)]
    #[schema(value_type = Vec<Object>, example = json!([{"metric": "respond", "minutes": 240, "pause_reasons": ["weather"], "warn_percent": [50, 75, 90]}]))]
    pub targets: Vec<Target>,
    /// Orders whose onset is earlier are judged by what was valid then; default: now.
    #[serde(default)]
    pub valid_from: Option<DateTime<Utc>>,
}

const fn rank() -> i32 {
    100
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct PolicyView {
    pub id: Uuid,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub policy: PolicyInput,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for PolicyView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl PolicyView {
    /// The policy as the engine judges by it.
    pub fn noun(&self) -> Policy {
        self.policy.noun(self.id, self.version, self.updated_at)
    }

    fn event(&self, removed: bool) -> domain::Event {
        domain::Event { version: self.version, at: self.updated_at.into(), removed, row: domain::Row::Policy(self.noun()) }
    }
}

impl PolicyInput {
    fn noun(&self, id: Uuid, version: i64, published: DateTime<Utc>) -> Policy {
        Policy {
            id: PolicyId(id),
            version,
            name: self.name.clone(),
            rank: self.rank,
            calendar: CalendarId(self.calendar_id),
            order_types: self.order_types.clone(),
            priorities: self.priorities.clone(),
            sites: self.sites.iter().map(|site| SiteId(*site)).collect(),
            targets: self.targets.clone(),
            valid_from: self.valid_from.unwrap_or(published).into(),
        }
    }

    fn check(&self) -> Result<(), Problem> {
        let mut faults = crate::check::Faults::new();
        faults.name("/name", &self.name);
        for (nth, kind) in self.order_types.iter().enumerate() {
            faults.when(
                OrderType::of(kind).is_none(),
                &format!("/order_types/{nth}"),
                "bad_value",
                format!("there is no order type {kind:?}"),
            );
        }
        for (nth, priority) in self.priorities.iter().enumerate() {
            faults.when(
                Priority::of(priority).is_none(),
                &format!("/priorities/{nth}"),
                "bad_value",
                format!("there is no priority {priority:?}"),
            );
        }
        for (nth, target) in self.targets.iter().enumerate() {
            for reason in target.pause_reasons.iter().filter(|reason| HoldReason::of(reason).is_none()) {
                faults.add(&format!("/targets/{nth}/pause_reasons"), "bad_value", format!("there is no hold reason {reason:?}"));
            }
        }
        if let Err(fault) = self.noun(Uuid::nil(), 1, DateTime::<Utc>::MIN_UTC).check() {
            faults.add("/targets", "impossible", fault.to_string());
        }
        faults.result()
    }
}

/// At most `rows_max` policies in the order of their rank, or the one named.
async fn rows(
    connection: &mut PgConnection,
    tenant: Uuid,
    id: Option<Uuid>,
    after: Option<(i32, Uuid)>,
    rows_max: i64,
) -> Result<Vec<PolicyView>, Problem> {
    let query = sqlx::query_as::<_, PolicyView>(include_str!("../../queries/policies_list.sql"));
    let (rank, last) = after.unzip();
    Ok(query.bind(tenant).bind(id).bind(rank).bind(last).bind(rows_max).fetch_all(connection).await?)
}

pub(super) async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<PolicyView, Problem> {
    rows(connection, tenant, Some(id), None, 1).await?.pop().ok_or_else(|| Problem::not_found("SLA policy", id))
}

/// Adds a policy and tells the engine.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, input: PolicyInput) -> Result<PolicyView, Problem> {
    input.check()?;
    crate::calendars::fetch(connection, tenant, input.calendar_id).await.map_err(unknown_calendar)?;
    let row = sqlx::query_as::<_, PolicyView>(include_str!("../../queries/policy_create.sql"))
        .bind(tenant)
        .bind(&input.name)
        .bind(input.rank)
        .bind(input.calendar_id)
        .bind(&input.order_types)
        .bind(&input.priorities)
        .bind(&input.sites)
        .bind(json!(input.targets))
        .bind(input.valid_from)
        .fetch_optional(&mut *connection)
        .await?;
    let row = row.ok_or_else(|| Problem::conflict("name_taken", format!("there is already a policy {:?}", input.name)))?;
    outbox::record(connection, &row.event(false)).await?;
    Ok(row)
}

fn unknown_calendar(problem: Problem) -> Problem {
    if problem.status == 404 { Problem::field("/calendar", "unknown", "there is no such calendar") } else { problem }
}

async fn save(
    connection: &mut PgConnection,
    id: Uuid,
    input: &PolicyInput,
    archived_at: Option<DateTime<Utc>>,
) -> Result<PolicyView, Problem> {
    let row = sqlx::query_as::<_, PolicyView>(include_str!("../../queries/policy_update.sql"))
        .bind(id)
        .bind(&input.name)
        .bind(input.rank)
        .bind(input.calendar_id)
        .bind(&input.order_types)
        .bind(&input.priorities)
        .bind(&input.sites)
        .bind(json!(input.targets))
        .bind(input.valid_from)
        .bind(archived_at)
        .fetch_one(&mut *connection)
        .await?;
    outbox::record(connection, &row.event(archived_at.is_some())).await?;
    Ok(row)
}

async fn lock(connection: &mut PgConnection, tenant: Uuid, id: Uuid, seen: IfMatch) -> Result<PolicyView, Problem> {
    let version = sqlx::query_scalar::<_, i64>(include_str!("../../queries/policy_lock.sql")).bind(tenant).bind(id);
    seen.check(version.fetch_optional(&mut *connection).await?.ok_or_else(|| Problem::not_found("SLA policy", id))?)?;
    fetch(connection, tenant, id).await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists SLA policies by rank.
#[utoipa::path(get, path = "/sla-policies", tag = "sla", params(ListQuery), responses((status = 200, body = Page<PolicyView>)))]
pub(super) async fn list(
    State(service): State<Shared>,
    who: Principal,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<Page<PolicyView>>, Problem> {
    let limit = limit(query.limit)?;
    let after = cursor(query.cursor.as_deref(), "sla-policies rank")?;
    let mut connection = service.pool.acquire().await?;
    let rows = rows(&mut connection, who.tenant, None, after, i64::from(limit) + 1).await?;
    Ok(axum::Json(Page::of(rows, limit, "sla-policies rank", |row| (row.policy.rank, row.id))))
}

/// Shows an SLA policy.
#[utoipa::path(get, path = "/sla-policies/{id}", tag = "sla", params(("id" = Uuid, Path)), responses((status = 200, body = PolicyView), (status = 404, body = Problem)))]
pub(super) async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Tagged<PolicyView>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(fetch(&mut connection, who.tenant, id).await?))
}

/// Adds an SLA policy.
#[utoipa::path(post, path = "/sla-policies", tag = "sla", request_body = PolicyInput,
    responses((status = 201, body = PolicyView), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn add(mut work: Work, Json(input): Json<PolicyInput>) -> Result<Created<PolicyView>, Problem> {
    let tenant = work.who.tenant;
    let row = create(&mut work, tenant, input).await?;
    Ok(Created { location: format!("/api/v1/sla-policies/{}", row.id), row })
}

/// Publishes a new version of a policy, valid from now unless `valid_from` is said.
#[utoipa::path(patch, path = "/sla-policies/{id}", tag = "sla", params(("id" = Uuid, Path)), request_body(content = PolicyInput, content_type = "application/merge-patch+json"),
    responses((status = 200, body = PolicyView), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    mut work: Work,
    At(id): At<Uuid>,
    seen: IfMatch,
    Json(patch): Json<Value>,
) -> Result<Tagged<PolicyView>, Problem> {
    let tenant = work.who.tenant;
    let mut current = lock(&mut work, tenant, id, seen).await?;
    current.policy.valid_from = None;
    let whole: PolicyInput = merge(&current.policy, &patch)?;
    whole.check()?;
    crate::calendars::fetch(&mut work, tenant, whole.calendar_id).await.map_err(unknown_calendar)?;
    Ok(Tagged(save(&mut work, id, &whole, None).await?))
}

/// Archives a policy; its clocks end.
#[utoipa::path(delete, path = "/sla-policies/{id}", tag = "sla", params(("id" = Uuid, Path)), responses((status = 204), (status = 404, body = Problem), (status = 412, body = Problem)))]
pub(super) async fn remove(State(service): State<Shared>, mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<StatusCode, Problem> {
    let tenant = work.who.tenant;
    let current = lock(&mut work, tenant, id, seen).await?;
    save(&mut work, id, &current.policy, Some(service.now())).await?;
    Ok(StatusCode::NO_CONTENT)
}
