//! Making the orders that plans ask for, each once, however many do it at once.
//!
//! An occurrence's id follows from plan, position and cause, and (plan, position, cause) is unique: whoever comes second finds it there.
//! The occurrence, its order and the event for the engine are one transaction per plan, so a crash leaves all of them or none.

use super::{PlanView, past};
use crate::{
    extract::Json,
    orders::{self, ActionInput, By, Cause, act, engine},
    problem::Problem,
    resource::{Find, Nothing},
    service::Shared,
    work::Work,
};
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_schemas::{id::derived_id, order::stage, plan::due::Due};
use serde::Serialize;
use serde_json::json;
use sqlx::PgConnection;
use std::time::Duration;
use tokio::sync::watch;
use utoipa::ToSchema;
use uuid::Uuid;

/// How often plans are looked at.
const EVERY: Duration = Duration::from_secs(60);
/// Occurrences of one position made in one pass; those of a plan that was asleep for long come one pass after the other.
const CATCH_UP_MAX: usize = 12;

/// Makes the orders of all plans now and then, until the end.
pub async fn run(service: Shared, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        if let Err(problem) = generate(&service).await {
            tracing::warn!(code = problem.code, detail = problem.detail, "plans could not be looked at; trying again in a minute");
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            changed = shutdown.changed() => if changed.is_err() { return },
        }
    }
}

/// Looks once at every active plan; answers how many orders were made. A plan that fails holds back no other.
pub async fn generate(service: &Shared) -> Result<u64, Problem> {
    let plans = sqlx::query_as::<_, (Uuid, Uuid)>(include_str!("../../queries/plans_active.sql")).fetch_all(&service.pool).await?;
    let mut made = 0;
    for (tenant, plan) in plans {
        let mut transaction = service.pool.begin().await?;
        match of_plan(&mut transaction, tenant, plan, service.now()).await {
            Ok(orders) => {
                transaction.commit().await?;
                made += orders;
            }
            Err(problem) if problem.status == 503 => return Err(problem),
            Err(problem) => tracing::error!(%plan, code = problem.code, detail = problem.detail, "plan could not make its orders"),
        }
    }
    Ok(made)
}

/// What came of a look at one plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Generated {
    /// Orders made just now.
    orders: u64,
}

/// Makes at once the orders whose lead time has come; the service does so every minute by itself.
#[utoipa::path(post, path = "/pm-plans/{id}/actions/generate", tag = "plans", params(("id" = Uuid, Path)), request_body = Nothing,
    responses((status = 200, body = Generated), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn ask(
    State(service): State<Shared>,
    mut work: Work,
    crate::extract::At(id): crate::extract::At<Uuid>,
    Json(_said): Json<Nothing>,
) -> Result<axum::Json<Generated>, Problem> {
    let tenant = work.who.tenant;
    let row = PlanView::find(&mut work, tenant, id).await?;
    if row.status != "active" {
        return Err(Problem::guard(
            "maintenance_plan.generate.guard",
            "active",
            format!("the plan is {}", row.status),
            "Activate the plan.",
        ));
    }
    Ok(axum::Json(Generated { orders: of_plan(&mut work, tenant, id, service.now()).await? }))
}

async fn of_plan(connection: &mut PgConnection, tenant: Uuid, plan: Uuid, now: DateTime<Utc>) -> Result<u64, Problem> {
    // Whoever comes second waits here and then sees what the first one made.
    let row = PlanView::hold(connection, tenant, plan).await?;
    sqlx::query(include_str!("../../queries/occurrences_miss.sql")).bind(plan).bind(now).execute(&mut *connection).await?;
    let Some(active_from) = row.active_from.filter(|_| row.status == "active") else { return Ok(0) };
    let zone = sqlx::query_scalar::<_, String>(include_str!("../../queries/site_zone.sql")).bind(row.plan.site);
    let zone = zone.fetch_one(&mut *connection).await?;
    let months = row.plan.months();
    let rules = row.plan.rules(&months, &zone, active_from);
    let until = now + TimeDelta::days(row.plan.lead_time_days.into());
    let mut made = 0;
    let mut pasts: Vec<_> = past::of(connection, tenant, plan, &row.plan.positions).await?.into_iter().collect();
    pasts.sort_by_key(|(position, _)| *position);
    for (position, mut past) in pasts {
        for _ in 0..CATCH_UP_MAX {
            let Some(due) = rules.next(&past).filter(|due| due.at <= until) else { break };
            made += u64::from(make(connection, tenant, &row, position, &due, now).await?);
            (past.last_due, past.open) = (Some(due.at), true);
        }
    }
    Ok(made)
}

/// Makes one occurrence with its order; false when it was there already or a larger plan includes it.
async fn make(
    connection: &mut PgConnection,
    tenant: Uuid,
    row: &PlanView,
    position: Uuid,
    due: &Due,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    let id = derived_id("occurrence", &[row.id.as_bytes(), position.as_bytes(), due.cause.as_bytes()]);
    let from = due.at - TimeDelta::days(row.plan.early_days.into());
    let to = due.at + TimeDelta::days(row.plan.late_days.into());
    let fresh = sqlx::query_scalar::<_, Option<Uuid>>(include_str!("../../queries/occurrence_create.sql"));
    let fresh = fresh.bind(id).bind(tenant).bind(row.id).bind(position).bind(&due.cause).bind(due.basis).bind(due.at).bind(due.meter);
    let fresh = fresh.bind(from).bind(to).bind(row.plan.absorbed_by).bind(now).fetch_optional(&mut *connection).await?;
    // There already, or absorbed.
    if fresh != Some(None) {
        return Ok(false);
    }
    let because = format!("Because plan {:?} makes it due at {} ({}).", row.plan.name, due.at.to_rfc3339(), due.basis);
    let input = row.plan.job.order(row.plan.site, position, due.at, because.clone());
    let said = json!({ "because": because, "plan": row.id, "plan_name": row.plan.name, "plan_version": row.version, "cause": due.cause });
    let cause = Cause { source: "pm", id, command: None, because: Some(said) };
    let by = By::engine();
    let order = orders::create(connection, tenant, &input, Some(&cause), &by, now).await?.ok_or_else(Problem::internal)?;
    row.plan.job.write_tasks(connection, order.id).await?;
    let order = act(connection, tenant, order, stage::Event::Submit, (engine(), &by), &ActionInput::default(), now).await?;
    sqlx::query(include_str!("../../queries/occurrence_generated.sql")).bind(id).bind(order.id).execute(connection).await?;
    Ok(true)
}
