//! Points in Postgres.

use super::{PointInput, PointView};
use crate::{check::Faults, outbox, problem::Problem};
use sqlx::{PgConnection, PgPool, types::Json};
use std::collections::HashSet;
use uuid::Uuid;

/// Which points a list is of.
pub(super) struct Wanted {
    pub(super) site: Option<Uuid>,
    pub(super) position: Option<Uuid>,
    pub(super) kinds: Option<Vec<String>>,
    pub(super) keys: Option<Vec<String>>,
}

/// One page of rows and one more, if there is one.
pub(super) async fn list(
    pool: &PgPool,
    tenant: Uuid,
    wanted: Wanted,
    after: Option<String>,
    limit: u16,
) -> Result<Vec<PointView>, Problem> {
    let rows = sqlx::query_as(include_str!("../../queries/points_list.sql"))
        .bind(tenant)
        .bind(wanted.site)
        .bind(wanted.position)
        .bind(wanted.kinds)
        .bind(wanted.keys)
        .bind(after)
        .bind(i64::from(limit) + 1);
    Ok(rows.fetch_all(pool).await?)
}

/// Reads a point, or says that there is none.
pub async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<PointView, Problem> {
    let row = sqlx::query_as(include_str!("../../queries/point_read.sql")).bind(tenant).bind(id).fetch_optional(connection);
    row.await?.ok_or_else(|| Problem::not_found("point", id))
}

pub(super) async fn lock(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<PointView, Problem> {
    let row = sqlx::query_as(include_str!("../../queries/point_lock.sql")).bind(tenant).bind(id).fetch_optional(connection);
    row.await?.ok_or_else(|| Problem::not_found("point", id))
}

#[derive(sqlx::FromRow)]
struct Around {
    site_exists: bool,
    position_fits: bool,
    key_taken: bool,
}

/// Looks at each point and at what it names; pointers are below `below(index)`.
async fn check(
    connection: &mut PgConnection,
    tenant: Uuid,
    own: Option<Uuid>,
    inputs: &[PointInput],
    below: impl Fn(usize) -> String,
) -> Result<(), Problem> {
    let around = sqlx::query_as::<_, Around>(include_str!("../../queries/points_around.sql"))
        .bind(tenant)
        .bind(Json(inputs))
        .bind(own)
        .fetch_all(connection)
        .await?;
    let (mut faults, mut keys) = (Faults::new(), HashSet::new());
    for (index, (input, around)) in inputs.iter().zip(&around).enumerate() {
        faults.below(below(index));
        input.check(&mut faults);
        faults.when(!around.site_exists, "/site", "unknown", format!("site {} does not exist", input.site));
        faults.when(!around.position_fits, "/position", "unknown", "there is no such position at the site");
        faults.when(around.key_taken, "/key", "taken", format!("there is already a point {}", input.key));
        faults.when(!keys.insert(&input.key), "/key", "repeated", format!("{} is named twice", input.key));
    }
    faults.result()
}

/// Adds points, all or none, and tells the engine. Answers in the order given.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, inputs: Vec<PointInput>) -> Result<Vec<PointView>, Problem> {
    let below = |index| if inputs.len() == 1 { String::new() } else { format!("/points/{index}") };
    check(connection, tenant, None, &inputs, below).await?;
    let inputs: Vec<PointInput> = inputs.into_iter().map(PointInput::complete).collect();
    let rows = sqlx::query_as::<_, PointView>(include_str!("../../queries/points_create.sql"))
        .bind(tenant)
        .bind(Json(&inputs))
        .fetch_all(&mut *connection)
        .await?;
    let events: Vec<_> = rows.iter().map(|row| row.event(false)).collect();
    outbox::record_all(connection, &events).await?;
    Ok(rows)
}

pub(super) async fn update(connection: &mut PgConnection, tenant: Uuid, id: Uuid, input: PointInput) -> Result<PointView, Problem> {
    check(connection, tenant, Some(id), std::slice::from_ref(&input), |_| String::new()).await?;
    let row = sqlx::query_as::<_, PointView>(include_str!("../../queries/point_update.sql"))
        .bind(id)
        .bind(Json(input.complete()))
        .fetch_one(&mut *connection)
        .await?;
    outbox::record(connection, &row.event(false)).await?;
    Ok(row)
}

pub(super) async fn archive(connection: &mut PgConnection, id: Uuid) -> Result<(), Problem> {
    let row = sqlx::query_as::<_, PointView>(include_str!("../../queries/point_archive.sql")).bind(id).fetch_one(&mut *connection).await?;
    outbox::record(connection, &row.event(true)).await?;
    Ok(())
}
