//! How positions stand to each other: what feeds, protects, measures what.

use crate::{
    check::Faults,
    gate::{Gate, Principal},
    problem::Problem,
    resource::{Column, Plain, resource, row, text, uuid},
    routes::Routes,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{
    access::Feature::{F10, F11},
    asset::Relation,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::PgConnection;
use utoipa::ToSchema;
use utoipa_axum::routes;
use uuid::Uuid;

pub(super) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F10), routes!(list))
        .on(Gate::read(F10), routes!(read))
        .on(Gate::create(F11), routes!(add))
        .on(Gate::change(F11), routes!(change))
        .on(Gate::change(F11), routes!(remove))
}

resource!(RelationView, RelationInput, "/asset-relations", "assets", "a relation of two positions";
    list
    read
    add "What feeds, protects or controls cannot do so in a ring."
    change
    remove);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, sqlx::FromRow, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelationInput {
    /// `feeds`, `protects`, `measures`, `controls`, `redundant_with` or `shares_enclosure`.
    #[schema(example = "feeds")]
    pub kind: String,
    pub source: Uuid,
    pub target: Uuid,
    #[serde(default)]
    pub note: String,
}

row!(RelationView of RelationInput as relation {});

impl Plain for RelationView {
    const NAME: &'static str = "relation";
    const PATH: &'static str = "/asset-relations";
    const TABLE: &'static str = "asset_relations";
    const FILTERS: &'static [Column] = &[text("kind", "Kinds, comma-separated."), uuid("source", ""), uuid("target", "")];
    const SORTS: &'static [Column] = &[text("kind", "")];

    async fn check(
        connection: &mut PgConnection,
        who: &Principal,
        current: Option<&RelationView>,
        input: &RelationInput,
        _: DateTime<Utc>,
    ) -> Result<Value, Problem> {
        let kind = Relation::of(&input.kind).ok_or_else(|| {
            let known = Relation::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
            Problem::field("/kind", "bad_value", format!("kind is one of {known}, not {:?}", input.kind))
        })?;
        let mut faults = Faults::new();
        faults.when(input.source == input.target, "/target", "itself", "a position does not relate to itself");
        // Under a lock on the tenant's graph, so that two changes cannot make a ring between them.
        let lock = sqlx::query(include_str!("../../queries/relations_lock.sql")).bind(who.tenant.to_string());
        lock.execute(&mut *connection).await?;
        let ring = sqlx::query_scalar::<_, bool>(include_str!("../../queries/relation_ring.sql"));
        let ring = ring.bind(who.tenant).bind(&input.kind).bind(input.source).bind(input.target).bind(current.map(|row| row.id));
        let ring = ring.fetch_one(connection).await?;
        faults.when(ring && kind.is_acyclic(), "/target", "cycle", format!("then it {kind} itself, by way of others"));
        faults.when(ring && kind.is_mutual(), "/target", "repeated", "it holds both ways and is said once");
        faults.result()?;
        Ok(json!({}))
    }
}
