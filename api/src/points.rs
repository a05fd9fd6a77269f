//! Measured quantities.

pub mod kinds;
mod store;
mod view;

pub use store::{create, fetch};
pub use view::{PointInput, PointView};

use crate::{
    extract::{Json, LIMIT_MAX},
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Asked, Column, Resource, resource, text, uuid},
    routes::Routes,
    work::Work,
};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use dcmms_schemas::access::Feature::{F10, F18};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgPool};
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::create(F18), routes!(add))
        .on(Gate::create(F18), routes!(add_many))
        .on(Gate::change(F18), routes!(change))
        .on(Gate::change(F18), routes!(remove))
}

resource!(PointView, PointInput, "/points", "points", "a point";
    list
    read
    add
    change "Its key, site and resolution stay, because the engine's sums and the history stand on them."
    remove "What it said stays; what it says from now on is unknown.");

impl Resource for PointView {
    type Input = PointInput;
    const PATH: &'static str = "/points";
    const FILTERS: &'static [Column] = &[
        uuid("site", "Id of a site."),
        uuid("position", "Id of a position."),
        text("kind", "Quantities, comma-separated."),
        text("key", "Keys, comma-separated."),
    ];
    const SORTS: &'static [Column] = &[text("key", "")];

    fn id(&self) -> Uuid {
        self.id
    }

    fn input(&self) -> &PointInput {
        &self.point
    }

    async fn rows(pool: &PgPool, who: &Principal, asked: &Asked) -> Result<Vec<PointView>, Problem> {
        let wanted = store::Wanted {
            site: asked.uuid("site"),
            position: asked.uuid("position"),
            kinds: asked.texts("kind"),
            keys: asked.texts("key"),
        };
        store::list(pool, who.tenant, wanted, asked.after_text().map(|(key, _)| key), asked.limit).await
    }

    async fn fetch(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<PointView, Problem> {
        fetch(connection, who.tenant, id).await
    }

    async fn lock(connection: &mut PgConnection, who: &Principal, id: Uuid) -> Result<PointView, Problem> {
        store::lock(connection, who.tenant, id).await
    }

    async fn create(connection: &mut PgConnection, who: &Principal, input: PointInput, _: DateTime<Utc>) -> Result<PointView, Problem> {
        create(connection, who.tenant, vec![input]).await?.pop().ok_or_else(Problem::internal)
    }

    async fn update(
        connection: &mut PgConnection,
        who: &Principal,
        current: PointView,
        whole: PointInput,
        _: DateTime<Utc>,
    ) -> Result<PointView, Problem> {
        let (was, is) = (&current.point, &whole);
        for (pointer, kept) in
            [("/key", was.key == is.key), ("/site", was.site == is.site), ("/resolution", was.resolution == is.resolution)]
        {
            if !kept {
                return Err(Problem::field(pointer, "fixed", "it stays; archive this point and make a new one"));
            }
        }
        store::update(connection, who.tenant, current.id, whole).await
    }

    async fn archive(connection: &mut PgConnection, _: &Principal, current: PointView, _: DateTime<Utc>) -> Result<(), Problem> {
        store::archive(connection, current.id).await
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Many {
    /// At most 1,000.
    points: Vec<PointInput>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Added {
    points: Vec<PointView>,
}

/// Adds up to 1,000 points, all or none.
#[utoipa::path(post, path = "/points:batch", tag = "points", request_body = Many,
    responses((status = 201, body = Added), (status = 422, body = Problem)))]
async fn add_many(mut work: Work, Json(input): Json<Many>) -> Result<(StatusCode, axum::Json<Added>), Problem> {
    let (tenant, count) = (work.who.tenant, input.points.len());
    if !(1..=usize::from(LIMIT_MAX)).contains(&count) {
        return Err(Problem::field("/points", "length", format!("a batch has 1 to {LIMIT_MAX} points, not {count}")));
    }
    let points = create(&mut work, tenant, input.points).await?;
    Ok((StatusCode::CREATED, axum::Json(Added { points })))
}
