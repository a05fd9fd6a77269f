//! Things that are installed at positions: what they are, how they live, what holds for them.

mod claims;
mod installations;
mod items;
mod labels;
mod meters;
mod models;
mod readings;
mod relations;
mod warranties;

use crate::{resource::statements, routes::Routes};

pub(crate) fn routes() -> Routes {
    let things = Routes::new().merge(models::routes()).merge(items::routes()).merge(installations::routes()).merge(relations::routes());
    let rights = things.merge(warranties::routes()).merge(claims::routes());
    rights.merge(meters::routes()).merge(readings::routes()).merge(labels::routes())
}

/// The statements that are put together here, for the test that prepares them.
pub(crate) fn queries() -> Vec<String> {
    let things = [statements::<models::ModelView>(), statements::<items::AssetView>(), statements::<relations::RelationView>()];
    let rights = [statements::<warranties::WarrantyView>(), statements::<claims::ClaimView>(), statements::<meters::MeterView>()];
    things.into_iter().chain(rights).flatten().collect()
}
