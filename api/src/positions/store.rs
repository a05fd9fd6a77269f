//! Positions in Postgres.

use super::{PositionInput, PositionView};
use crate::{check::Faults, outbox, problem::Problem};
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

/// Which positions a list is of.
pub(super) struct Wanted {
    pub(super) site: Option<Uuid>,
    pub(super) parent: Option<Uuid>,
    pub(super) classes: Option<Vec<String>>,
}

/// One page of rows and one more, if there is one.
pub(super) async fn list(
    pool: &PgPool,
    tenant: Uuid,
    wanted: Wanted,
    after: Option<(String, Uuid)>,
    limit: u16,
) -> Result<Vec<PositionView>, Problem> {
    let (after_code, after_id) = after.unzip();
    let rows = sqlx::query_as(include_str!("../../queries/positions_list.sql"))
        .bind(tenant)
        .bind(wanted.site)
        .bind(wanted.parent)
        .bind(wanted.classes)
        .bind(after_code)
        .bind(after_id)
        .bind(i64::from(limit) + 1);
    Ok(rows.fetch_all(pool).await?)
}

/// Reads a position, or says that there is none.
pub async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<PositionView, Problem> {
    let row = sqlx::query_as(include_str!("../../queries/position_read.sql")).bind(tenant).bind(id).fetch_optional(connection);
    row.await?.ok_or_else(|| Problem::not_found("position", id))
}

pub(super) async fn lock(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<PositionView, Problem> {
    let row = sqlx::query_as(include_str!("../../queries/position_lock.sql")).bind(tenant).bind(id).fetch_optional(connection);
    row.await?.ok_or_else(|| Problem::not_found("position", id))
}

#[derive(sqlx::FromRow)]
struct Around {
    site_exists: bool,
    class_exists: bool,
    /// `None` where no parent is named.
    parent_site: Option<Uuid>,
    /// The position itself is the parent or above it.
    circular: bool,
}

/// Looks at what a position names, under a lock on its site, so that two changes cannot make a ring between them.
async fn check(connection: &mut PgConnection, tenant: Uuid, id: Option<Uuid>, input: &PositionInput) -> Result<(), Problem> {
    input.check()?;
    let around = sqlx::query_as::<_, Around>(include_str!("../../queries/position_around.sql"))
        .bind(tenant)
        .bind(input.site)
        .bind(&input.class)
        .bind(input.parent)
        .bind(id)
        .fetch_one(connection)
        .await?;
    let mut faults = Faults::new();
    faults.when(!around.site_exists, "/site", "unknown", format!("site {} does not exist", input.site));
    faults.when(!around.class_exists, "/class", "unknown", format!("asset class {:?} does not exist", input.class));
    if let Some(parent) = input.parent {
        match around.parent_site {
            None => faults.add("/parent", "unknown", format!("position {parent} does not exist")),
            Some(site) => faults.when(site != input.site, "/parent", "other_site", "a parent is of the same site"),
        }
        faults.when(around.circular, "/parent", "cycle", "the parent is this position or below it");
    }
    faults.result()
}

/// Adds a position and tells the engine.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, input: PositionInput) -> Result<PositionView, Problem> {
    check(connection, tenant, None, &input).await?;
    let row = sqlx::query_as::<_, PositionView>(include_str!("../../queries/position_create.sql"))
        .bind(tenant)
        .bind(Json(&input))
        .fetch_optional(&mut *connection)
        .await?;
    let row = row.ok_or_else(|| Problem::conflict("code_taken", format!("the site already has a position {}", input.code)))?;
    outbox::record(connection, &row.event(false)).await?;
    Ok(row)
}

pub(super) async fn update(connection: &mut PgConnection, tenant: Uuid, id: Uuid, input: PositionInput) -> Result<PositionView, Problem> {
    check(connection, tenant, Some(id), &input).await?;
    let row = sqlx::query_as::<_, PositionView>(include_str!("../../queries/position_update.sql"))
        .bind(id)
        .bind(Json(&input))
        .fetch_one(&mut *connection)
        .await?;
    outbox::record(connection, &row.event(false)).await?;
    Ok(row)
}

pub(super) async fn archive(connection: &mut PgConnection, id: Uuid) -> Result<(), Problem> {
    let used = sqlx::query_scalar::<_, i64>(include_str!("../../queries/position_used.sql")).bind(id).fetch_one(&mut *connection).await?;
    if used > 0 {
        return Err(Problem::conflict("in_use", format!("{used} positions and points are below this one; archive them first")));
    }
    let row =
        sqlx::query_as::<_, PositionView>(include_str!("../../queries/position_archive.sql")).bind(id).fetch_one(&mut *connection).await?;
    outbox::record(connection, &row.event(true)).await?;
    Ok(())
}
