//! Orders at rest: reading, making, changing. Every change leaves an event for the engine in the same transaction.

use super::{OrderInput, OrderView};
use crate::{gate::Principal, outbox, problem::Problem};
use chrono::{DateTime, Datelike, Utc};
use dcmms_schemas::{access::Letter, order::Hold, time::Moment};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

/// Where an order comes from when not from a person.
#[derive(Clone, Debug)]
pub struct Cause {
    /// `alarm`, `prediction`, `pm` or `request`.
    pub source: &'static str,
    pub id: Uuid,
    pub command: Option<Uuid>,
    pub because: Option<Value>,
}

/// Whoever does something to an order, as its history names them.
#[derive(Clone, Debug)]
pub struct By {
    pub id: Option<Uuid>,
    pub label: String,
    pub name: String,
}

impl By {
    pub fn engine() -> By {
        By { id: None, label: "engine".into(), name: "engine".into() }
    }

    pub fn person(who: &Principal) -> By {
        By { id: Some(who.id), label: who.label(), name: who.name.clone() }
    }
}

/// The user whose assigned orders are all that may be seen, where the role is so limited.
pub(crate) fn only_assigned(who: &Principal) -> Option<Uuid> {
    matches!(who.letter, Letter::Assigned | Letter::Own).then_some(who.id)
}

/// The order, if it exists and may be seen.
pub async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid, only: Option<Uuid>) -> Result<OrderView, Problem> {
    let row = sqlx::query_as::<_, OrderView>(include_str!("../../queries/order_read.sql")).bind(tenant).bind(id).bind(only);
    row.fetch_optional(connection).await?.ok_or_else(|| Problem::not_found("work order", id))
}

/// The order, held against others until the transaction ends.
pub(crate) async fn lock(connection: &mut PgConnection, tenant: Uuid, id: Uuid, only: Option<Uuid>) -> Result<OrderView, Problem> {
    let locked = sqlx::query_scalar::<_, i64>(include_str!("../../queries/order_lock.sql")).bind(tenant).bind(id);
    locked.fetch_optional(&mut *connection).await?.ok_or_else(|| Problem::not_found("work order", id))?;
    fetch(connection, tenant, id, only).await
}

/// Makes a draft; `None` when its cause has an open order already.
pub async fn create(
    connection: &mut PgConnection,
    tenant: Uuid,
    input: &OrderInput,
    cause: Option<&Cause>,
    by: &By,
    now: DateTime<Utc>,
) -> Result<Option<OrderView>, Problem> {
    let number = sqlx::query_scalar::<_, i64>(include_str!("../../queries/order_number.sql")).bind(tenant).bind(now.year());
    let number = format!("WO-{}-{:06}", now.year(), number.fetch_one(&mut *connection).await?);
    let id = sqlx::query_scalar::<_, Uuid>(include_str!("../../queries/order_create.sql"))
        .bind(tenant)
        .bind(&number)
        .bind(&input.order_type)
        .bind(&input.title)
        .bind(&input.description)
        .bind(input.site_id)
        .bind(input.position_id)
        .bind(&input.location)
        .bind(&input.priority)
        .bind(cause.map_or("manual", |cause| cause.source))
        .bind(cause.map(|cause| cause.id))
        .bind(cause.and_then(|cause| cause.command))
        .bind(cause.and_then(|cause| cause.because.clone()))
        .bind(input.onset.unwrap_or(now))
        .bind(input.estimate_cost)
        .bind(input.requires_outage)
        .bind(input.signature_required)
        .bind(&input.required_skills)
        .bind(&input.required_permits)
        .bind(input.due_at)
        .bind(by.id)
        .bind(by.id.map(|_| now))
        .bind(now)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(id) = id else { return Ok(None) };
    let row = fetch(connection, tenant, id, None).await?;
    note(connection, &row, "create", None, by, None, &Value::Null, now).await?;
    tell(connection, &row).await?;
    Ok(Some(row))
}

/// Writes the order back, counts its version up and tells the engine.
pub(crate) async fn save(connection: &mut PgConnection, row: &mut OrderView, now: DateTime<Utc>) -> Result<(), Problem> {
    row.updated_at = now;
    row.version = sqlx::query_scalar::<_, i64>(include_str!("../../queries/order_update.sql"))
        .bind(row.id)
        .bind(&row.order_type)
        .bind(&row.title)
        .bind(&row.description)
        .bind(row.position_id)
        .bind(&row.location)
        .bind(&row.priority)
        .bind(&row.status)
        .bind(row.onset)
        .bind(row.estimate_cost)
        .bind(row.requires_outage)
        .bind(row.signature_required)
        .bind(&row.required_skills)
        .bind(&row.required_permits)
        .bind(row.planned_from)
        .bind(row.planned_to)
        .bind(row.due_at)
        .bind(row.assignee_id)
        .bind(row.submitted_by)
        .bind(row.approved_by)
        .bind(row.executed_by)
        .bind(row.verified_by)
        .bind(row.started_at)
        .bind(row.resolved_at)
        .bind(&row.completion_note)
        .bind(&row.signed_by)
        .bind(row.no_parts_used)
        .bind(row.touched_at)
        .bind(row.source_id)
        .bind(now)
        .fetch_one(&mut *connection)
        .await?;
    tell(connection, row).await
}

/// Notes a move in the order's history, under the version it led to.
#[expect(clippy::too_many_arguments, reason = "one per column; a struct would only rename them")]
pub(crate) async fn note(
    connection: &mut PgConnection,
    row: &OrderView,
    event: &str,
    from: Option<&str>,
    by: &By,
    reason: Option<&str>,
    detail: &Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let detail = if detail.is_null() { Value::Object(serde_json::Map::new()) } else { detail.clone() };
    sqlx::query(include_str!("../../queries/order_transition.sql"))
        .bind(row.id)
        .bind(row.version)
        .bind(event)
        .bind(from)
        .bind(&row.status)
        .bind(&by.label)
        .bind(&by.name)
        .bind(reason)
        .bind(detail)
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct HoldRow {
    from_at: DateTime<Utc>,
    to_at: Option<DateTime<Utc>>,
    reason: String,
}

/// The intervals in which the order stood still.
pub async fn holds(connection: &mut PgConnection, id: Uuid) -> Result<Vec<Hold>, Problem> {
    let rows = sqlx::query_as::<_, HoldRow>(include_str!("../../queries/order_holds_list.sql")).bind(id).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|row| Hold { from: row.from_at.into(), to: row.to_at.map(Moment::from), reason: row.reason }).collect())
}

/// Tells the engine how the order stands.
async fn tell(connection: &mut PgConnection, row: &OrderView) -> Result<(), Problem> {
    let holds = holds(connection, row.id).await?;
    outbox::record(connection, &row.event(holds)).await?;
    Ok(())
}
