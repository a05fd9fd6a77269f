//! Places in a site's tree.

mod store;
mod tree;
mod view;

pub use store::{create, fetch};
pub use view::{PositionInput, PositionView};

use crate::{
    extract::{At, Page, Query, cursor, limit},
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Asked, Column, Resource, resource, text, uuid},
    routes::Routes,
    service::Shared,
};
use axum::extract::State;
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F10, F11};
use serde::Deserialize;
use sqlx::{PgConnection, PgPool};
use utoipa::IntoParams;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::read(F10), routes!(children))
        .on(Gate::read(F10), routes!(tree::read))
        .on(Gate::create(F11), routes!(add))
        .on(Gate::change(F11), routes!(change))
        .on(Gate::change(F11), routes!(remove))
}

resource!(PositionView, PositionInput, "/positions", "assets", "a position";
    list
    read
    add
    change "Its site stays."
    remove "One that has positions below it or points is refused.");

impl Resource for PositionView {
    type Input = PositionInput;
    const PATH: &'static str = "/positions";
    const FILTERS: &'static [Column] = &[uuid("site", "Id of a site."), text("class", "Classes, comma-separated.")];
    const SORTS: &'static [Column] = &[text("code", "")];

    fn id(&self) -> Uuid {
        self.id
    }

    fn input(&self) -> &PositionInput {
        &self.position
    }

    async fn rows(pool: &PgPool, who: &Principal, asked: &Asked) -> Result<Vec<PositionView>, Problem> {
        let wanted = store::Wanted { site: asked.uuid("site"), parent: None, classes: asked.texts("class") };
        store::list(pool, who.tenant, wanted, asked.after_text(), asked.limit).await
    }

    async fn fetch(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<PositionView, Problem> {
        fetch(connection, who.tenant, id).await
    }

    async fn lock(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<PositionView, Problem> {
        store::lock(connection, who.tenant, id).await
    }

    async fn create(
        connection: &mut PgConnection,
        who: &Principal,
        input: PositionInput,
        _: DateTime<Utc>,
    ) -> Result<PositionView, Problem> {
        create(connection, who.tenant, input).await
    }

    async fn update(
        connection: &mut PgConnection,
        who: &Principal,
        current: PositionView,
        whole: PositionInput,
        _: DateTime<Utc>,
    ) -> Result<PositionView, Problem> {
        if whole.site != current.position.site {
            return Err(Problem::field("/site", "fixed", "a position stays at its site; make a new one there"));
        }
        store::update(connection, who.tenant, current.id, whole).await
    }

    async fn archive(connection: &mut PgConnection, _: &Principal, current: PositionView, _: DateTime<Utc>) -> Result<(), Problem> {
        store::archive(connection, current.id).await
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChildrenQuery {
    limit: Option<u16>,
    cursor: Option<String>,
}

/// Lists the positions right below one.
#[utoipa::path(get, path = "/positions/{id}/children", tag = "assets", params(("id" = Uuid, Path), ChildrenQuery),
    responses((status = 200, body = Page<PositionView>), (status = 400, body = Problem), (status = 404, body = Problem)))]
async fn children(
    State(service): State<Shared>,
    who: Principal,
    At(id): At<Uuid>,
    Query(query): Query<ChildrenQuery>,
) -> Result<axum::Json<Page<PositionView>>, Problem> {
    let limit = limit(query.limit)?;
    let name = format!("children {id}");
    let after = cursor(query.cursor.as_deref(), &name)?;
    let mut connection = service.pool.acquire().await?;
    let parent = fetch(&mut connection, who.tenant, id).await?;
    let wanted = store::Wanted { site: Some(parent.position.site), parent: Some(id), classes: None };
    let rows = store::list(&service.pool, who.tenant, wanted, after, limit).await?;
    Ok(axum::Json(Page::of(rows, limit, &name, |row| (row.position.code.clone(), row.id))))
}
