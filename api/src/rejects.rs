//! What the engine refused: how much for which reason, what it was, and sending it through again after a fix.

pub(crate) mod files;
mod list;
pub mod publish;
mod replay;
mod sample;

pub use list::{ReasonView, reasons};
pub use replay::{ReplayInput, ReplayView, progress, replay};
pub use sample::{SampleView, sample};

use crate::{gate::Gate, problem::Problem, routes::Routes};
use dcmms_schemas::{
    access::Feature::{F17, F18},
    reading::Reason,
};
use utoipa_axum::routes;

pub(crate) fn routes() -> Routes {
    let seen = Routes::new()
        .on(Gate::read(F17), routes!(list::rejects))
        .on(Gate::read(F17), routes!(list::by_reason))
        .on(Gate::read(F17), routes!(sample::shown));
    let replays = Routes::new()
        .on(Gate::create(F18), routes!(replay::create))
        .on(Gate::read(F17), routes!(replay::list))
        .on(Gate::read(F17), routes!(replay::one));
    seen.merge(replays)
}

/// The reasons asked for; one that does not exist is refused with those that do.
fn known(reasons: &[String], pointer: &str) -> Result<(), Problem> {
    let unknown = reasons.iter().find(|asked| !Reason::ALL.iter().any(|reason| reason.name() == *asked));
    match unknown {
        None => Ok(()),
        Some(asked) => {
            let names = Reason::ALL.map(Reason::name).join(", ");
            Err(Problem::field(pointer, "bad_reason", format!("{asked:?} is no reason; there are {names}")))
        }
    }
}
