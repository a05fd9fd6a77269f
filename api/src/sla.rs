//! SLA policies, which the API keeps, and clocks, which the engine derives.

mod clocks;
mod policies;

pub use policies::{PolicyInput, PolicyView, create};

use crate::{gate::Gate, routes::Routes};
use dcmms_schemas::access::Feature::{F56, F57};
use utoipa_axum::routes;

pub(crate) fn routes() -> Routes {
    Routes::new()
        .on(Gate::read(F56), routes!(policies::list))
        .on(Gate::read(F56), routes!(policies::read))
        .on(Gate::create(F56), routes!(policies::add))
        .on(Gate::change(F56), routes!(policies::change))
        .on(Gate::change(F56), routes!(policies::remove))
        .on(Gate::read(F57), routes!(clocks::list))
        .on(Gate::read(F57), routes!(clocks::explain))
}
