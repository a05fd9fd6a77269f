//! Rules in Postgres.

use super::{RuleInput, RuleVersionInput, RuleView, check, view::ScopeInput};
use crate::{check::Faults, extract::IfMatch, outbox, points::kinds, problem::Problem, work::Work};
use chrono::{DateTime, Utc};
use dcmms_schemas::rule::{Condition, OrderTemplate, Severity};
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

/// One page of rows and one more, if there is one.
pub(super) async fn list(
    pool: &PgPool,
    tenant: Uuid,
    site: Option<Uuid>,
    after: Option<String>,
    limit: u16,
) -> Result<Vec<RuleView>, Problem> {
    let rows = sqlx::query_as(include_str!("../../queries/rules_list.sql")).bind(tenant).bind(site).bind(after).bind(i64::from(limit) + 1);
    Ok(rows.fetch_all(pool).await?)
}

/// Reads a rule, or says that there is none.
pub async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<RuleView, Problem> {
    let row = sqlx::query_as(include_str!("../../queries/rule_read.sql")).bind(tenant).bind(id).fetch_optional(connection);
    row.await?.ok_or_else(|| Problem::not_found("rule", id))
}

async fn lock(connection: &mut PgConnection, tenant: Uuid, id: Uuid, seen: IfMatch) -> Result<RuleView, Problem> {
    sqlx::query(include_str!("../../queries/rule_lock.sql")).bind(tenant).bind(id).execute(&mut *connection).await?;
    let rule = fetch(connection, tenant, id).await?;
    seen.check(rule.version)?;
    Ok(rule)
}

#[derive(sqlx::FromRow)]
struct Around {
    point_exists: bool,
    site_exists: bool,
    class_exists: bool,
    kind_exists: bool,
}

/// What a scope names is there.
async fn look(connection: &mut PgConnection, tenant: Uuid, faults: &mut Faults, scope: &ScopeInput) -> Result<(), Problem> {
    check::scope(faults, scope);
    let around = sqlx::query_as::<_, Around>(include_str!("../../queries/rule_around.sql"))
        .bind(tenant)
        .bind(&scope.point)
        .bind(scope.site)
        .bind(&scope.class)
        .bind(&scope.kind)
        .fetch_one(connection)
        .await?;
    let known = around.kind_exists || scope.kind.as_deref().is_some_and(|kind| kinds::unit_of(kind).is_some());
    let missing = |what: &str, name: &dyn std::fmt::Debug| format!("{what} {name:?} does not exist");
    faults.when(!around.point_exists, "/scope/point", "unknown", missing("point", &scope.point.as_deref().unwrap_or_default()));
    faults.when(!around.site_exists, "/scope/site", "unknown", missing("site", &scope.site.unwrap_or_default()));
    faults.when(!around.class_exists, "/scope/class", "unknown", missing("asset class", &scope.class.as_deref().unwrap_or_default()));
    faults.when(scope.kind.is_some() && !known, "/scope/kind", "unknown", missing("quantity", &scope.kind.as_deref().unwrap_or_default()));
    Ok(())
}

/// Makes a rule with its first version and tells the engine.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, by: &str, input: RuleInput) -> Result<RuleView, Problem> {
    let mut faults = Faults::new();
    faults.name("/name", &input.name);
    if let Some(group) = &input.group {
        faults.code("/group", group, "-_.", 60);
    }
    look(connection, tenant, &mut faults, &input.scope).await?;
    let read = check::version(&mut faults, "/version", &input.version);
    faults.result()?;
    let (condition, order) = read.ok_or_else(Problem::internal)?;
    let id = sqlx::query_scalar::<_, Uuid>(include_str!("../../queries/rule_create.sql"))
        .bind(tenant)
        .bind(input.name.trim())
        .bind(&input.scope.point)
        .bind(input.scope.site)
        .bind(&input.scope.class)
        .bind(&input.scope.kind)
        .bind(input.group.as_deref().unwrap_or(condition.group()))
        .fetch_optional(&mut *connection)
        .await?
        .ok_or_else(|| Problem::conflict("name_taken", format!("there is already a rule {:?}", input.name.trim())))?;
    let said = Said {
        version: 1,
        valid_from: input.version.valid_from,
        enabled: input.version.enabled,
        severity: input.version.severity,
        condition,
        order,
    };
    write(connection, id, by, said).await?;
    told(connection, tenant, id).await
}

/// One version on its way into the database.
struct Said {
    version: i64,
    valid_from: Option<DateTime<Utc>>,
    enabled: bool,
    severity: Severity,
    condition: Condition,
    order: Option<OrderTemplate>,
}

async fn write(connection: &mut PgConnection, id: Uuid, by: &str, said: Said) -> Result<(), Problem> {
    sqlx::query(include_str!("../../queries/rule_version_create.sql"))
        .bind(id)
        .bind(said.version)
        .bind(said.valid_from)
        .bind(said.enabled)
        .bind(said.severity.name())
        .bind(Json(said.condition))
        .bind(said.order.map(Json))
        .bind(by)
        .execute(connection)
        .await?;
    Ok(())
}

async fn told(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<RuleView, Problem> {
    let rule = fetch(connection, tenant, id).await?;
    outbox::record(connection, &rule.event()).await?;
    Ok(rule)
}

/// Publishes a further version.
pub(super) async fn publish(work: &mut Work, id: Uuid, seen: IfMatch, input: RuleVersionInput) -> Result<RuleView, Problem> {
    let (tenant, by) = (work.who.tenant, work.who.label());
    let rule = lock(work, tenant, id, seen).await?;
    let mut faults = Faults::new();
    let read = check::version(&mut faults, "", &input);
    let newest = rule.versions.last().map(|version| version.valid_from);
    if let (Some(from), Some(newest)) = (input.valid_from, newest) {
        faults.when(from < newest, "/valid_from", "out_of_order", format!("it is not before that of the version before, {newest}"));
    }
    faults.result()?;
    let (condition, order) = read.ok_or_else(Problem::internal)?;
    let version = rule.versions.last().map_or(1, |version| version.version + 1);
    write(
        work,
        id,
        &by,
        Said { version, valid_from: input.valid_from, enabled: input.enabled, severity: input.severity, condition, order },
    )
    .await?;
    sqlx::query(include_str!("../../queries/rule_touch.sql")).bind(id).bind(&rule.name).execute(&mut **work).await?;
    told(work, tenant, id).await
}

pub(super) async fn rename(work: &mut Work, id: Uuid, seen: IfMatch, name: &str) -> Result<RuleView, Problem> {
    let tenant = work.who.tenant;
    lock(work, tenant, id, seen).await?;
    let mut faults = Faults::new();
    faults.name("/name", name);
    faults.result()?;
    sqlx::query(include_str!("../../queries/rule_touch.sql")).bind(id).bind(name.trim()).execute(&mut **work).await?;
    told(work, tenant, id).await
}

/// Publishes a version that says nothing, tells the engine, and archives the rule.
pub(super) async fn archive(work: &mut Work, id: Uuid, seen: IfMatch) -> Result<(), Problem> {
    let (tenant, by) = (work.who.tenant, work.who.label());
    let rule = lock(work, tenant, id, seen).await?;
    let last = rule.versions.last().ok_or_else(Problem::internal)?;
    let silent = Said {
        version: last.version + 1,
        valid_from: None,
        enabled: false,
        severity: last.severity,
        condition: last.condition.clone(),
        order: None,
    };
    write(work, id, &by, silent).await?;
    sqlx::query(include_str!("../../queries/rule_touch.sql")).bind(id).bind(&rule.name).execute(&mut **work).await?;
    told(work, tenant, id).await?;
    sqlx::query(include_str!("../../queries/rule_archive.sql")).bind(id).execute(&mut **work).await?;
    Ok(())
}
