//! Calendars in Postgres.

use super::{CalendarInput, CalendarView, view::HolidayInput};
use crate::{outbox, problem::Problem};
use chrono::{DateTime, Utc};
use dcmms_schemas::calendar::Opening;
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    name: String,
    zone: String,
    openings: Json<Vec<Opening>>,
    holidays: Json<Vec<HolidayInput>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Row> for CalendarView {
    fn from(row: Row) -> CalendarView {
        let calendar = CalendarInput { name: row.name, zone: row.zone, openings: row.openings.0, holidays: row.holidays.0 };
        CalendarView { id: row.id, calendar, version: row.version, created_at: row.created_at, updated_at: row.updated_at }
    }
}

/// One page of rows and one more, if there is one.
pub(super) async fn list(pool: &PgPool, tenant: Uuid, after: Option<String>, limit: u16) -> Result<Vec<CalendarView>, Problem> {
    let rows: Vec<Row> = sqlx::query_as(include_str!("../../queries/calendars_list.sql"))
        .bind(tenant)
        .bind(after)
        .bind(i64::from(limit) + 1)
        .fetch_all(pool)
        .await?;
    Ok(rows.into_iter().map(CalendarView::from).collect())
}

/// Reads a calendar, or says that there is none.
pub async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<CalendarView, Problem> {
    let row: Option<Row> =
        sqlx::query_as(include_str!("../../queries/calendar_read.sql")).bind(tenant).bind(id).fetch_optional(connection).await?;
    row.map(CalendarView::from).ok_or_else(|| Problem::not_found("calendar", id))
}

pub(super) async fn lock(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<CalendarView, Problem> {
    sqlx::query(include_str!("../../queries/calendar_lock.sql")).bind(tenant).bind(id).execute(&mut *connection).await?;
    fetch(connection, tenant, id).await
}

/// Adds a calendar and tells the engine.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, input: CalendarInput) -> Result<CalendarView, Problem> {
    input.check()?;
    let id = sqlx::query_scalar::<_, Uuid>(include_str!("../../queries/calendar_create.sql"))
        .bind(tenant)
        .bind(input.name.trim())
        .bind(&input.zone)
        .bind(Json(&input.openings))
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| Problem::conflict("name_taken", format!("there is already a calendar {:?}", input.name.trim())))?;
    told(connection, tenant, id, &input.holidays).await
}

pub(super) async fn update(connection: &mut PgConnection, tenant: Uuid, id: Uuid, input: CalendarInput) -> Result<CalendarView, Problem> {
    input.check()?;
    sqlx::query(include_str!("../../queries/calendar_update.sql"))
        .bind(id)
        .bind(input.name.trim())
        .bind(&input.zone)
        .bind(Json(&input.openings))
        .execute(&mut *connection)
        .await?;
    told(connection, tenant, id, &input.holidays).await
}

/// Writes the holidays and tells the engine of the whole.
async fn told(connection: &mut PgConnection, tenant: Uuid, id: Uuid, holidays: &[HolidayInput]) -> Result<CalendarView, Problem> {
    let (dates, names): (Vec<_>, Vec<_>) = holidays.iter().map(|holiday| (holiday.date, holiday.name.clone())).unzip();
    sqlx::query(include_str!("../../queries/holidays_clear.sql")).bind(id).execute(&mut *connection).await?;
    sqlx::query(include_str!("../../queries/holidays_write.sql")).bind(id).bind(dates).bind(names).execute(&mut *connection).await?;
    let calendar = fetch(connection, tenant, id).await?;
    outbox::record(connection, &calendar.event(false)).await?;
    Ok(calendar)
}

pub(super) async fn archive(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<(), Problem> {
    let used = sqlx::query_scalar::<_, i64>(include_str!("../../queries/calendar_used.sql")).bind(id).fetch_one(&mut *connection).await?;
    if used > 0 {
        return Err(Problem::conflict("in_use", format!("{used} SLA policies use this calendar")));
    }
    let mut last = fetch(connection, tenant, id).await?;
    last.version = sqlx::query_scalar(include_str!("../../queries/calendar_archive.sql")).bind(id).fetch_one(&mut *connection).await?;
    outbox::record(connection, &last.event(true)).await?;
    Ok(())
}
