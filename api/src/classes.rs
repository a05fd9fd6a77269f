//! Classes of assets: what positions are for.

use crate::{
    check::Faults,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Asked, Column, Resource, resource, text},
    respond::Versioned,
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F10, F11};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::create(F11), routes!(add))
        .on(Gate::change(F11), routes!(change))
        .on(Gate::change(F11), routes!(remove))
}

resource!(ClassView, ClassInput, "/asset-classes", "assets", "an asset class";
    list
    read
    add
    change "Its code stays."
    remove "One that a position has is refused.");

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassInput {
    /// As positions and rules name it; it stays.
    #[schema(example = "inverter")]
    pub code: String,
    #[schema(example = "Inverter")]
    pub name: String,
    /// Code of the class that it is a kind of.
    #[serde(default)]
    #[schema(example = json!(null))]
    pub parent: Option<String>,
    #[serde(default)]
    pub description: String,
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct ClassView {
    pub id: Uuid,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub class: ClassInput,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for ClassView {
    fn version(&self) -> i64 {
        self.version
    }
}

/// Adds a class.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, input: ClassInput) -> Result<ClassView, Problem> {
    check(&input)?;
    let row = sqlx::query_as(include_str!("../queries/class_create.sql"))
        .bind(tenant)
        .bind(&input.code)
        .bind(&input.name)
        .bind(&input.parent)
        .bind(&input.description)
        .fetch_optional(connection)
        .await?;
    row.ok_or_else(|| Problem::conflict("code_taken", format!("there is already an asset class {}", input.code)))
}

fn check(input: &ClassInput) -> Result<(), Problem> {
    let mut faults = Faults::new();
    faults.code("/code", &input.code, "-_.", 60);
    faults.name("/name", &input.name);
    faults.when(input.parent.as_ref() == Some(&input.code), "/parent", "cycle", "a class is not a kind of itself");
    faults.result()
}

async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<ClassView, Problem> {
    let row = sqlx::query_as(include_str!("../queries/class_read.sql")).bind(tenant).bind(id).fetch_optional(connection).await?;
    row.ok_or_else(|| Problem::not_found("asset class", id))
}

impl Resource for ClassView {
    type Input = ClassInput;
    const PATH: &'static str = "/asset-classes";
    const FILTERS: &'static [Column] = &[];
    const SORTS: &'static [Column] = &[text("code", "")];

    fn id(&self) -> Uuid {
        self.id
    }

    fn input(&self) -> &ClassInput {
        &self.class
    }

    async fn rows(pool: &PgPool, who: &Principal, asked: &Asked) -> Result<Vec<ClassView>, Problem> {
        let after = asked.after_text().map(|(code, _)| code);
        let rows = sqlx::query_as::<_, ClassView>(include_str!("../queries/classes_list.sql"));
        Ok(rows.bind(who.tenant).bind(after).bind(asked.rows_max()).fetch_all(pool).await?)
    }

    async fn fetch(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<ClassView, Problem> {
        fetch(connection, who.tenant, id).await
    }

    async fn lock(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<ClassView, Problem> {
        fetch(connection, who.tenant, id).await
    }

    async fn create(connection: &mut PgConnection, who: &Principal, input: ClassInput, _: DateTime<Utc>) -> Result<ClassView, Problem> {
        create(connection, who.tenant, input).await
    }

    async fn update(
        connection: &mut PgConnection,
        _: &Principal,
        current: ClassView,
        whole: ClassInput,
        _: DateTime<Utc>,
    ) -> Result<ClassView, Problem> {
        check(&whole)?;
        if whole.code != current.class.code {
            return Err(Problem::field("/code", "fixed", "a code stays: positions and rules name it"));
        }
        let row = sqlx::query_as(include_str!("../queries/class_update.sql"));
        let row = row.bind(current.id).bind(&whole.name).bind(&whole.parent).bind(&whole.description).bind(current.version);
        // Not locked before, because the statement itself looks at the version.
        row.fetch_optional(connection).await?.ok_or_else(|| Problem::stale(current.version + 1))
    }

    async fn archive(connection: &mut PgConnection, who: &Principal, current: ClassView, _: DateTime<Utc>) -> Result<(), Problem> {
        let used = sqlx::query_scalar::<_, i64>(include_str!("../queries/class_archive.sql")).bind(current.id).bind(who.tenant);
        match used.fetch_one(connection).await? {
            0 => Ok(()),
            used => Err(Problem::conflict("in_use", format!("{used} positions are of this class"))),
        }
    }
}
