//! The working life of the demo plant: crew, calendars, policies and a year of orders, written at once with the events
//! that the engine needs. What is written here is what the API itself would have written over that year.

use crate::{outbox, problem::Problem};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use dcmms_schemas::{
    calendar::Calendar,
    domain::{Event, Row},
    id::{OrderId, PositionId, SiteId},
    order::{Hold, OrderFacts},
    sla::Policy,
    time::Moment,
};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;
use uuid::Uuid;

/// Everything that people do in the demo.
#[derive(Clone, Debug, Default)]
pub struct Demo {
    pub technicians: Vec<Technician>,
    pub calendars: Vec<Calendar>,
    pub policies: Vec<Policy>,
    pub orders: Vec<Order>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Technician {
    pub id: Uuid,
    pub name: String,
    pub phone: String,
    pub discipline: String,
    #[serde(skip)]
    pub skills: Vec<Skill>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Skill {
    pub skill: String,
    pub issuer: String,
    pub valid_from: NaiveDate,
    pub valid_to: NaiveDate,
}

/// A work order with all that happened to it.
#[derive(Clone, Debug, Serialize)]
pub struct Order {
    pub id: Uuid,
    /// Given when it is stored: `WO-2026-000017` by creation.
    #[serde(skip)]
    pub site: String,
    #[serde(skip)]
    pub position: Option<String>,
    pub order_type: String,
    pub title: String,
    pub description: String,
    pub priority: String,
    pub status: String,
    pub onset: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub estimate_cost: f64,
    pub planned_from: Option<DateTime<Utc>>,
    pub planned_to: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
    pub assignee_id: Option<Uuid>,
    pub started_at: Option<DateTime<Utc>>,
    pub resolved_at: Option<DateTime<Utc>>,
    pub completion_note: Option<String>,
    #[serde(skip)]
    pub moves: Vec<Move>,
    #[serde(skip)]
    pub hold: Option<HoldPlan>,
    #[serde(skip)]
    pub labour: Vec<Labour>,
    #[serde(skip)]
    pub failure: Option<Failure>,
}

/// One step of the order's machine.
#[derive(Clone, Debug, Serialize)]
pub struct Move {
    pub event: String,
    pub from_status: Option<String>,
    pub to_status: String,
    pub by_name: String,
    pub reason: Option<String>,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize)]
pub struct HoldPlan {
    pub from_at: DateTime<Utc>,
    pub to_at: Option<DateTime<Utc>>,
    pub reason: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Labour {
    pub technician_id: Uuid,
    pub person: String,
    pub activity: String,
    pub from_at: DateTime<Utc>,
    pub to_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    pub mode: String,
    pub mechanism: String,
    pub cause: String,
    pub detection: String,
    pub note: String,
    pub failed_at: DateTime<Utc>,
    pub detected_at: DateTime<Utc>,
    pub restored_at: Option<DateTime<Utc>>,
    pub reported_by: String,
}

/// When the demo's first site was set up, which anchors its whole past; `None` when there is no demo plant.
pub async fn anchor(pool: &PgPool, site: &str) -> Result<Option<DateTime<Utc>>, Problem> {
    Ok(sqlx::query_scalar(include_str!("../queries/demo_anchor.sql")).bind(site).fetch_optional(pool).await?)
}

/// Codes and ids of all sites.
pub async fn sites(connection: &mut PgConnection) -> Result<Vec<(String, SiteId)>, Problem> {
    let rows = sqlx::query_as::<_, (String, Uuid)>(include_str!("../queries/setup_sites.sql")).fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(code, id)| (code, SiteId(id))).collect())
}

/// Writes all of it. Answers the outbox row after which the engine knows it.
pub async fn store(connection: &mut PgConnection, demo: &Demo) -> Result<i64, Problem> {
    let places = Places::read(connection).await?;
    people(connection, &demo.technicians).await?;
    let mut events = rules_of_work(connection, demo).await?;
    events.extend(orders(connection, &demo.orders, &places).await?);
    outbox::record_all(connection, &events).await
}

/// Ids of sites and positions by their codes.
struct Places {
    sites: HashMap<String, SiteId>,
    positions: HashMap<(SiteId, String), PositionId>,
}

impl Places {
    async fn read(connection: &mut PgConnection) -> Result<Places, Problem> {
        let sites = sites(&mut *connection).await?;
        let positions = sqlx::query_as::<_, (Uuid, String, Uuid)>(include_str!("../queries/setup_positions_known.sql"));
        let positions = positions.fetch_all(connection).await?;
        Ok(Places {
            sites: sites.into_iter().collect(),
            positions: positions.into_iter().map(|(site, code, id)| ((SiteId(site), code), PositionId(id))).collect(),
        })
    }

    fn of(&self, order: &Order) -> Result<(SiteId, Option<PositionId>), Problem> {
        let missing = || Problem::conflict("no_place", format!("order {:?} names a place that does not exist", order.title));
        let site = *self.sites.get(&order.site).ok_or_else(missing)?;
        let position = match &order.position {
            Some(code) => Some(*self.positions.get(&(site, code.clone())).ok_or_else(missing)?),
            None => None,
        };
        Ok((site, position))
    }
}

async fn people(connection: &mut PgConnection, technicians: &[Technician]) -> Result<(), Problem> {
    let mut skills = Vec::new();
    for technician in technicians {
        skills.extend(technician.skills.iter().map(|skill| with(skill, json!({ "technician_id": technician.id }))));
    }
    sqlx::query(include_str!("../queries/demo_technicians.sql")).bind(json!(technicians)).execute(&mut *connection).await?;
    sqlx::query(include_str!("../queries/demo_skills.sql")).bind(Value::Array(skills)).execute(connection).await?;
    Ok(())
}

/// Calendars and policies.
async fn rules_of_work(connection: &mut PgConnection, demo: &Demo) -> Result<Vec<Event>, Problem> {
    let mut events = Vec::new();
    for calendar in &demo.calendars {
        sqlx::query(include_str!("../queries/demo_calendar.sql"))
            .bind(calendar.id.0)
            .bind(&calendar.name)
            .bind(calendar.zone.name())
            .bind(json!(calendar.openings))
            .bind(json!(calendar.holidays))
            .execute(&mut *connection)
            .await?;
        events.push(first(Row::Calendar(calendar.clone())));
    }
    for policy in &demo.policies {
        sqlx::query(include_str!("../queries/demo_policy.sql"))
            .bind(policy.id.0)
            .bind(&policy.name)
            .bind(policy.rank)
            .bind(policy.calendar.0)
            .bind(&policy.order_types)
            .bind(&policy.priorities)
            .bind(policy.sites.iter().map(|site| site.0).collect::<Vec<_>>())
            .bind(json!(policy.targets))
            .bind(policy.valid_from.utc())
            .execute(&mut *connection)
            .await?;
        events.push(first(Row::Policy(policy.clone())));
    }
    Ok(events)
}

fn first(row: Row) -> Event {
    Event { version: 1, at: Moment::from(Utc::now()), removed: false, row }
}

/// Orders with their moves, holds, labour and failure reports, numbered by creation.
async fn orders(connection: &mut PgConnection, orders: &[Order], places: &Places) -> Result<Vec<Event>, Problem> {
    let mut by_creation: Vec<&Order> = orders.iter().collect();
    by_creation.sort_by_key(|order| (order.created_at, order.id));
    let (mut events, mut last) = (Vec::new(), HashMap::<i32, i64>::new());
    let mut tables: [Vec<Value>; 5] = Default::default();
    for order in by_creation {
        let year = order.created_at.year();
        let nth = last.entry(year).or_default();
        *nth += 1;
        let number = format!("WO-{year}-{nth:06}");
        let (site, position) = places.of(order)?;
        let version = order.moves.len().max(1) as i64;
        let touched = order.moves.get(1).map(|step| step.at);
        let updated = order.moves.last().map_or(order.created_at, |step| step.at);
        tables[0].push(with(
            order,
            json!({ "number": number, "site_id": site, "position_id": position, "version": version, "touched_at": touched, "updated_at": updated }),
        ));
        let of = json!({ "order_id": order.id });
        tables[1].extend(order.moves.iter().zip(1..).map(|(step, nth)| with(step, json!({ "order_id": order.id, "version": nth }))));
        tables[2].extend(order.hold.iter().map(|hold| with(hold, of.clone())));
        tables[3].extend(order.labour.iter().map(|labour| with(labour, of.clone())));
        tables[4].extend(order.failure.iter().map(|failure| with(failure, of.clone())));
        let facts = facts(order, number, site, position);
        events.push(Event { version, at: Moment::from(updated), removed: false, row: Row::Order(facts) });
    }
    let [rows, moves, holds, labour, failures] = tables.map(Value::Array);
    sqlx::query(include_str!("../queries/demo_orders.sql")).bind(rows).execute(&mut *connection).await?;
    sqlx::query(include_str!("../queries/demo_moves.sql")).bind(moves).execute(&mut *connection).await?;
    sqlx::query(include_str!("../queries/demo_holds.sql")).bind(holds).execute(&mut *connection).await?;
    sqlx::query(include_str!("../queries/demo_labour.sql")).bind(labour).execute(&mut *connection).await?;
    sqlx::query(include_str!("../queries/demo_failures.sql")).bind(failures).execute(&mut *connection).await?;
    let (years, lasts): (Vec<i32>, Vec<i64>) = last.into_iter().unzip();
    sqlx::query(include_str!("../queries/demo_numbers.sql")).bind(years).bind(lasts).execute(connection).await?;
    Ok(events)
}

fn facts(order: &Order, number: String, site: SiteId, position: Option<PositionId>) -> OrderFacts {
    let hold = |hold: &HoldPlan| Hold { from: Moment::from(hold.from_at), to: hold.to_at.map(Moment::from), reason: hold.reason.clone() };
    OrderFacts {
        id: OrderId(order.id),
        number,
        site,
        position,
        order_type: order.order_type.clone(),
        priority: order.priority.clone(),
        status: order.status.clone(),
        onset: Moment::from(order.onset),
        started: order.started_at.map(Moment::from),
        resolved: order.resolved_at.map(Moment::from),
        cancelled: order.status == "cancelled",
        holds: order.hold.iter().map(hold).collect(),
    }
}

/// A row as JSON with more columns.
fn with(row: &impl Serialize, more: Value) -> Value {
    let mut row = serde_json::to_value(row).expect("a plain row serialises");
    if let (Value::Object(row), Value::Object(more)) = (&mut row, more) {
        row.extend(more);
    }
    row
}
