//! Parts, stores, what lies where, and what is promised to whom.

mod counts;
mod kits;
mod ledger;
mod moves;
mod parts;
mod reorder;
mod reservations;
mod stores;

pub(crate) use reservations::{release_all, unsettled};

use crate::{resource::statements, routes::Routes};

pub(crate) fn routes() -> Routes {
    let kept = Routes::new().merge(parts::routes()).merge(stores::routes()).merge(kits::routes()).merge(reorder::routes());
    kept.merge(moves::routes()).merge(reservations::routes()).merge(counts::routes())
}

/// The statements that are put together here, for the test that prepares them.
pub(crate) fn queries() -> Vec<String> {
    let kept = [statements::<parts::PartView>(), statements::<stores::StoreView>(), statements::<kits::KitView>()];
    let moved = [statements::<moves::MoveView>(), statements::<reservations::ReservationView>(), statements::<counts::CountView>()];
    kept.into_iter().chain(moved).flatten().collect()
}
