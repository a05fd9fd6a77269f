//! Moving an order: lock it, gather the facts, ask the machine, carry out what the move brings with it.

use super::{
    OrderView, facts,
    store::{self, By},
};
use crate::problem::Problem;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use dcmms_schemas::order::{
    facts::Actor,
    kinds::HoldReason,
    stage::{Event, Refused, Stage},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a request to move an order may say. Each action looks at its own part; the guards say what is missing.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ActionInput {
    /// Why: needed by reject, unschedule, reassign, reopen, cancel, correct, and by a start far from the plan.
    pub reason: Option<String>,
    /// The window of schedule.
    pub planned_from: Option<DateTime<Utc>>,
    pub planned_to: Option<DateTime<Utc>>,
    /// Whom assign gives it to.
    #[serde(rename = "technician")]
    pub technician_id: Option<Uuid>,
    /// A supervisor may book somebody twice.
    pub override_booking: bool,
    /// start: the safety checklist has been read.
    pub safety_acknowledged: bool,
    /// hold: `parts`, `access`, `weather`, `permit`, `customer`, `safety`, `shift_end` or `other`.
    #[schema(example = "parts")]
    pub hold_reason: Option<String>,
    /// resume: what blocked the work is cleared.
    pub blocking_cleared: bool,
    /// complete: what was done.
    pub completion_note: Option<String>,
    /// complete: when the function was restored; default: as the failure report says, else now.
    pub resolved_at: Option<DateTime<Utc>>,
    /// complete: no parts were used.
    pub no_parts_used: bool,
    /// complete: who signed for it.
    pub signed_by: Option<String>,
    /// verify: the quality checks are done.
    pub quality_checked: bool,
    /// correct: when work really started.
    pub started_at: Option<DateTime<Utc>>,
    /// correct: when the need really arose.
    pub onset: Option<DateTime<Utc>>,
}

/// Moves a locked order, or refuses. What the move changes, its history and its event are of one transaction.
pub(crate) async fn act(
    connection: &mut PgConnection,
    tenant: Uuid,
    mut row: OrderView,
    event: Event,
    (actor, by): (Actor, &By),
    input: &ActionInput,
    now: DateTime<Utc>,
) -> Result<OrderView, Problem> {
    check(&row, event, input, now)?;
    let facts = facts::gather(connection, tenant, &row, event, actor, input, now).await?;
    let from = row.stage()?;
    // An order that needs no person's approval skips the queue of those that do.
    let (event, to) = match event {
        Event::Submit => match from.after(Event::AutoApprove, &facts) {
            Ok(to) => (Event::AutoApprove, to),
            Err(_) => (event, from.after(event, &facts).map_err(|refused| problem(&row, refused))?),
        },
        _ => (event, from.after(event, &facts).map_err(|refused| problem(&row, refused))?),
    };
    row.status = to.name().into();
    if by.id.is_some() {
        row.touched_at.get_or_insert(now);
    }
    apply(connection, &mut row, event, from, by, input, now).await?;
    crate::plans::follow(connection, &row, event, now).await?;
    if event == Event::Close {
        sqlx::query(include_str!("../../queries/requests_close.sql")).bind(row.id).bind(now).execute(&mut *connection).await?;
    }
    if event == Event::Cancel {
        crate::stock::release_all(connection, tenant, row.id, by, now).await?;
    }
    store::save(connection, &mut row, now).await?;
    let reason = input.reason.as_deref().or(input.hold_reason.as_deref());
    store::note(connection, &row, event.name(), Some(from.name()), by, reason, &detail(input), now).await?;
    store::fetch(connection, tenant, row.id, None).await
}

/// What no guard judges: values that cannot be meant.
fn check(row: &OrderView, event: Event, input: &ActionInput, now: DateTime<Utc>) -> Result<(), Problem> {
    if let Some(reason) = &input.hold_reason
        && HoldReason::of(reason).is_none()
    {
        let known = HoldReason::ALL.iter().map(|reason| reason.name()).collect::<Vec<_>>().join(", ");
        return Err(Problem::field("/hold_reason", "bad_value", format!("hold_reason is one of {known}, not {reason:?}")));
    }
    for (pointer, at) in [("/resolved_at", input.resolved_at), ("/started_at", input.started_at), ("/onset", input.onset)] {
        if at.is_some_and(|at| at > now) {
            return Err(Problem::field(pointer, "in_future", "it has not happened yet"));
        }
    }
    let corrects = event == Event::Correct;
    if event == Event::Complete || corrects {
        let started = input.started_at.filter(|_| corrects).or(row.started_at);
        let resolved = input.resolved_at.or(row.resolved_at.filter(|_| corrects));
        let onset = input.onset.filter(|_| corrects).unwrap_or(row.onset);
        if resolved.is_some_and(|resolved| resolved < onset)
            || started.zip(resolved).is_some_and(|(started, resolved)| corrects && resolved < started)
        {
            return Err(Problem::field("/resolved_at", "out_of_order", "it was resolved after it arose and after work started"));
        }
    }
    Ok(())
}

/// What a move brings with it, beside the stage.
async fn apply(
    connection: &mut PgConnection,
    row: &mut OrderView,
    event: Event,
    from: Stage,
    by: &By,
    input: &ActionInput,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    match event {
        Event::Submit | Event::AutoApprove => row.submitted_by = by.id,
        Event::Approve => row.approved_by = by.id,
        Event::Reject => row.submitted_by = None,
        Event::Schedule => (row.planned_from, row.planned_to) = (input.planned_from, input.planned_to),
        Event::Unschedule => (row.planned_from, row.planned_to) = (None, None),
        Event::Assign => row.assignee_id = input.technician_id,
        Event::Reassign => row.assignee_id = None,
        Event::Start => {
            row.started_at.get_or_insert(now);
            row.executed_by = by.id;
        }
        Event::Hold => {
            stop_labour(connection, row.id, now).await?;
            let hold = sqlx::query(include_str!("../../queries/order_hold_open.sql")).bind(row.id).bind(now);
            hold.bind(&input.hold_reason).bind(&input.reason).execute(connection).await?;
        }
        Event::Resume => close_hold(connection, row.id, now).await?,
        Event::Complete => {
            let restored = super::failures::of_order(connection, row.id).await?.and_then(|failure| failure.report.restored_at);
            row.resolved_at = input.resolved_at.or(restored).or(Some(now));
            row.completion_note.clone_from(&input.completion_note);
            row.signed_by.clone_from(&input.signed_by);
            row.no_parts_used |= input.no_parts_used;
            row.executed_by = by.id;
        }
        Event::Reopen => row.resolved_at = None,
        Event::Verify => row.verified_by = by.id,
        Event::Close => {}
        Event::Cancel => {
            if from == Stage::OnHold {
                close_hold(connection, row.id, now).await?;
            }
            stop_labour(connection, row.id, now).await?;
        }
        Event::Correct => {
            row.onset = input.onset.unwrap_or(row.onset);
            row.started_at = input.started_at.or(row.started_at);
            row.resolved_at = input.resolved_at.or(row.resolved_at);
            row.completion_note = input.completion_note.clone().or(row.completion_note.take());
        }
    }
    Ok(())
}

async fn stop_labour(connection: &mut PgConnection, order: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    sqlx::query(include_str!("../../queries/order_labour_stop.sql")).bind(order).bind(now).execute(connection).await?;
    Ok(())
}

async fn close_hold(connection: &mut PgConnection, order: Uuid, now: DateTime<Utc>) -> Result<(), Problem> {
    sqlx::query(include_str!("../../queries/order_hold_close.sql")).bind(order).bind(now).execute(connection).await?;
    Ok(())
}

/// What the history keeps of the request: all that it said.
fn detail(input: &ActionInput) -> Value {
    let mut said = serde_json::to_value(input).unwrap_or_default();
    if let Value::Object(fields) = &mut said {
        fields.retain(|_, value| !value.is_null() && *value != Value::Bool(false));
    }
    said
}

/// The refusal as the API says it.
pub(crate) fn problem(row: &OrderView, refused: Refused) -> Problem {
    match refused {
        Refused::NoSuchMove { from, event, allowed } => {
            let said = serde_json::json!({ "from": from, "event": event, "allowed": allowed });
            let detail = format!("{} is {from}; it can {}", row.number, names(&allowed));
            Problem::new(
                StatusCode::CONFLICT,
                "invalid-transition",
                format!("wo.{event}.stage"),
                format!("A work order that is {from} cannot {event}"),
            )
            .detail(detail)
            .explain(vec![said])
        }
        Refused::Guard { event, guard, needs, explain } => {
            let explain = explain.iter().map(|missing| serde_json::to_value(missing).unwrap_or_default()).collect();
            Problem::guard(format!("wo.{event}.guard"), guard, format!("{} cannot {event} yet", row.number), needs).explain(explain)
        }
    }
}

fn names(events: &[Event]) -> String {
    let names: Vec<_> = events.iter().filter(|event| **event != Event::AutoApprove).map(|event| event.name()).collect();
    if names.is_empty() { "do nothing more".into() } else { names.join(", ") }
}
