//! Gathers what the guards look at, from the rows that the transaction holds.

use super::{OrderView, action::ActionInput};
use crate::{gate::Principal, problem::Problem};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    access::{
        Feature::{F05, F06, F07},
        Letter, Need, Role,
    },
    id::TechnicianId,
    order::{
        facts::{Actor, Assignee, Facts, Failure, Order, Permit, Said, Task, TaskState, Work},
        kinds::{HoldReason, OrderType, Priority, Source},
        stage::Event,
    },
    time::Moment,
};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use uuid::Uuid;

/// The greatest estimate that a role may approve; `None` is no limit.
pub fn approval_limit(role: Role) -> Option<Decimal> {
    match role {
        Role::PortfolioManager => None,
        Role::PlantManager => Some(Decimal::from(100_000)),
        Role::SiteEngineer => Some(Decimal::from(25_000)),
        Role::MaintenanceSupervisor => Some(Decimal::from(10_000)),
        _ => Some(Decimal::ZERO),
    }
}

/// Whether the role leads crews: it may start, skip, waive and override for others.
pub(crate) fn supervises(role: Role) -> bool {
    F05.letter(role) == Letter::Full
}

/// A person as the guards see them.
pub(crate) async fn actor(connection: &mut PgConnection, who: &Principal) -> Result<Actor, Problem> {
    let technician = sqlx::query_scalar::<_, Uuid>(include_str!("../../queries/technician_of_user.sql")).bind(who.id);
    Ok(Actor {
        user: Some(who.id),
        technician: technician.fetch_optional(connection).await?.map(TechnicianId),
        supervises: supervises(who.role),
        approves_upto: approval_limit(who.role),
        may_cancel_started: supervises(who.role) && F07.letter(who.role).allows(Need::Write),
        may_correct: F06.letter(who.role) == Letter::Full && F07.letter(who.role) == Letter::Full,
    })
}

/// The engine as the guards see it: it raises, approves within the limits of its source, and takes back.
pub(crate) fn engine() -> Actor {
    Actor {
        user: None,
        technician: None,
        supervises: false,
        approves_upto: Some(Decimal::ZERO),
        may_cancel_started: false,
        may_correct: false,
    }
}

/// Everything the guards of this event may look at.
pub(crate) async fn gather(
    connection: &mut PgConnection,
    tenant: Uuid,
    row: &OrderView,
    event: Event,
    actor: Actor,
    input: &ActionInput,
    now: DateTime<Utc>,
) -> Result<Facts, Problem> {
    let technician = input.technician_id.filter(|_| event == Event::Assign);
    let assignee = match technician {
        Some(technician) => Some(assignee(connection, tenant, row, technician).await?),
        None => None,
    };
    let window = input.planned_from.zip(input.planned_to);
    let outages = match (event, row.position_id, window) {
        (Event::Schedule, Some(position), Some(window)) if row.requires_outage => outages(connection, row, position, window).await?,
        _ => vec![],
    };
    Ok(Facts {
        now: now.into(),
        actor,
        order: order(connection, row).await?,
        said: said(input),
        assignee,
        permits: permits(connection, row.id).await?,
        tasks: tasks(connection, row.id).await?,
        work: work(connection, row, input).await?,
        failure: failure(connection, row.id).await?,
        outages_in_the_way: outages,
    })
}

async fn order(connection: &mut PgConnection, row: &OrderView) -> Result<Order, Problem> {
    let held_for = super::store::holds(connection, row.id).await?.into_iter().find(|hold| hold.to.is_none());
    Ok(Order {
        stage: row.stage()?,
        order_type: OrderType::of(&row.order_type).ok_or_else(Problem::internal)?,
        title: row.title.clone(),
        description: row.description.clone(),
        has_place: row.position_id.is_some() || !row.location.trim().is_empty(),
        priority: row.priority.as_deref().and_then(Priority::of),
        source: Source::of(&row.source).ok_or_else(Problem::internal)?,
        estimate: row.estimate_cost,
        auto_approve_upto: row.auto_approve_limit,
        submitter: row.submitted_by,
        executor: row.executed_by,
        assignee: row.assignee_id.map(TechnicianId),
        planned_from: row.planned_from.map(Moment::from),
        required_permits: row.required_permits.clone(),
        signature_required: row.signature_required,
        held_for: held_for.and_then(|hold| HoldReason::of(&hold.reason)),
    })
}

fn said(input: &ActionInput) -> Said {
    Said {
        reason: input.reason.clone(),
        window: input.planned_from.zip(input.planned_to).map(|(from, to)| (from.into(), to.into())),
        hold_reason: input.hold_reason.as_deref().and_then(HoldReason::of),
        override_booking: input.override_booking,
        safety_acknowledged: input.safety_acknowledged,
        blocking_cleared: input.blocking_cleared,
        completion_note: input.completion_note.clone(),
        signed_by: input.signed_by.clone(),
        quality_checked: input.quality_checked,
    }
}

#[derive(sqlx::FromRow)]
struct AssigneeRow {
    name: String,
    active: bool,
    skills_missing: Vec<String>,
    booked_by: Vec<String>,
}

async fn assignee(connection: &mut PgConnection, tenant: Uuid, row: &OrderView, technician: Uuid) -> Result<Assignee, Problem> {
    let zone =
        sqlx::query_scalar::<_, String>(include_str!("../../queries/site_zone.sql")).bind(row.site_id).fetch_one(&mut *connection).await?;
    let found = sqlx::query_as::<_, AssigneeRow>(include_str!("../../queries/order_assignee.sql"))
        .bind(tenant)
        .bind(technician)
        .bind(&row.required_skills)
        .bind(row.planned_from)
        .bind(row.planned_to)
        .bind(row.id)
        .bind(zone)
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| Problem::field("/technician", "unknown", format!("technician {technician} does not exist")))?;
    Ok(Assignee { name: found.name, active: found.active, skills_missing: found.skills_missing, booked_by: found.booked_by })
}

async fn outages(
    connection: &mut PgConnection,
    row: &OrderView,
    position: Uuid,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<String>, Problem> {
    let query = sqlx::query_scalar::<_, String>(include_str!("../../queries/order_outages.sql"));
    Ok(query.bind(position).bind(row.id).bind(from).bind(to).fetch_all(connection).await?)
}

async fn permits(connection: &mut PgConnection, order: Uuid) -> Result<Vec<Permit>, Problem> {
    let rows = super::permits::of_order(connection, order).await?;
    let permit = |row: super::permits::PermitView| Permit {
        id: row.id,
        kind: row.kind,
        status: row.status,
        valid_from: row.valid_from.map(Moment::from),
        valid_to: row.valid_to.map(Moment::from),
    };
    Ok(rows.into_iter().map(permit).collect())
}

async fn tasks(connection: &mut PgConnection, order: Uuid) -> Result<Vec<Task>, Problem> {
    let rows = super::tasks::of_order(connection, order).await?;
    let task = |row: super::tasks::TaskView| Task {
        id: row.id,
        instruction: row.instruction,
        mandatory: row.mandatory,
        safety_critical: row.safety_critical,
        state: match row.state.as_str() {
            "completed" => TaskState::Completed,
            "failed" => TaskState::Failed,
            "skipped" => TaskState::Skipped,
            _ => TaskState::Pending,
        },
        skip_reason: row.skip_reason,
        skipped_by_supervisor: row.skipped_by_supervisor,
        out_of_limits: row.out_of_limits && row.waived_by.is_none(),
    };
    Ok(rows.into_iter().map(task).collect())
}

#[derive(sqlx::FromRow)]
struct WorkRow {
    labour_entries: i64,
    labour_running: i64,
    part_lines: i64,
    parts_unpriced: i64,
}

async fn work(connection: &mut PgConnection, row: &OrderView, input: &ActionInput) -> Result<Work, Problem> {
    let found = sqlx::query_as::<_, WorkRow>(include_str!("../../queries/order_work.sql")).bind(row.id).fetch_one(&mut *connection).await?;
    let (parts_unsettled, parts_awaited) = crate::stock::unsettled(connection, row.id).await?;
    Ok(Work {
        labour_entries: found.labour_entries,
        labour_running: found.labour_running,
        part_lines: found.part_lines,
        no_parts_used: input.no_parts_used || row.no_parts_used,
        parts_unpriced: found.parts_unpriced,
        parts_unsettled,
        parts_awaited,
    })
}

async fn failure(connection: &mut PgConnection, order: Uuid) -> Result<Option<Failure>, Problem> {
    let row = super::failures::of_order(connection, order).await?;
    Ok(row.map(|row| Failure {
        mode: Some(row.report.mode),
        mechanism: row.report.mechanism,
        cause: row.report.cause,
        cause_due: row.report.cause_due.map(Moment::from),
    }))
}
