//! Sites in Postgres.

use super::{SiteInput, SiteView};
use crate::{outbox, problem::Problem, resource::Asked};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// One page of rows and one more, if there is one.
pub(super) async fn list(pool: &PgPool, tenant: Uuid, asked: &Asked) -> Result<Vec<SiteView>, Problem> {
    let (after_key, after_id) = asked.after_text().unzip();
    let rows = sqlx::query_as(include_str!("../../queries/sites_list.sql"))
        .bind(tenant)
        .bind(asked.texts("code"))
        .bind(asked.texts("kind"))
        .bind(asked.sort.name)
        .bind(asked.down)
        .bind(after_key)
        .bind(after_id)
        .bind(asked.rows_max());
    Ok(rows.fetch_all(pool).await?)
}

/// Reads a site, or says that there is none.
pub async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<SiteView, Problem> {
    let row = sqlx::query_as(include_str!("../../queries/site_read.sql")).bind(tenant).bind(id).fetch_optional(connection);
    row.await?.ok_or_else(|| Problem::not_found("site", id))
}

pub(super) async fn lock(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<SiteView, Problem> {
    let row = sqlx::query_as(include_str!("../../queries/site_lock.sql")).bind(tenant).bind(id).fetch_optional(connection);
    row.await?.ok_or_else(|| Problem::not_found("site", id))
}

/// Adds a site and tells the engine.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, input: SiteInput) -> Result<SiteView, Problem> {
    input.check()?;
    let row = sqlx::query_as::<_, SiteView>(include_str!("../../queries/site_create.sql"))
        .bind(tenant)
        .bind(&input.code)
        .bind(&input.name)
        .bind(&input.kind)
        .bind(&input.zone)
        .bind(input.latitude)
        .bind(input.longitude)
        .bind(input.ac_kw)
        .bind(input.dc_kwp)
        .bind(input.poa_threshold)
        .fetch_optional(&mut *connection)
        .await?;
    let row = row.ok_or_else(|| Problem::conflict("code_taken", format!("there is already a site {}", input.code)))?;
    outbox::record(connection, &row.event(false)).await?;
    Ok(row)
}

pub(super) async fn update(connection: &mut PgConnection, id: Uuid, input: SiteInput) -> Result<SiteView, Problem> {
    input.check()?;
    let row = sqlx::query_as::<_, SiteView>(include_str!("../../queries/site_update.sql"))
        .bind(id)
        .bind(&input.code)
        .bind(&input.name)
        .bind(&input.kind)
        .bind(&input.zone)
        .bind(input.latitude)
        .bind(input.longitude)
        .bind(input.ac_kw)
        .bind(input.dc_kwp)
        .bind(input.poa_threshold)
        .fetch_one(&mut *connection)
        .await?;
    outbox::record(connection, &row.event(false)).await?;
    Ok(row)
}

pub(super) async fn archive(connection: &mut PgConnection, id: Uuid) -> Result<(), Problem> {
    let used = sqlx::query_scalar::<_, i64>(include_str!("../../queries/site_used.sql")).bind(id).fetch_one(&mut *connection).await?;
    if used > 0 {
        return Err(Problem::conflict("in_use", format!("{used} positions and points are at this site; archive them first")));
    }
    let row = sqlx::query_as::<_, SiteView>(include_str!("../../queries/site_archive.sql")).bind(id).fetch_one(&mut *connection).await?;
    outbox::record(connection, &row.event(true)).await?;
    Ok(())
}
