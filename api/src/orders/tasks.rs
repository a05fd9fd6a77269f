//! The steps of an order, typed, and what was found.

use super::{OrderView, facts::supervises, fetch, lock, only_assigned};
use crate::{
    extract::{At, Json},
    gate::{Gate, Principal},
    problem::Problem,
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    access::Feature::{F01, F02, F08},
    order::{kinds::TaskKind, stage::Stage},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F01), routes!(list))
        .on(Gate::create(F02), routes!(add))
        .on(Gate::create(F08), routes!(complete))
        .on(Gate::create(F08), routes!(skip))
        .on(Gate::create(F08), routes!(fail))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TaskInput {
    /// `step`, `number`, `text`, `choice`, `pass_fail`, `meter`, `photo`, `signature` or `measure_with_limits`.
    #[schema(example = "measure_with_limits")]
    kind: String,
    #[schema(example = "Insulation resistance of string 3")]
    instruction: String,
    #[serde(default = "yes")]
    mandatory: bool,
    #[serde(default)]
    safety_critical: bool,
    #[serde(default)]
    limit_min: Option<f64>,
    #[serde(default)]
    limit_max: Option<f64>,
    #[serde(default)]
    unit: String,
}

const fn yes() -> bool {
    true
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct TaskView {
    pub id: Uuid,
    pub seq: i32,
    pub kind: String,
    pub instruction: String,
    pub mandatory: bool,
    pub safety_critical: bool,
    pub limit_min: Option<f64>,
    pub limit_max: Option<f64>,
    pub unit: String,
    /// `pending`, `completed`, `failed` or `skipped`.
    pub state: String,
    pub result: Option<Value>,
    pub out_of_limits: bool,
    pub waived_by: Option<String>,
    pub waive_reason: Option<String>,
    pub skip_reason: Option<String>,
    pub skipped_by_supervisor: bool,
    pub done_by: Option<String>,
    pub done_at: Option<DateTime<Utc>>,
}

pub(super) async fn of_order(connection: &mut PgConnection, order: Uuid) -> Result<Vec<TaskView>, Problem> {
    Ok(sqlx::query_as::<_, TaskView>(include_str!("../../queries/tasks_list.sql")).bind(order).fetch_all(connection).await?)
}

/// Lists the steps of an order.
#[utoipa::path(get, path = "/work-orders/{id}/tasks", tag = "work orders", params(("id" = Uuid, Path)), responses((status = 200, body = Vec<TaskView>), (status = 404, body = Problem)))]
async fn list(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<axum::Json<Vec<TaskView>>, Problem> {
    let mut connection = service.pool.acquire().await?;
    fetch(&mut connection, who.tenant, id, only_assigned(&who)).await?;
    Ok(axum::Json(of_order(&mut connection, id).await?))
}

/// Adds a step at the end.
#[utoipa::path(post, path = "/work-orders/{id}/tasks", tag = "work orders", params(("id" = Uuid, Path)), request_body = TaskInput,
    responses((status = 201, body = TaskView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<TaskInput>,
) -> Result<(StatusCode, axum::Json<TaskView>), Problem> {
    let kind = TaskKind::of(&input.kind)
        .ok_or_else(|| Problem::field("/kind", "bad_value", format!("there is no kind of step {:?}", input.kind)))?;
    if input.instruction.trim().is_empty() || input.instruction.len() > 2_000 {
        return Err(Problem::field("/instruction", "length", "an instruction has 1 to 2000 characters"));
    }
    if kind == TaskKind::MeasureWithLimits && input.limit_min.is_none() && input.limit_max.is_none() {
        return Err(Problem::field("/limit_min", "missing", "a measurement with limits needs at least one"));
    }
    open(&service, &mut work, id, false).await?;
    let row = sqlx::query_as::<_, TaskView>(include_str!("../../queries/task_create.sql"))
        .bind(id)
        .bind(input.kind)
        .bind(input.instruction)
        .bind(input.mandatory)
        .bind(input.safety_critical)
        .bind(input.limit_min)
        .bind(input.limit_max)
        .bind(input.unit)
        .fetch_one(&mut *work)
        .await?;
    Ok((StatusCode::CREATED, axum::Json(row)))
}

/// Locks an order for a record to be added to it: it must not be over, and must be under way where `started` says so.
pub(super) async fn open(service: &Shared, work: &mut Work, id: Uuid, started: bool) -> Result<OrderView, Problem> {
    let who = work.who.clone();
    let row = lock(work, who.tenant, id, only_assigned(&who)).await?;
    let stage = row.stage()?;
    let fits = match started {
        true => matches!(stage, Stage::InProgress | Stage::OnHold | Stage::Completed),
        false => !stage.is_final() && stage != Stage::Verified,
    };
    if !fits {
        let (guard, needs) = match started {
            true => ("under_way", "Record this while the order is in progress, on hold or completed."),
            false => ("order_open", "Records are added until the order is verified."),
        };
        return Err(Problem::guard("wo.record.guard", guard, format!("{} is {stage}", row.number), needs));
    }
    sqlx::query(include_str!("../../queries/order_touch.sql")).bind(id).bind(service.now()).execute(&mut **work).await?;
    Ok(row)
}

/// What is said of a step.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnswerInput {
    /// The number, text, choice, `true` or `false` for pass or fail, or the reference of a photo or signature.
    #[serde(default)]
    result: Value,
    /// Why it is skipped or failed, or why a measurement outside its limits is accepted by a supervisor.
    #[serde(default)]
    reason: Option<String>,
}

/// Answers a step. A measurement outside its limits blocks completion, unless a supervisor accepts it with a reason.
#[utoipa::path(post, path = "/work-orders/{id}/tasks/{task}/actions/complete", tag = "work orders", params(("id" = Uuid, Path), ("task" = Uuid, Path)), request_body = AnswerInput,
    responses((status = 200, body = TaskView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn complete(
    State(service): State<Shared>,
    work: Work,
    At(at): At<(Uuid, Uuid)>,
    Json(input): Json<AnswerInput>,
) -> Result<axum::Json<TaskView>, Problem> {
    answer(&service, work, at, "completed", input).await
}

/// Skips a step, with a reason; a safety-critical one needs a supervisor before the order can be completed.
#[utoipa::path(post, path = "/work-orders/{id}/tasks/{task}/actions/skip", tag = "work orders", params(("id" = Uuid, Path), ("task" = Uuid, Path)), request_body = AnswerInput,
    responses((status = 200, body = TaskView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn skip(
    State(service): State<Shared>,
    work: Work,
    At(at): At<(Uuid, Uuid)>,
    Json(input): Json<AnswerInput>,
) -> Result<axum::Json<TaskView>, Problem> {
    answer(&service, work, at, "skipped", input).await
}

/// Says that a step failed, with a reason.
#[utoipa::path(post, path = "/work-orders/{id}/tasks/{task}/actions/fail", tag = "work orders", params(("id" = Uuid, Path), ("task" = Uuid, Path)), request_body = AnswerInput,
    responses((status = 200, body = TaskView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn fail(
    State(service): State<Shared>,
    work: Work,
    At(at): At<(Uuid, Uuid)>,
    Json(input): Json<AnswerInput>,
) -> Result<axum::Json<TaskView>, Problem> {
    answer(&service, work, at, "failed", input).await
}

async fn answer(
    service: &Shared,
    mut work: Work,
    (order, id): (Uuid, Uuid),
    state: &str,
    input: AnswerInput,
) -> Result<axum::Json<TaskView>, Problem> {
    open(service, &mut work, order, true).await?;
    let task = of_order(&mut work, order).await?.into_iter().find(|task| task.id == id).ok_or_else(|| Problem::not_found("step", id))?;
    let reason = input.reason.filter(|reason| !reason.trim().is_empty());
    if state != "completed" && reason.is_none() {
        return Err(Problem::field("/reason", "missing", "say why"));
    }
    let supervisor = supervises(work.who.role);
    let outside = state == "completed" && out_of_limits(&task, &input.result)?;
    let waived = outside && supervisor && reason.is_some();
    let row = sqlx::query_as::<_, TaskView>(include_str!("../../queries/task_answer.sql"))
        .bind(order)
        .bind(id)
        .bind(state)
        .bind((!input.result.is_null()).then_some(input.result))
        .bind(outside)
        .bind(waived.then(|| work.who.name.clone()))
        .bind(reason.clone().filter(|_| waived))
        .bind(reason.filter(|_| state != "completed"))
        .bind(state == "skipped" && supervisor)
        .bind(work.who.name.clone())
        .bind(service.now())
        .fetch_one(&mut *work)
        .await?;
    Ok(axum::Json(row))
}

/// Whether the answer is outside the step's limits; refuses an answer of the wrong kind.
fn out_of_limits(task: &TaskView, result: &Value) -> Result<bool, Problem> {
    let wrong = |message: &str| Err(Problem::field("/result", "wrong_kind", format!("{message}: \"{}\"", task.instruction)));
    match TaskKind::of(&task.kind) {
        Some(TaskKind::Number | TaskKind::Meter | TaskKind::MeasureWithLimits) => {
            let Some(value) = result.as_f64() else { return wrong("a number answers this step") };
            Ok(task.limit_min.is_some_and(|min| value < min) || task.limit_max.is_some_and(|max| value > max))
        }
        Some(TaskKind::PassFail) if !result.is_boolean() => wrong("true or false answers this step"),
        Some(TaskKind::PassFail) => Ok(result == &Value::Bool(false)),
        Some(TaskKind::Text | TaskKind::Choice | TaskKind::Photo | TaskKind::Signature) if !result.is_string() => {
            wrong("a text answers this step")
        }
        _ => Ok(false),
    }
}
