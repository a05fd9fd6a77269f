//! Plants.

mod store;
mod view;

pub use store::{create, fetch};
pub use view::{SiteInput, SiteView};

use crate::{
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Asked, Column, Resource, resource, text},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F10, F11};
use sqlx::{PgConnection, PgPool};
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

resource!(SiteView, SiteInput, "/sites", "sites", "a site";
    list
    read
    add
    change "A new zone holds for windows that begin after it is known to the engine."
    remove "One that still has positions or points is refused.");

impl Resource for SiteView {
    type Input = SiteInput;
    const PATH: &'static str = "/sites";
    const FILTERS: &'static [Column] = &[text("code", "Codes, comma-separated."), text("kind", "Kinds, comma-separated.")];
    const SORTS: &'static [Column] = &[text("code", ""), text("name", "")];

    fn id(&self) -> Uuid {
        self.id
    }

    fn input(&self) -> &SiteInput {
        &self.site
    }

    async fn rows(pool: &PgPool, who: &Principal, asked: &Asked) -> Result<Vec<SiteView>, Problem> {
        store::list(pool, who.tenant, asked).await
    }

    async fn fetch(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<SiteView, Problem> {
        fetch(connection, who.tenant, id).await
    }

    async fn lock(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<SiteView, Problem> {
        store::lock(connection, who.tenant, id).await
    }

    async fn create(connection: &mut PgConnection, who: &Principal, input: SiteInput, _: DateTime<Utc>) -> Result<SiteView, Problem> {
        create(connection, who.tenant, input).await
    }

    async fn update(
        connection: &mut PgConnection,
        _: &Principal,
        current: SiteView,
        whole: SiteInput,
        _: DateTime<Utc>,
    ) -> Result<SiteView, Problem> {
        store::update(connection, current.id, whole).await
    }

    async fn archive(connection: &mut PgConnection, _: &Principal, current: SiteView, _: DateTime<Utc>) -> Result<(), Problem> {
        store::archive(connection, current.id).await
    }
}
