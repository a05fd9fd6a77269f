//! What sites, parts, plans and their like have in common: pages, entity tags, idempotent creation, merge patches, archiving.
//!
//! A resource says what it is called and how its rows are read and written ([`Resource`]); where one table holds it, its columns are
//! enough ([`Plain`]), and where it moves through a machine of `schemas`, so are its facts and effects ([`Moving`]). The handlers that
//! [`resource!`] writes out are the same for all; the module that holds them names the feature of each route.

mod asked;
mod moving;
mod plain;
mod refusal;

pub(crate) use asked::{Asked, Column, Wanted, flag, text, time, uuid};
pub(crate) use moving::{Moving, act, actions, problem as refused};
pub(crate) use plain::{Find, Nothing, Plain, Row, Said, edit, next_number, row, statements};
pub(crate) use refusal::Refusals;

use crate::{
    extract::{IfMatch, Page, merge},
    gate::Principal,
    problem::Problem,
    respond::{Created, Tagged, Versioned},
    service::Shared,
    work::Work,
};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use std::future::Future;
use uuid::Uuid;

/// Rows that are listed, shown, made, changed and archived. Each function is of one transaction; a change leaves behind what
/// whoever reads it needs: an event for the engine, a line in the history.
pub(crate) trait Resource: Versioned + Serialize + Send + Sized + 'static {
    /// What a body says of one.
    type Input: Serialize + DeserializeOwned + Send + Sync;
    /// Below `/api/v1`: `/sites`.
    const PATH: &'static str;
    /// What a list can be narrowed by.
    const FILTERS: &'static [Column];
    /// What a list can be sorted by; the first unless asked. The id decides between equals.
    const SORTS: &'static [Column];
    /// Lists begin with the greatest unless asked otherwise.
    const NEWEST_FIRST: bool = false;

    fn id(&self) -> Uuid;
    fn input(&self) -> &Self::Input;

    /// One page of rows and one more, if there is one.
    fn rows(pool: &PgPool, who: &Principal, asked: &Asked) -> impl Future<Output = Result<Vec<Self>, Problem>> + Send;
    /// The row, or a refusal that says that there is none.
    fn fetch(connection: &mut PgConnection, who: &Principal, id: Uuid) -> impl Future<Output = Result<Self, Problem>> + Send;
    /// The same, held against others until the transaction ends.
    fn lock(connection: &mut PgConnection, who: &Principal, id: Uuid) -> impl Future<Output = Result<Self, Problem>> + Send;
    fn create(
        connection: &mut PgConnection,
        who: &Principal,
        input: Self::Input,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Self, Problem>> + Send;
    fn update(
        connection: &mut PgConnection,
        who: &Principal,
        current: Self,
        whole: Self::Input,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Self, Problem>> + Send;
    fn archive(
        connection: &mut PgConnection,
        who: &Principal,
        current: Self,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<(), Problem>> + Send;

    /// As this caller may see it: without prices, say.
    fn shown(self, _who: &Principal) -> Self {
        self
    }
}

pub(crate) async fn list<R: Resource>(service: &Shared, who: &Principal, asked: &Asked) -> Result<axum::Json<Page<R>>, Problem> {
    let rows = R::rows(&service.pool, who, asked).await?;
    let rows = rows.into_iter().map(|row| row.shown(who)).collect();
    Ok(axum::Json(Page::of(rows, asked.limit, &asked.name, |row| (said(row, asked.sort.name), row.id()))))
}

/// What a row says in a column: rows carry their columns under the same names.
fn said(row: &impl Serialize, column: &str) -> Value {
    serde_json::to_value(row).map_or(Value::Null, |row| row[column].clone())
}

pub(crate) async fn read<R: Resource>(service: &Shared, who: &Principal, id: Uuid) -> Result<Tagged<R>, Problem> {
    let mut connection = service.pool.acquire().await?;
    Ok(Tagged(R::fetch(&mut connection, who, id).await?.shown(who)))
}

pub(crate) async fn add<R: Resource>(service: &Shared, mut work: Work, input: R::Input) -> Result<Created<R>, Problem> {
    let who = work.who.clone();
    let row = R::create(&mut work, &who, input, service.now()).await?.shown(&who);
    Ok(Created { location: format!("/api/v1{}/{}", R::PATH, row.id()), row })
}

pub(crate) async fn change<R: Resource>(
    service: &Shared,
    mut work: Work,
    id: Uuid,
    seen: IfMatch,
    patch: &Value,
) -> Result<Tagged<R>, Problem> {
    let who = work.who.clone();
    let current = R::lock(&mut work, &who, id).await?;
    seen.check(current.version())?;
    let whole = merge(current.input(), patch)?;
    Ok(Tagged(R::update(&mut work, &who, current, whole, service.now()).await?.shown(&who)))
}

pub(crate) async fn remove<R: Resource>(service: &Shared, mut work: Work, id: Uuid, seen: IfMatch) -> Result<StatusCode, Problem> {
    let who = work.who.clone();
    let current = R::lock(&mut work, &who, id).await?;
    seen.check(current.version())?;
    R::archive(&mut work, &who, current, service.now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Writes out the handlers of a resource: `resource!(SiteView, SiteInput, "/sites", "sites", "a site"; list read add change remove)`.
/// A verb may be followed by what is special about it here: `remove "One that is in use is refused."`.
macro_rules! resource {
    ($row:ident, $input:ident, $path:literal, $tag:literal, $one:literal; $($verb:ident $($more:literal)?)+) => {
        $($crate::resource::resource!(@$verb $row, $input, $path, $tag, $one, concat!($($more)?));)+
    };
    (@list $row:ident, $input:ident, $path:literal, $tag:literal, $one:literal, $more:expr) => {
        #[utoipa::path(get, path = $path, tag = $tag, summary = concat!("Lists what is like ", $one, "."), description = $more,
            params($crate::resource::Wanted<$row>), responses((status = 200, body = $crate::extract::Page<$row>), (status = 400, body = $crate::problem::Problem)))]
        async fn list(
            axum::extract::State(service): axum::extract::State<$crate::service::Shared>,
            who: $crate::gate::Principal,
            wanted: $crate::resource::Wanted<$row>,
        ) -> Result<axum::Json<$crate::extract::Page<$row>>, $crate::problem::Problem> {
            $crate::resource::list(&service, &who, &wanted.asked).await
        }
    };
    (@read $row:ident, $input:ident, $path:literal, $tag:literal, $one:literal, $more:expr) => {
        #[utoipa::path(get, path = concat!($path, "/{id}"), tag = $tag, summary = concat!("Shows ", $one, "."), description = $more,
            params(("id" = uuid::Uuid, Path)), responses((status = 200, body = $row), (status = 404, body = $crate::problem::Problem)))]
        async fn read(
            axum::extract::State(service): axum::extract::State<$crate::service::Shared>,
            who: $crate::gate::Principal,
            $crate::extract::At(id): $crate::extract::At<uuid::Uuid>,
        ) -> Result<$crate::respond::Tagged<$row>, $crate::problem::Problem> {
            $crate::resource::read(&service, &who, id).await
        }
    };
    (@add $row:ident, $input:ident, $path:literal, $tag:literal, $one:literal, $more:expr) => {
        #[utoipa::path(post, path = $path, tag = $tag, summary = concat!("Adds ", $one, "."), description = $more, request_body = $input,
            responses((status = 201, body = $row), (status = 409, body = $crate::problem::Problem), (status = 422, body = $crate::problem::Problem)))]
        async fn add(
            axum::extract::State(service): axum::extract::State<$crate::service::Shared>,
            work: $crate::work::Work,
            $crate::extract::Json(input): $crate::extract::Json<$input>,
        ) -> Result<$crate::respond::Created<$row>, $crate::problem::Problem> {
            $crate::resource::add(&service, work, input).await
        }
    };
    (@change $row:ident, $input:ident, $path:literal, $tag:literal, $one:literal, $more:expr) => {
        #[utoipa::path(patch, path = concat!($path, "/{id}"), tag = $tag, summary = concat!("Changes ", $one, "."), description = $more,
            params(("id" = uuid::Uuid, Path)), request_body(content = $input, content_type = "application/merge-patch+json"),
            responses((status = 200, body = $row), (status = 404, body = $crate::problem::Problem), (status = 409, body = $crate::problem::Problem),
                (status = 412, body = $crate::problem::Problem), (status = 422, body = $crate::problem::Problem)))]
        async fn change(
            axum::extract::State(service): axum::extract::State<$crate::service::Shared>,
            work: $crate::work::Work,
            $crate::extract::At(id): $crate::extract::At<uuid::Uuid>,
            seen: $crate::extract::IfMatch,
            $crate::extract::Json(patch): $crate::extract::Json<serde_json::Value>,
        ) -> Result<$crate::respond::Tagged<$row>, $crate::problem::Problem> {
            $crate::resource::change(&service, work, id, seen, &patch).await
        }
    };
    (@remove $row:ident, $input:ident, $path:literal, $tag:literal, $one:literal, $more:expr) => {
        #[utoipa::path(delete, path = concat!($path, "/{id}"), tag = $tag, summary = concat!("Archives ", $one, "."), description = $more,
            params(("id" = uuid::Uuid, Path)),
            responses((status = 204), (status = 404, body = $crate::problem::Problem), (status = 409, body = $crate::problem::Problem), (status = 412, body = $crate::problem::Problem)))]
        async fn remove(
            axum::extract::State(service): axum::extract::State<$crate::service::Shared>,
            work: $crate::work::Work,
            $crate::extract::At(id): $crate::extract::At<uuid::Uuid>,
            seen: $crate::extract::IfMatch,
        ) -> Result<axum::http::StatusCode, $crate::problem::Problem> {
            $crate::resource::remove::<$row>(&service, work, id, seen).await
        }
    };
}
pub(crate) use resource;
