//! A site's positions, as the tree that they are.

use crate::{extract::At, gate::Principal, problem::Problem, service::Shared, sites};
use axum::{Json, extract::State};
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Positions of a site that are shown as one tree; a site with more is read page by page.
const POSITIONS_MAX: i64 = 20_000;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Tree {
    site: Uuid,
    code: String,
    name: String,
    positions: Vec<Node>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Node {
    id: Uuid,
    code: String,
    name: String,
    class: String,
    /// Points right here.
    points: i64,
    #[schema(no_recursion)]
    children: Vec<Node>,
}

#[derive(sqlx::FromRow)]
struct Flat {
    id: Uuid,
    parent: Option<Uuid>,
    code: String,
    name: String,
    class: String,
    points: i64,
}

/// Shows a site's positions as a tree with the number of points at each.
#[utoipa::path(get, path = "/sites/{id}/tree", tag = "sites", params(("id" = Uuid, Path)),
    responses((status = 200, body = Tree), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn read(State(service): State<Shared>, who: Principal, At(id): At<Uuid>) -> Result<Json<Tree>, Problem> {
    let mut connection = service.pool.acquire().await?;
    let site = sites::fetch(&mut connection, who.tenant, id).await?;
    let rows: Vec<Flat> =
        sqlx::query_as(include_str!("../../queries/site_tree.sql")).bind(id).bind(POSITIONS_MAX + 1).fetch_all(&mut *connection).await?;
    if rows.len() as i64 > POSITIONS_MAX {
        return Err(Problem::conflict("too_large", format!("the site has more than {POSITIONS_MAX} positions; list /positions instead")));
    }
    Ok(Json(Tree { site: id, code: site.site.code, name: site.site.name, positions: grow(rows) }))
}

/// Puts each row below its parent. Rows come by code, and stay in that order among their siblings.
fn grow(rows: Vec<Flat>) -> Vec<Node> {
    let mut below: HashMap<Option<Uuid>, Vec<Flat>> = HashMap::new();
    for row in rows {
        below.entry(row.parent).or_default().push(row);
    }
    take(&mut below, None)
}

fn take(below: &mut HashMap<Option<Uuid>, Vec<Flat>>, parent: Option<Uuid>) -> Vec<Node> {
    let rows = below.remove(&parent).unwrap_or_default();
    let node = |row: Flat| {
        let children = take(below, Some(row.id));
        Node { id: row.id, code: row.code, name: row.name, class: row.class, points: row.points, children }
    };
    rows.into_iter().map(node).collect()
}
