//! The one place where stock moves: a line of the ledger and the level it leads to, in one transaction.
//!
//! Levels are locked in the order in which they are entered; whoever enters several sorts them by part, so that none waits for one
//! that waits for it.

use crate::problem::Problem;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use sqlx::PgConnection;
use uuid::Uuid;

/// One move of a part in or out of a store.
#[derive(Clone, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) kind: &'a str,
    pub(crate) part: Uuid,
    pub(crate) store: Uuid,
    /// What comes; below 0 what goes.
    pub(crate) quantity: Decimal,
    /// What is promised from now on, or no longer.
    pub(crate) reserved: Decimal,
    pub(crate) unit_cost: Option<Decimal>,
    pub(crate) work_order: Option<Uuid>,
    pub(crate) reservation: Option<Uuid>,
    pub(crate) cycle_count: Option<Uuid>,
    pub(crate) lot: Option<&'a str>,
    pub(crate) serial: Option<&'a str>,
    pub(crate) note: &'a str,
}

impl<'a> Entry<'a> {
    pub(crate) fn of(kind: &'a str, part: Uuid, store: Uuid, quantity: Decimal) -> Entry<'a> {
        Entry {
            kind,
            part,
            store,
            quantity,
            reserved: Decimal::ZERO,
            unit_cost: None,
            work_order: None,
            reservation: None,
            cycle_count: None,
            lot: None,
            serial: None,
            note: "",
        }
    }
}

/// Enters a move: what is received changes the part's average cost, whatever goes is valued by it. Answers the move's id.
pub(crate) async fn enter(
    connection: &mut PgConnection,
    tenant: Uuid,
    entry: &Entry<'_>,
    by_name: &str,
    now: DateTime<Utc>,
) -> Result<Uuid, Problem> {
    if let ("receipt", Some(cost)) = (entry.kind, entry.unit_cost) {
        let average = sqlx::query(include_str!("../../queries/part_average.sql")).bind(entry.part).bind(entry.quantity).bind(cost);
        average.bind(now).execute(&mut *connection).await?;
    }
    shift(connection, tenant, entry.part, entry.store, entry.quantity, entry.reserved).await?;
    let row = sqlx::query_scalar::<_, Uuid>(include_str!("../../queries/stock_move_create.sql"))
        .bind(tenant)
        .bind(entry.kind)
        .bind(entry.part)
        .bind(entry.store)
        .bind(entry.quantity)
        .bind(entry.unit_cost)
        .bind(entry.work_order)
        .bind(entry.reservation)
        .bind(entry.cycle_count)
        .bind(entry.lot)
        .bind(entry.serial)
        .bind(entry.note)
        .bind(by_name)
        .bind(now);
    Ok(row.fetch_one(connection).await?)
}

/// Changes a level; less than nothing, or less than is promised, is refused by the table itself.
pub(super) async fn shift(
    connection: &mut PgConnection,
    tenant: Uuid,
    part: Uuid,
    store: Uuid,
    on_hand: Decimal,
    reserved: Decimal,
) -> Result<(), Problem> {
    let open = sqlx::query(include_str!("../../queries/stock_level_open.sql")).bind(tenant).bind(part).bind(store);
    open.execute(&mut *connection).await.map_err(unknown)?;
    let shifted = sqlx::query(include_str!("../../queries/stock_level_shift.sql")).bind(part).bind(store).bind(on_hand).bind(reserved);
    shifted.execute(connection).await.map_err(short)?;
    Ok(())
}

fn unknown(error: sqlx::Error) -> Problem {
    match &error {
        sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => {
            let field = if cause.constraint().is_some_and(|name| name.contains("store")) { "/store" } else { "/part" };
            Problem::field(field, "unknown", format!("there is no such {}", &field[1..]))
        }
        _ => error.into(),
    }
}

fn short(error: sqlx::Error) -> Problem {
    match &error {
        sqlx::Error::Database(cause) if cause.is_check_violation() => shortage("there is not as much, or it is promised to orders"),
        _ => error.into(),
    }
}

/// 409: not that much is there.
pub(super) fn shortage(detail: impl Into<String>) -> Problem {
    let mut problem = Problem::new(StatusCode::CONFLICT, "insufficient-stock", "stock.available", "Not that much is available");
    problem.guard = Some("available".into());
    problem.detail(detail)
}
