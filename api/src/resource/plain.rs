//! Resources that one table of `app` holds. Its columns are named as the JSON fields are, so a body is written as it came: the
//! statements below are put together from names that stand in the code, and every value is bound.
//!
//! Such a table has `tenant_id`, `id`, `version`, `archived_at`, `created_at` and `updated_at` beside what a body says. References
//! carry the tenant, so that no row can point into another one's. Every change is a line of `app.changes` in the same transaction.

use super::{Asked, Column, Refusals, Resource};
use crate::{gate::Principal, orders::By, problem::Problem, respond::Versioned};
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sqlx::{AssertSqlSafe, FromRow, PgConnection, PgPool, Postgres, QueryBuilder, postgres::PgRow};
use std::future::Future;
use utoipa::ToSchema;
use uuid::Uuid;

/// What a body cannot say: an action without arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// What most actions may say.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Said {
    /// Why; some guards ask for it.
    #[schema(example = "as agreed by telephone")]
    pub reason: Option<String>,
}

/// A row that carries what a body said of it.
pub(crate) trait Row: Versioned + Serialize + for<'r> FromRow<'r, PgRow> + Send + Sync + Unpin + Sized + 'static {
    type Input: Serialize + DeserializeOwned + Send + Sync;

    fn id(&self) -> Uuid;
    fn input(&self) -> &Self::Input;
}

/// Declares the row of a plain resource: its id, what a body said, what the table adds, and when it was made and changed.
macro_rules! row {
    ($(#[$doc:meta])* $row:ident of $input:ident as $field:ident { $($(#[$more:meta])* $name:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Serialize, sqlx::FromRow, utoipa::ToSchema)]
        pub(crate) struct $row {
            pub id: uuid::Uuid,
            #[serde(flatten)]
            #[sqlx(flatten)]
            pub $field: $input,
            $($(#[$more])* pub $name: $type,)*
            pub version: i64,
            pub created_at: chrono::DateTime<chrono::Utc>,
            pub updated_at: chrono::DateTime<chrono::Utc>,
        }

        impl $crate::respond::Versioned for $row {
            fn version(&self) -> i64 {
                self.version
            }
        }

        impl $crate::resource::Row for $row {
            type Input = $input;

            fn id(&self) -> uuid::Uuid {
                self.id
            }

            fn input(&self) -> &$input {
                &self.$field
            }
        }
    };
}
pub(crate) use row;

/// A resource that is a table, or a view on one.
pub(crate) trait Plain: Row {
    /// What a refusal calls it: `part`.
    const NAME: &'static str;
    const PATH: &'static str;
    /// Where rows are written.
    const TABLE: &'static str;
    /// Where they are read, with what other tables add.
    const VIEW: &'static str = Self::TABLE;
    const FILTERS: &'static [Column];
    const SORTS: &'static [Column];
    const NEWEST_FIRST: bool = false;

    /// Refuses what the table alone cannot, and gives columns that no body says: a number, who made it. `current` is there
    /// where a row is changed.
    fn check(
        _connection: &mut PgConnection,
        _who: &Principal,
        _current: Option<&Self>,
        _input: &Self::Input,
        _now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Value, Problem>> + Send {
        async { Ok(json!({})) }
    }

    /// Refuses to archive what is in use.
    fn check_archive(&self, _connection: &mut PgConnection) -> impl Future<Output = Result<(), Problem>> + Send {
        async { Ok(()) }
    }

    fn shown(self, _who: &Principal) -> Self {
        self
    }
}

impl<R: Plain> Resource for R {
    type Input = R::Input;
    const PATH: &'static str = R::PATH;
    const FILTERS: &'static [Column] = R::FILTERS;
    const SORTS: &'static [Column] = R::SORTS;
    const NEWEST_FIRST: bool = R::NEWEST_FIRST;

    fn id(&self) -> Uuid {
        Row::id(self)
    }

    fn input(&self) -> &R::Input {
        Row::input(self)
    }

    async fn rows(pool: &PgPool, who: &Principal, asked: &Asked) -> Result<Vec<R>, Problem> {
        page_of_table(pool, who.tenant, asked, R::VIEW).await
    }

    async fn fetch(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<R, Problem> {
        R::find(connection, who.tenant, id).await
    }

    async fn lock(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<R, Problem> {
        R::hold(connection, who.tenant, id).await
    }

    async fn create(connection: &mut PgConnection, who: &Principal, input: R::Input, now: DateTime<Utc>) -> Result<R, Problem> {
        let mut columns = object(&input)?;
        columns.extend(object(&R::check(connection, who, None, &input, now).await?)?);
        let names = names(&columns, "");
        let text = format!(
            "insert into app.{table} (tenant_id, created_at, updated_at, {names}) select $1, $3, $3, {} from jsonb_populate_record(null::app.{table}, $2) input returning id",
            self::names(&columns, "input."),
            table = R::TABLE
        );
        let id = sqlx::query_scalar::<_, Uuid>(AssertSqlSafe(text)).bind(who.tenant).bind(Value::Object(columns)).bind(now);
        let id = id.fetch_one(&mut *connection).await.refused(R::TABLE)?;
        let row = R::find(connection, who.tenant, id).await?;
        note(connection, &row, (who.tenant, &By::person(who)), "create", None, &json!({ "after": input }), now).await?;
        Ok(row)
    }

    async fn update(connection: &mut PgConnection, who: &Principal, current: R, whole: R::Input, now: DateTime<Utc>) -> Result<R, Problem> {
        let mut columns = object(&whole)?;
        columns.extend(object(&R::check(connection, who, Some(&current), &whole, now).await?)?);
        write::<R>(connection, Row::id(&current), &columns, now).await?;
        let row = R::find(connection, who.tenant, Row::id(&current)).await?;
        let detail = json!({ "before": Row::input(&current), "after": whole });
        note(connection, &row, (who.tenant, &By::person(who)), "edit", None, &detail, now).await?;
        Ok(row)
    }

    async fn archive(connection: &mut PgConnection, who: &Principal, current: R, now: DateTime<Utc>) -> Result<(), Problem> {
        current.check_archive(connection).await?;
        let columns = object(&json!({ "archived_at": now }))?;
        let version = write::<R>(connection, Row::id(&current), &columns, now).await?;
        let detail = json!({ "before": Row::input(&current), "version": version });
        let by = By::person(who);
        keep(connection, (R::TABLE, Row::id(&current), version), (who.tenant, &by), "archive", None, &detail, now).await
    }

    fn shown(self, who: &Principal) -> R {
        R::shown(self, who)
    }
}

/// Reading one row of a table without a person who asks.
pub(crate) trait Find: Sized {
    fn find(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> impl Future<Output = Result<Self, Problem>> + Send;
    /// Held against others until the transaction ends.
    fn hold(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> impl Future<Output = Result<Self, Problem>> + Send;
}

impl<R: Plain> Find for R {
    async fn find(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<R, Problem> {
        let row = sqlx::query_as::<_, R>(AssertSqlSafe(one_text(R::VIEW))).bind(tenant).bind(id).fetch_optional(connection);
        row.await?.ok_or_else(|| Problem::not_found(R::NAME, id))
    }

    async fn hold(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<R, Problem> {
        let text = format!("{} for update", one_text(R::TABLE).replace("select *", "select id"));
        sqlx::query(AssertSqlSafe(text)).bind(tenant).bind(id).fetch_optional(&mut *connection).await?;
        R::find(connection, tenant, id).await
    }
}

/// Changes columns of a row that is held, outside of what bodies say; the reason and the columns go into its history.
pub(crate) async fn edit<R: Plain>(
    connection: &mut PgConnection,
    (tenant, by): (Uuid, &By),
    row: &R,
    event: &str,
    reason: Option<&str>,
    columns: &Value,
    now: DateTime<Utc>,
) -> Result<R, Problem> {
    write::<R>(connection, Row::id(row), &object(columns)?, now).await?;
    let row = R::find(connection, tenant, Row::id(row)).await?;
    note(connection, &row, (tenant, by), event, reason, columns, now).await?;
    Ok(row)
}

async fn write<R: Plain>(
    connection: &mut PgConnection,
    id: Uuid,
    columns: &Map<String, Value>,
    now: DateTime<Utc>,
) -> Result<i64, Problem> {
    let text = format!(
        "update app.{table} kept set ({}, version, updated_at) = (select {}, kept.version + 1, $3 from jsonb_populate_record(null::app.{table}, $2) input) where id = $1 returning version",
        names(columns, ""),
        names(columns, "input."),
        table = R::TABLE
    );
    let query = sqlx::query_scalar::<_, i64>(AssertSqlSafe(text)).bind(id).bind(Value::Object(columns.clone())).bind(now);
    query.fetch_one(connection).await.refused(R::TABLE)
}

async fn note<R: Plain>(
    connection: &mut PgConnection,
    row: &R,
    by: (Uuid, &By),
    event: &str,
    reason: Option<&str>,
    detail: &Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    keep(connection, (R::TABLE, Row::id(row), row.version()), by, event, reason, detail, now).await
}

async fn keep(
    connection: &mut PgConnection,
    (table, id, version): (&str, Uuid, i64),
    (tenant, by): (Uuid, &By),
    event: &str,
    reason: Option<&str>,
    detail: &Value,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let query = sqlx::query(include_str!("../../queries/change_note.sql"));
    let query = query.bind(tenant).bind(table).bind(id).bind(version).bind(event).bind(by.id).bind(&by.label).bind(&by.name);
    query.bind(reason).bind(detail).bind(now).execute(connection).await?;
    Ok(())
}

/// The next human number of a kind: `PO-2026-000017`. It is given back when the transaction fails, so there are no gaps.
pub(crate) async fn next_number(connection: &mut PgConnection, tenant: Uuid, kind: &str, now: DateTime<Utc>) -> Result<String, Problem> {
    let next = sqlx::query_scalar::<_, i64>(include_str!("../../queries/number_next.sql")).bind(tenant).bind(kind).bind(now.year());
    Ok(format!("{kind}-{}-{:06}", now.year(), next.fetch_one(connection).await?))
}

fn object(value: &impl Serialize) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => Ok(fields),
        other => {
            tracing::error!(?other, "what is written to a table is no object");
            Err(Problem::internal())
        }
    }
}

/// Column names, which are fields of our own types and so need no quoting but for words of SQL.
fn names(columns: &Map<String, Value>, prefix: &str) -> String {
    columns.keys().map(|name| format!("{prefix}\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn one_text(view: &str) -> String {
    format!("select * from app.{view} where tenant_id = $1 and id = $2 and archived_at is null")
}

/// One page of a table of `app`, and one row more if there is one.
pub(crate) async fn page_of_table<R>(pool: &PgPool, tenant: Uuid, asked: &Asked, view: &str) -> Result<Vec<R>, Problem>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    Ok(page_query(view, tenant, asked).build_query_as().fetch_all(pool).await?)
}

fn page_query(view: &str, tenant: Uuid, asked: &Asked) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(format!("select * from app.{view} where archived_at is null and tenant_id = "));
    query.push_bind(tenant);
    for (column, values) in &asked.filters {
        query.push(format!(" and {} = any (", column.name)).push_bind(values.clone()).push(format!("::text[]::{}[])", column.kind));
    }
    let (name, kind, down) = (asked.sort.name, asked.sort.kind, asked.down);
    if let Some((key, id)) = &asked.after {
        let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
        query.push(format!(" and ({name}, id) {} (", if down { '<' } else { '>' })).push_bind(key).push(format!("::text::{kind}, "));
        query.push_bind(*id).push(")");
    }
    let way = if down { " desc" } else { "" };
    query.push(format!(" order by {name}{way}, id{way} limit ")).push_bind(asked.rows_max());
    query
}

/// The reading statements of a resource with every filter and sort, for the test that prepares them.
pub(crate) fn statements<R: Plain>() -> Vec<String> {
    let page = |sort: &Column| {
        let filters = R::FILTERS.iter().map(|column| (*column, vec![])).collect();
        let after = Some((Value::Null, Uuid::nil()));
        let asked = Asked { filters, sort: *sort, down: false, limit: 1, name: String::new(), after };
        page_query(R::VIEW, Uuid::nil(), &asked).sql().as_str().to_owned()
    };
    R::SORTS.iter().map(page).chain([one_text(R::VIEW), one_text(R::TABLE)]).collect()
}
