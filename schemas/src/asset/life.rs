//! The life of a thing, from plan to retirement.

use crate::{
    machine::{Guard, Machine, Move, holds, said, step},
    order::kinds::names,
};
use serde::{Deserialize, Serialize};

names!(
    /// How a thing stands.
    State {
        Planned = "planned",
        Procured = "procured",
        Installing = "installing",
        Commissioning = "commissioning",
        Operational = "operational",
        Degraded = "degraded",
        UnderMaintenance = "under_maintenance",
        Failed = "failed",
        Decommissioning = "decommissioning",
        Decommissioned = "decommissioned",
        Retired = "retired",
    }
);

names!(
    Event {
        Procure = "procure",
        StartInstall = "start_install",
        StartCommissioning = "start_commissioning",
        Accept = "accept",
        WorkStarted = "work_started",
        WorkVerified = "work_verified",
        WorkVerifiedDegraded = "work_verified_degraded",
        Derate = "derate",
        Restore = "restore",
        Fail = "fail",
        StartDecommission = "start_decommission",
        CompleteRemoval = "complete_removal",
        Retire = "retire",
        Reuse = "reuse",
    }
);

/// What the guards look at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub reason: Option<String>,
    /// The position it shall be installed at.
    pub position: Option<String>,
    /// Serial number of what is installed there in that interval.
    pub position_taken_by: Option<String>,
    pub checklist_complete: bool,
    pub tests_passed: bool,
    pub baseline_stored: bool,
    /// Numbers of orders under way that take its position out.
    pub outages_under_way: Vec<String>,
    /// Numbers of open orders on its position, but for those that decommission it.
    pub orders_open: Vec<String>,
}

const REASON: Guard<Facts> =
    Guard { name: "reason", needs: "Say why.", look: |facts| holds(said(facts.reason.as_ref()), || "no reason is given".into()) };
const ORDERED: Guard<Facts> = Guard {
    name: "ordered",
    needs: "Name the purchase order line or the donation as the reason.",
    look: |facts| holds(said(facts.reason.as_ref()), || "nothing says where it comes from".into()),
};
const POSITION_NAMED: Guard<Facts> = Guard {
    name: "position_named",
    needs: "Name the position at which it is installed.",
    look: |facts| holds(facts.position.is_some(), || "no position is named".into()),
};
const POSITION_FREE: Guard<Facts> = Guard {
    name: "position_free",
    needs: "Remove what is installed there first, or choose a later time.",
    look: |facts| match &facts.position_taken_by {
        Some(serial) => vec![format!("{serial} is installed there then")],
        None => vec![],
    },
};
const CHECKLIST: Guard<Facts> = Guard {
    name: "checklist",
    needs: "Complete the checklist of installation or removal.",
    look: |facts| holds(facts.checklist_complete, || "the checklist is not confirmed".into()),
};
const TESTS: Guard<Facts> =
    Guard { name: "tests", needs: "Pass the tests.", look: |facts| holds(facts.tests_passed, || "the tests are not confirmed".into()) };
const BASELINE: Guard<Facts> = Guard {
    name: "baseline",
    needs: "Store the baseline readings.",
    look: |facts| holds(facts.baseline_stored, || "the baseline readings are not confirmed".into()),
};
const OUTAGE_UNDER_WAY: Guard<Facts> = Guard {
    name: "outage_under_way",
    needs: "Start a work order that takes the position out.",
    look: |facts| holds(!facts.outages_under_way.is_empty(), || "no such order is in progress".into()),
};
const NO_OTHER_OUTAGE: Guard<Facts> = Guard {
    name: "no_other_outage",
    needs: "Complete the orders that still take the position out.",
    look: |facts| facts.outages_under_way.iter().map(|number| format!("{number} is in progress")).collect(),
};
const NO_OPEN_ORDERS: Guard<Facts> = Guard {
    name: "no_open_orders",
    needs: "Close or cancel the open orders of the position, but for those that decommission it.",
    look: |facts| facts.orders_open.iter().map(|number| format!("{number} is open")).collect(),
};

use Event::*;
use State::*;

static MOVES: &[Move<State, Event, Facts>] = &[
    step(&[Planned], Procure, Procured, &[ORDERED]),
    step(&[Procured], StartInstall, Installing, &[POSITION_NAMED, POSITION_FREE]),
    step(&[Installing], StartCommissioning, Commissioning, &[CHECKLIST]),
    step(&[Commissioning], Accept, Operational, &[TESTS, BASELINE]),
    step(&[Operational, Degraded, Failed], WorkStarted, UnderMaintenance, &[OUTAGE_UNDER_WAY]),
    step(&[UnderMaintenance], WorkVerified, Operational, &[NO_OTHER_OUTAGE, TESTS]),
    step(&[UnderMaintenance], WorkVerifiedDegraded, Degraded, &[NO_OTHER_OUTAGE, REASON]),
    step(&[Operational], Derate, Degraded, &[REASON]),
    step(&[Degraded], Restore, Operational, &[]),
    step(&[Operational, Degraded], Fail, Failed, &[REASON]),
    step(&[Operational, Degraded, Failed], StartDecommission, Decommissioning, &[NO_OPEN_ORDERS]),
    step(&[Decommissioning], CompleteRemoval, Decommissioned, &[CHECKLIST]),
    step(&[Decommissioned], Retire, Retired, &[REASON]),
    step(&[Decommissioned], Reuse, Procured, &[TESTS]),
];

/// The machine of an asset.
#[derive(Debug)]
pub struct Life;

impl Machine for Life {
    type State = State;
    type Event = Event;
    type Facts = Facts;
    const NAME: &'static str = "asset";
    const BEGINS: (&'static str, State) = ("register", Planned);

    fn moves() -> &'static [Move<State, Event, Facts>] {
        MOVES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::judge::judge;

    fn willing() -> Facts {
        Facts {
            reason: Some("PO-2026-000001 line 1".into()),
            position: Some("B03/INV07".into()),
            position_taken_by: None,
            checklist_complete: true,
            tests_passed: true,
            baseline_stored: true,
            outages_under_way: vec![],
            orders_open: vec![],
        }
    }

    /// Starting work wants an outage under way, verifying it wants none: the one fact the moves disagree about.
    fn willing_for(event: Event) -> Facts {
        let outages_under_way = if event == WorkStarted { vec!["WO-2026-000001".into()] } else { vec![] };
        Facts { outages_under_way, ..willing() }
    }

    #[test]
    fn the_table_is_the_matrix() {
        judge::<Life>(
            willing_for,
            &[
                (Planned, &[(Procure, Procured)]),
                (Procured, &[(StartInstall, Installing)]),
                (Installing, &[(StartCommissioning, Commissioning)]),
                (Commissioning, &[(Accept, Operational)]),
                (Operational, &[(WorkStarted, UnderMaintenance), (Derate, Degraded), (Fail, Failed), (StartDecommission, Decommissioning)]),
                (
                    Degraded,
                    &[(WorkStarted, UnderMaintenance), (Restore, Operational), (Fail, Failed), (StartDecommission, Decommissioning)],
                ),
                (UnderMaintenance, &[(WorkVerified, Operational), (WorkVerifiedDegraded, Degraded)]),
                (Failed, &[(WorkStarted, UnderMaintenance), (StartDecommission, Decommissioning)]),
                (Decommissioning, &[(CompleteRemoval, Decommissioned)]),
                (Decommissioned, &[(Retire, Retired), (Reuse, Procured)]),
                (Retired, &[]),
            ],
            &[
                ("ordered", Planned, Procure, |facts| facts.reason = None),
                ("position_named", Procured, StartInstall, |facts| facts.position = None),
                ("position_free", Procured, StartInstall, |facts| facts.position_taken_by = Some("SN1".into())),
                ("checklist", Installing, StartCommissioning, |facts| facts.checklist_complete = false),
                ("checklist", Decommissioning, CompleteRemoval, |facts| facts.checklist_complete = false),
                ("tests", Commissioning, Accept, |facts| facts.tests_passed = false),
                ("tests", Decommissioned, Reuse, |facts| facts.tests_passed = false),
                ("baseline", Commissioning, Accept, |facts| facts.baseline_stored = false),
                ("outage_under_way", Failed, WorkStarted, |facts| facts.outages_under_way.clear()),
                ("no_other_outage", UnderMaintenance, WorkVerified, |facts| facts.outages_under_way.push("WO-2026-000001".into())),
                ("reason", Operational, Fail, |facts| facts.reason = Some(" ".into())),
                ("no_open_orders", Failed, StartDecommission, |facts| facts.orders_open.push("WO-2026-000002".into())),
            ],
        );
    }
}
