//! What people do to alarms.

use super::{AlarmView, fetch};
use crate::{
    extract::{At, IfMatch, Json},
    gate::Gate,
    orders::{self, By, Cause, OrderInput, OrderView},
    problem::Problem,
    respond::{Created, Tagged},
    routes::Routes,
    service::Shared,
    work::Work,
};
use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_schemas::{
    access::{
        Feature::{F02, F24, F25},
        Letter,
    },
    order::kinds::{OrderType, Priority},
};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

/// The longest time an alarm may be shelved for.
const SHELVE_DAYS_MAX: i64 = 7;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::act(F24), routes!(ack))
        .on(Gate::create(F24), routes!(comment))
        .on(Gate::act(F25), routes!(shelve))
        .on(Gate::act(F25), routes!(unshelve))
        .on(Gate::create(F02), routes!(create_work_order))
}

/// The alarm, held against others who act on it, and still what the engine says.
async fn hold(work: &mut Work, id: Uuid, seen: Option<IfMatch>, now: DateTime<Utc>) -> Result<AlarmView, Problem> {
    let who = work.who.clone();
    fetch(work, &who, id, now).await?;
    let version =
        sqlx::query_scalar::<_, i64>(include_str!("../../queries/alarm_handling_lock.sql")).bind(id).fetch_one(&mut **work).await?;
    if let Some(seen) = seen {
        seen.check(version)?;
    }
    let alarm = fetch(work, &who, id, now).await?;
    if alarm.retracted {
        let needs = "Later data disproved this alarm; it is kept to be read.";
        return Err(Problem::guard("alarm.current", "alarm_current", "The alarm was retracted", needs));
    }
    Ok(alarm)
}

async fn say(work: &mut Work, id: Uuid, text: &str, now: DateTime<Utc>) -> Result<(), Problem> {
    let who = work.who.clone();
    let query = sqlx::query(include_str!("../../queries/alarm_comment.sql"));
    query.bind(id).bind(text).bind(who.label()).bind(who.name).bind(now).execute(&mut **work).await?;
    Ok(())
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct AckInput {
    /// What was seen or done.
    comment: Option<String>,
}

/// Acknowledges an alarm.
#[utoipa::path(post, path = "/alarms/{id}/actions/ack", tag = "alarms", params(("id" = Uuid, Path)), request_body = AckInput,
    responses((status = 200, body = AlarmView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn ack(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    seen: IfMatch,
    Json(input): Json<AckInput>,
) -> Result<Tagged<AlarmView>, Problem> {
    let (now, who) = (service.now(), work.who.clone());
    let alarm = hold(&mut work, id, Some(seen), now).await?;
    if let Some(by) = alarm.acked_by {
        return Err(Problem::guard("alarm.ack", "unacked", "The alarm is acknowledged", format!("{by} acknowledged it")));
    }
    sqlx::query(include_str!("../../queries/alarm_ack.sql")).bind(id).bind(now).bind(&who.name).execute(&mut *work).await?;
    if let Some(comment) = input.comment.filter(|comment| !comment.trim().is_empty()) {
        say(&mut work, id, &comment, now).await?;
    }
    Ok(Tagged(fetch(&mut work, &who, id, now).await?))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CommentInput {
    text: String,
}

/// Comments on an alarm.
#[utoipa::path(post, path = "/alarms/{id}/actions/comment", tag = "alarms", params(("id" = Uuid, Path)), request_body = CommentInput,
    responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn comment(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(input): Json<CommentInput>,
) -> Result<StatusCode, Problem> {
    if input.text.trim().is_empty() || input.text.len() > 10_000 {
        return Err(Problem::field("/text", "length", "a comment has 1 to 10000 characters"));
    }
    let who = work.who.clone();
    fetch(&mut work, &who, id, service.now()).await?;
    say(&mut work, id, &input.text, service.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShelveInput {
    /// At most seven days ahead; then it comes back by itself.
    until: DateTime<Utc>,
    reason: String,
}

/// Shelves an alarm: it stays out of the list until a time. A critical one needs full access.
#[utoipa::path(post, path = "/alarms/{id}/actions/shelve", tag = "alarms", params(("id" = Uuid, Path)), request_body = ShelveInput,
    responses((status = 200, body = AlarmView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
async fn shelve(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    seen: IfMatch,
    Json(input): Json<ShelveInput>,
) -> Result<Tagged<AlarmView>, Problem> {
    let (now, who) = (service.now(), work.who.clone());
    if input.reason.trim().is_empty() {
        return Err(Problem::field("/reason", "missing", "say why it is shelved"));
    }
    if input.until <= now || input.until > now + TimeDelta::days(SHELVE_DAYS_MAX) {
        return Err(Problem::field(
            "/until",
            "out_of_range",
            format!("an alarm is shelved until a time within the next {SHELVE_DAYS_MAX} days"),
        ));
    }
    let alarm = hold(&mut work, id, Some(seen), now).await?;
    if alarm.severity == "critical" && who.letter != Letter::Full {
        return Err(Problem::guard(
            "alarm.shelve",
            "severity",
            "A critical alarm is not shelved lightly",
            "Somebody with full access to shelving does it.",
        ));
    }
    let query = sqlx::query(include_str!("../../queries/alarm_shelve.sql"));
    query.bind(id).bind(input.until).bind(input.reason).bind(&who.name).bind(now).execute(&mut *work).await?;
    Ok(Tagged(fetch(&mut work, &who, id, now).await?))
}

/// Takes an alarm off the shelf.
#[utoipa::path(post, path = "/alarms/{id}/actions/unshelve", tag = "alarms", params(("id" = Uuid, Path)),
    responses((status = 200, body = AlarmView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
async fn unshelve(State(service): State<Shared>, mut work: Work, At(id): At<Uuid>, seen: IfMatch) -> Result<Tagged<AlarmView>, Problem> {
    let (now, who) = (service.now(), work.who.clone());
    let alarm = hold(&mut work, id, Some(seen), now).await?;
    if alarm.visibility != "shelved" {
        return Err(Problem::guard("alarm.unshelve", "shelved", "The alarm is not shelved", "Only a shelved alarm can be unshelved."));
    }
    let nothing = (None::<DateTime<Utc>>, None::<String>, None::<String>);
    let query = sqlx::query(include_str!("../../queries/alarm_shelve.sql"));
    query.bind(id).bind(nothing.0).bind(nothing.1).bind(nothing.2).bind(now).execute(&mut *work).await?;
    Ok(Tagged(fetch(&mut work, &who, id, now).await?))
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct RaiseInput {
    /// Default: rule and point.
    title: Option<String>,
    description: Option<String>,
    /// Default: `corrective`.
    order_type: Option<String>,
    /// Default: as severe as the alarm.
    priority: Option<String>,
}

/// Makes a draft order of an alarm; its onset is the alarm's. An alarm has one open order at most.
#[utoipa::path(post, path = "/alarms/{id}/actions/create-work-order", tag = "alarms", params(("id" = Uuid, Path)), request_body = RaiseInput,
    responses((status = 201, body = OrderView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create_work_order(
    State(service): State<Shared>,
    mut work: Work,
    At(id): At<Uuid>,
    Json(said): Json<RaiseInput>,
) -> Result<Created<OrderView>, Problem> {
    let (now, who) = (service.now(), work.who.clone());
    let alarm = hold(&mut work, id, None, now).await?;
    let rule = alarm.rule_name.clone().unwrap_or_else(|| alarm.rule_id.to_string());
    let because = format!(
        "Because rule \"{rule}\" (version {}) raised an alarm on {}: the condition holds since {}.",
        alarm.rule_version,
        alarm.point_key,
        alarm.onset.to_rfc3339()
    );
    let input = OrderInput {
        order_type: said.order_type.unwrap_or_else(|| OrderType::Corrective.name().into()),
        title: said.title.unwrap_or_else(|| format!("{rule}: {}", alarm.point_key)),
        description: said.description.map_or_else(|| because.clone(), |text| format!("{text}\n\n{because}")),
        site_id: alarm.site_id,
        position_id: alarm.position_id,
        location: if alarm.position_id.is_some() { String::new() } else { alarm.point_key.clone() },
        priority: Some(said.priority.unwrap_or_else(|| priority_of(&alarm.severity).name().into())),
        onset: Some(alarm.onset),
        estimate_cost: None,
        requires_outage: false,
        signature_required: false,
        required_skills: vec![],
        required_permits: vec![],
        due_at: None,
    };
    input.check()?;
    let said = json!({ "because": because, "rule": alarm.rule_id, "rule_name": alarm.rule_name, "rule_version": alarm.rule_version, "point_key": alarm.point_key });
    let cause = Cause { source: "alarm", id, command: None, because: Some(said) };
    let row = orders::create(&mut work, who.tenant, &input, Some(&cause), &By::person(&who), now).await?;
    let row = row.ok_or_else(|| {
        let number = alarm.order_number.unwrap_or_default();
        Problem::guard(
            "alarm.order",
            "no_open_order",
            "The alarm has an open order",
            format!("{number} is open for it; close or cancel that first"),
        )
    })?;
    Ok(Created { location: format!("/api/v1/work-orders/{}", row.id), row })
}

fn priority_of(severity: &str) -> Priority {
    match severity {
        "critical" => Priority::Emergency,
        "high" => Priority::High,
        "medium" => Priority::Medium,
        _ => Priority::Low,
    }
}
