//! Who works on orders, and what they may do until when.

use crate::{
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Asked, Column, Resource, resource, text},
    respond::Versioned,
    routes::Routes,
};
use chrono::{DateTime, NaiveDate, Utc};
use dcmms_schemas::access::Feature::{F04, F45};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F04), routes!(list))
        .on(Gate::read(F04), routes!(read))
        .on(Gate::create(F45), routes!(add))
        .on(Gate::change(F45), routes!(change))
        .on(Gate::change(F45), routes!(remove))
}

resource!(TechnicianView, TechnicianInput, "/technicians", "people", "a technician";
    list
    read
    add
    change "`skills` is replaced whole."
    remove "Orders go on naming them.");

/// A skill with its certificate, which counts on the days that it covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Skill {
    #[schema(example = "HV switching")]
    pub skill: String,
    #[serde(default)]
    pub issuer: String,
    #[serde(default)]
    pub valid_from: Option<NaiveDate>,
    /// The last day on which it counts.
    #[serde(default)]
    pub valid_to: Option<NaiveDate>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TechnicianInput {
    #[schema(example = "Ana Rao")]
    pub name: String,
    /// The account they sign in with, if any.
    #[serde(default, rename = "user")]
    pub user_id: Option<Uuid>,
    #[serde(default)]
    pub phone: String,
    #[serde(default = "general")]
    #[schema(example = "electrical")]
    pub discipline: String,
    #[serde(default = "active")]
    pub active: bool,
    #[serde(default)]
    #[sqlx(json)]
    pub skills: Vec<Skill>,
}

fn general() -> String {
    "general".into()
}

const fn active() -> bool {
    true
}

#[derive(Clone, Debug, Serialize, sqlx::FromRow, ToSchema)]
pub struct TechnicianView {
    pub id: Uuid,
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub technician: TechnicianInput,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Versioned for TechnicianView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl TechnicianInput {
    fn check(&self) -> Result<(), Problem> {
        if self.name.trim().is_empty() || self.name.len() > 200 {
            return Err(Problem::field("/name", "length", "a name has 1 to 200 characters"));
        }
        for (nth, skill) in self.skills.iter().enumerate() {
            if skill.skill.trim().is_empty() {
                return Err(Problem::field(format!("/skills/{nth}/skill"), "length", "a skill has a name"));
            }
            if skill.valid_from.zip(skill.valid_to).is_some_and(|(from, to)| to < from) {
                return Err(Problem::field(format!("/skills/{nth}/valid_to"), "out_of_order", "validity ends after it begins"));
            }
        }
        Ok(())
    }
}

/// The technician, if they exist.
pub async fn fetch(connection: &mut PgConnection, tenant: Uuid, id: Uuid) -> Result<TechnicianView, Problem> {
    let query = sqlx::query_as::<_, TechnicianView>(include_str!("../queries/technicians_list.sql"));
    let row = query.bind(tenant).bind(id).bind(None::<String>).bind(None::<Uuid>).bind(1_i64).fetch_optional(connection).await?;
    row.ok_or_else(|| Problem::not_found("technician", id))
}

/// Adds a technician with their skills.
pub async fn create(connection: &mut PgConnection, tenant: Uuid, input: TechnicianInput) -> Result<TechnicianView, Problem> {
    input.check()?;
    let id = sqlx::query_scalar::<_, Uuid>(include_str!("../queries/technician_create.sql"))
        .bind(tenant)
        .bind(input.user_id)
        .bind(&input.name)
        .bind(&input.phone)
        .bind(&input.discipline)
        .bind(input.active)
        .fetch_one(&mut *connection)
        .await?;
    skills(connection, id, &input.skills).await?;
    fetch(connection, tenant, id).await
}

async fn skills(connection: &mut PgConnection, id: Uuid, skills: &[Skill]) -> Result<(), Problem> {
    let names: Vec<_> = skills.iter().map(|skill| skill.skill.clone()).collect();
    let issuers: Vec<_> = skills.iter().map(|skill| skill.issuer.clone()).collect();
    let from: Vec<_> = skills.iter().map(|skill| skill.valid_from).collect();
    let to: Vec<_> = skills.iter().map(|skill| skill.valid_to).collect();
    let query = sqlx::query(include_str!("../queries/technician_skills_replace.sql"));
    query.bind(id).bind(names).bind(issuers).bind(from).bind(to).execute(connection).await?;
    Ok(())
}

impl Resource for TechnicianView {
    type Input = TechnicianInput;
    const PATH: &'static str = "/technicians";
    const FILTERS: &'static [Column] = &[];
    const SORTS: &'static [Column] = &[text("name", "")];

    fn id(&self) -> Uuid {
        self.id
    }

    fn input(&self) -> &TechnicianInput {
        &self.technician
    }

    async fn rows(pool: &PgPool, who: &Principal, asked: &Asked) -> Result<Vec<TechnicianView>, Problem> {
        let (name, id) = asked.after_text().unzip();
        let rows = sqlx::query_as::<_, TechnicianView>(include_str!("../queries/technicians_list.sql"));
        let rows = rows.bind(who.tenant).bind(None::<Uuid>).bind(name).bind(id).bind(asked.rows_max());
        Ok(rows.fetch_all(pool).await?)
    }

    async fn fetch(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<TechnicianView, Problem> {
        fetch(connection, who.tenant, id).await
    }

    async fn lock(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<TechnicianView, Problem> {
        sqlx::query(include_str!("../queries/technician_lock.sql")).bind(who.tenant).bind(id).fetch_optional(&mut *connection).await?;
        fetch(connection, who.tenant, id).await
    }

    async fn create(
        connection: &mut PgConnection,
        who: &Principal,
        input: TechnicianInput,
        _: DateTime<Utc>,
    ) -> Result<TechnicianView, Problem> {
        create(connection, who.tenant, input).await
    }

    async fn update(
        connection: &mut PgConnection,
        who: &Principal,
        current: TechnicianView,
        whole: TechnicianInput,
        _: DateTime<Utc>,
    ) -> Result<TechnicianView, Problem> {
        whole.check()?;
        save(connection, current.id, &whole, None).await?;
        skills(connection, current.id, &whole.skills).await?;
        fetch(connection, who.tenant, current.id).await
    }

    async fn archive(connection: &mut PgConnection, _: &Principal, current: TechnicianView, now: DateTime<Utc>) -> Result<(), Problem> {
        save(connection, current.id, &current.technician, Some(now)).await
    }
}

async fn save(connection: &mut PgConnection, id: Uuid, input: &TechnicianInput, archived_at: Option<DateTime<Utc>>) -> Result<(), Problem> {
    sqlx::query(include_str!("../queries/technician_change.sql"))
        .bind(id)
        .bind(input.user_id)
        .bind(&input.name)
        .bind(&input.phone)
        .bind(&input.discipline)
        .bind(input.active)
        .bind(archived_at)
        .execute(connection)
        .await?;
    Ok(())
}
