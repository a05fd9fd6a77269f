//! What happened at the places of a plan, gathered in three statements however many places there are.

use crate::problem::Problem;
use chrono::{DateTime, Utc};
use dcmms_schemas::plan::due::{Meter, Past};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct PastRow {
    position: Uuid,
    last_due: Option<DateTime<Utc>>,
    last_done: Option<DateTime<Utc>>,
    last_meter: Option<Decimal>,
    open: bool,
}

#[derive(sqlx::FromRow)]
struct MeterRow {
    position: Uuid,
    register_type: String,
    total: Decimal,
    at: DateTime<Utc>,
    per_day: Option<Decimal>,
}

/// The past of each position.
pub(super) async fn of(
    connection: &mut PgConnection,
    tenant: Uuid,
    plan: Uuid,
    positions: &[Uuid],
) -> Result<HashMap<Uuid, Past>, Problem> {
    let rows = sqlx::query_as::<_, PastRow>(include_str!("../../queries/plan_past.sql")).bind(plan).bind(positions);
    let mut pasts: HashMap<Uuid, Past> = HashMap::with_capacity(positions.len());
    for row in rows.fetch_all(&mut *connection).await? {
        let PastRow { last_due, last_done, last_meter, open, position } = row;
        pasts.insert(position, Past { last_due, last_done, last_meter, open, ..Past::default() });
    }
    let meters = sqlx::query_as::<_, MeterRow>(include_str!("../../queries/plan_meters.sql")).bind(tenant).bind(positions);
    for row in meters.fetch_all(&mut *connection).await? {
        if let Some(past) = pasts.get_mut(&row.position) {
            past.meters.insert(row.register_type, Meter { total: row.total, at: row.at, per_day: row.per_day });
        }
    }
    let alarms =
        sqlx::query_as::<_, (Uuid, Uuid, DateTime<Utc>)>(include_str!("../../queries/plan_alarms.sql")).bind(tenant).bind(positions);
    for (position, rule, onset) in alarms.fetch_all(connection).await? {
        if let Some(past) = pasts.get_mut(&position) {
            past.alarms.insert(rule, onset);
        }
    }
    Ok(pasts)
}
