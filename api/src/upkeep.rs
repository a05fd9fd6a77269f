//! The routes of maintenance, gathered.

use crate::{alarms, lineage, orders, predictions, routes::Routes, sla, technicians};

pub(crate) fn routes() -> Routes {
    let people = Routes::new().merge(orders::routes()).merge(technicians::routes()).merge(alarms::routes());
    people.merge(sla::routes()).merge(predictions::routes()).merge(lineage::routes())
}
