//! What each kind of command does to the domain.

use super::Outcome;
use crate::{
    orders::{self, ActionInput, By, Cause, OrderInput, OrderView, act, engine, lock, save, say},
    problem::Problem,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{command::Request, order::stage::Event, time::Moment};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

/// Carries a command out inside the transaction that notes its result.
pub(super) async fn out(
    connection: &mut PgConnection,
    command: Uuid,
    at: DateTime<Utc>,
    request: Request,
    now: DateTime<Utc>,
) -> Result<Outcome, Problem> {
    match request {
        Request::RaiseOrder { .. } => raise(connection, command, request, now).await,
        Request::ProposeOrder { .. } => propose(connection, command, request, now).await,
        Request::WithdrawAlarm { alarm, reason } => withdraw(connection, "alarm", alarm.0, &reason, now).await,
        Request::WithdrawPrediction { prediction, reason } => withdraw(connection, "prediction", prediction.0, &reason, now).await,
        Request::MoveAlarm { from, to, onset } => follow(connection, (from.0, to.0), onset, at, now).await,
    }
}

async fn tenant(connection: &mut PgConnection, site: Uuid) -> Result<Uuid, Problem> {
    let query = sqlx::query_scalar::<_, Uuid>(include_str!("../../queries/site_tenant.sql")).bind(site);
    query.fetch_optional(connection).await?.ok_or_else(|| Problem::not_found("site", site))
}

async fn open_of(connection: &mut PgConnection, source: &str, cause: Uuid) -> Result<Option<(Uuid, String)>, Problem> {
    let query = sqlx::query_as::<_, (Uuid, String)>(include_str!("../../queries/order_open_of_cause.sql"));
    Ok(query.bind(source).bind(cause).fetch_optional(connection).await?)
}

/// Makes an order and hands it in: approved where it needs no person's approval, else waiting for one.
async fn make(
    connection: &mut PgConnection,
    site: Uuid,
    input: &OrderInput,
    cause: &Cause,
    now: DateTime<Utc>,
) -> Result<Outcome, Problem> {
    input.check()?;
    let (tenant, by) = (tenant(connection, site).await?, By::engine());
    if let Some((id, number)) = open_of(connection, cause.source, cause.id).await? {
        return Ok(Outcome::NothingToDo { detail: format!("{number} is open for it already"), order: Some(id) });
    }
    let row = orders::create(connection, tenant, input, Some(cause), &by, now).await?;
    // Somebody made one by hand since we looked.
    let Some(row) = row else { return Err(Problem::conflict("exists", "an order for it was made at the same time")) };
    let row = act(connection, tenant, row, Event::Submit, (engine(), &by), &ActionInput::default(), now).await?;
    Ok(Outcome::Done { detail: format!("{} is {}", row.number, row.status), order: Some(row.id) })
}

async fn raise(connection: &mut PgConnection, command: Uuid, request: Request, now: DateTime<Utc>) -> Result<Outcome, Problem> {
    let Request::RaiseOrder { alarm, rule, rule_version, point, site, position, onset, template } = request else {
        return Err(Problem::internal());
    };
    let words = sqlx::query_as::<_, (Option<String>, Option<String>)>(include_str!("../../queries/alarm_words.sql"));
    let (rule_name, point_key) = words.bind(rule.0).bind(i64::from(point.0)).fetch_one(&mut *connection).await?;
    let (rule_name, point_key) = (rule_name.unwrap_or_else(|| rule.to_string()), point_key.unwrap_or_else(|| format!("point {point}")));
    let because =
        format!("Because rule \"{rule_name}\" (version {rule_version}) raised an alarm on {point_key}: the condition holds since {onset}.");
    let input = OrderInput {
        order_type: template.order_type,
        title: template.title,
        description: if template.description.trim().is_empty() {
            because.clone()
        } else {
            format!("{}\n\n{because}", template.description)
        },
        site_id: site.0,
        position_id: position.map(|position| position.0),
        location: if position.is_some() { String::new() } else { point_key.clone() },
        priority: Some(template.priority),
        onset: Some(onset.utc()),
        ..blank(site.0)
    };
    let said = json!({ "because": because, "rule": rule, "rule_name": rule_name, "rule_version": rule_version, "point": point, "point_key": point_key });
    make(connection, site.0, &input, &Cause { source: "alarm", id: alarm.0, command: Some(command), because: Some(said) }, now).await
}

#[derive(sqlx::FromRow)]
struct PredictionWords {
    contributions: Value,
    model: Uuid,
    version: i64,
    model_name: Option<String>,
}

async fn propose(connection: &mut PgConnection, command: Uuid, request: Request, now: DateTime<Utc>) -> Result<Outcome, Problem> {
    let Request::ProposeOrder { prediction, site, position, onset, probability, because, title } = request else {
        return Err(Problem::internal());
    };
    let open = sqlx::query_as::<_, (Uuid, String)>(include_str!("../../queries/order_open_predictive.sql")).bind(position.0);
    if let Some((id, number)) = open.fetch_optional(&mut *connection).await? {
        let text = format!("Predicted again, probability {probability:.2}: {because}");
        say(connection, id, "comment", &text, &By::engine(), now).await?;
        return Ok(Outcome::NothingToDo { detail: format!("{number} is open for this position already"), order: Some(id) });
    }
    let words = sqlx::query_as::<_, PredictionWords>(include_str!("../../queries/prediction_words.sql")).bind(prediction.0);
    let words = words.fetch_optional(&mut *connection).await?;
    let mut said = json!({ "because": because, "probability": probability });
    if let (Some(words), Value::Object(said)) = (words, &mut said) {
        said.insert("contributions".into(), words.contributions);
        said.insert("model".into(), json!(words.model));
        said.insert("model_version".into(), json!(words.version));
        said.insert("model_name".into(), json!(words.model_name));
    }
    let input = OrderInput {
        order_type: "predictive".into(),
        title,
        description: format!("Proposed because a failure is likely (probability {probability:.2}) since {onset}.\n\n{because}"),
        position_id: Some(position.0),
        priority: Some("medium".into()),
        onset: Some(onset.utc()),
        ..blank(site.0)
    };
    make(connection, site.0, &input, &Cause { source: "prediction", id: prediction.0, command: Some(command), because: Some(said) }, now)
        .await
}

/// An order of which nothing is said yet.
fn blank(site: Uuid) -> OrderInput {
    OrderInput {
        order_type: String::new(),
        title: String::new(),
        description: String::new(),
        site_id: site,
        position_id: None,
        location: String::new(),
        priority: None,
        onset: None,
        estimate_cost: None,
        requires_outage: false,
        signature_required: false,
        required_skills: vec![],
        required_permits: vec![],
        due_at: None,
    }
}

/// The orders that a cause led to, held.
async fn orders_of(connection: &mut PgConnection, source: &str, cause: Uuid) -> Result<Vec<(Uuid, OrderView)>, Problem> {
    let ids = sqlx::query_as::<_, (Uuid, Uuid)>(include_str!("../../queries/orders_of_cause.sql"));
    let ids = ids.bind(source).bind(cause).fetch_all(&mut *connection).await?;
    let mut rows = Vec::with_capacity(ids.len());
    for (tenant, id) in ids {
        rows.push((tenant, lock(connection, tenant, id, None).await?));
    }
    Ok(rows)
}

/// Takes back what the cause led to: an order nobody has touched is cancelled, on any other people are told.
async fn withdraw(connection: &mut PgConnection, source: &str, cause: Uuid, reason: &str, now: DateTime<Utc>) -> Result<Outcome, Problem> {
    let (mut said, mut first) = (Vec::new(), None);
    for (tenant, row) in orders_of(connection, source, cause).await? {
        first.get_or_insert(row.id);
        if row.touched_at.is_none() && row.stage()?.is_before_scheduling() {
            let input = ActionInput { reason: Some(format!("its {source} was withdrawn: {reason}")), ..ActionInput::default() };
            let row = act(connection, tenant, row, Event::Cancel, (engine(), &By::engine()), &input, now).await?;
            said.push(format!("{} is cancelled", row.number));
        } else {
            let alarm = (source == "alarm").then_some(cause);
            correct(connection, tenant, &row, alarm, &format!("The {source} that led to this order was withdrawn: {reason}"), now).await?;
            said.push(format!("{} got a correction notice", row.number));
        }
    }
    Ok(match said.is_empty() {
        true => Outcome::NothingToDo { detail: format!("no order came of this {source}"), order: None },
        false => Outcome::Done { detail: said.join(", "), order: first },
    })
}

/// Tells people on the order, and among the notices, that what they go by was corrected.
async fn correct(
    connection: &mut PgConnection,
    tenant: Uuid,
    row: &OrderView,
    alarm: Option<Uuid>,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    say(connection, row.id, "correction", text, &By::engine(), now).await?;
    let notice = sqlx::query(include_str!("../../queries/notice_create.sql"));
    notice
        .bind(tenant)
        .bind(row.id)
        .bind(alarm)
        .bind("correction")
        .bind(format!("{}: {text}", row.number))
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// The alarm has a new id: acknowledgement, comments and orders follow it.
async fn follow(
    connection: &mut PgConnection,
    (from, to): (Uuid, Uuid),
    onset: Moment,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Outcome, Problem> {
    let handling = sqlx::query(include_str!("../../queries/alarm_handling_move.sql"));
    handling.bind(from).bind(to).bind(now).execute(&mut *connection).await?;
    sqlx::query(include_str!("../../queries/alarm_comments_move.sql")).bind(from).bind(to).execute(&mut *connection).await?;
    let taken = open_of(connection, "alarm", to).await?;
    let (mut said, mut first) = (Vec::new(), None);
    for (tenant, mut row) in orders_of(connection, "alarm", from).await? {
        first.get_or_insert(row.id);
        if let (Some((_, number)), false) = (&taken, row.stage()?.is_final()) {
            let text = format!("Late data moved the alarm to {onset}, and {number} is open for it there.");
            correct(connection, tenant, &row, Some(to), &text, now).await?;
            continue;
        }
        let before = row.onset;
        (row.source_id, row.onset) = (Some(to), onset.utc());
        save(connection, &mut row, now).await?;
        let detail = json!({ "alarm_from": from, "alarm_to": to, "onset_from": before, "onset_to": row.onset, "asked_at": at });
        let status = row.status.clone();
        orders::note(connection, &row, "move", Some(&status), &By::engine(), Some("late data moved the alarm's onset"), &detail, now)
            .await?;
        said.push(format!("{} follows", row.number));
    }
    Ok(Outcome::Done { detail: if said.is_empty() { "handling and comments follow".into() } else { said.join(", ") }, order: first })
}
