//! Which points of a site are used for what.

use crate::{
    Rows,
    plant_rows::{PointRow, PositionRow},
};
use dcmms_schemas::id::{PointNumber, PositionId, SiteId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A point that a site's figures could use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Candidate {
    pub point: PointNumber,
    pub kind: String,
    pub unit: String,
    pub counter: bool,
    /// The position with its class; `None`: it speaks of the whole site.
    pub position: Option<(PositionId, String)>,
}

/// What a point is used for. One point can have several roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Its quarters count for completeness: each used point once.
    Counted,
    /// Energy is what this register rose.
    Register { milliwatt_hours_per_unit: i64 },
    /// Energy is the mean power of each quarter.
    Power { milliwatts_per_unit: i64 },
    /// Irradiance in the plane of the array, W/m2.
    Irradiance,
    /// An inverter runs when this is above zero.
    Running,
}

/// How a site's energy was found, in counts of points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Method {
    /// Registers of the site itself; then nothing else counts.
    pub meters: u32,
    pub registers: u32,
    pub powers: u32,
    pub irradiance: u32,
    pub inverters: u32,
    /// All points that are used, each once.
    pub used: u32,
}

/// Points of the kinds in question with the class of their position, by site. A point whose position is not known (yet) is left out.
pub(super) fn candidates<'s>(points: Rows<'s, PointRow>, positions: Rows<'s, PositionRow>) -> Rows<'s, (SiteId, Candidate)> {
    fn candidate(row: &PointRow, position: Option<(PositionId, String)>) -> (SiteId, Candidate) {
        let (kind, unit) = (row.kind.clone(), row.unit.clone());
        (row.site, Candidate { point: row.number, kind, unit, counter: row.counter, position })
    }
    let points = points.filter(|row| super::KINDS.contains(&row.kind.as_str()));
    let of_site = points.clone().filter(|row| row.position.is_none()).map(|row| candidate(&row, None));
    let of_position = points.flat_map(|row| row.position.map(|position| (position, row)));
    let positions = positions.map(|position| (position.id, position.class));
    of_site.concat(of_position.join_map(positions, |id, row, class| candidate(row, Some((*id, class.clone())))))
}

/// Decides who measures what. A site meter (a register of the site itself) stands for all; else each generating position is
/// measured by its register, or by its power where it has none. Generating are inverters and turbines, or all positions
/// where there are none of these, so that a block and its inverters are not counted twice.
pub fn select(candidates: &[&Candidate]) -> (Vec<(PointNumber, Role)>, Method) {
    let mut method = Method::default();
    let mut used = Vec::new();
    let is_register = |candidate: &&&Candidate| candidate.kind == "ac.energy_export" && candidate.counter;
    let is_power = |candidate: &&&Candidate| candidate.kind == "ac.power";
    let any_generator = candidates.iter().any(|candidate| generates(candidate));
    let counts = |candidate: &&&Candidate| candidate.position.is_some() && (!any_generator || generates(candidate));

    let meters: Vec<_> = candidates.iter().filter(is_register).filter(|candidate| candidate.position.is_none()).collect();
    if meters.is_empty() {
        let registers: Vec<_> = candidates.iter().filter(is_register).filter(counts).collect();
        let metered: BTreeSet<_> = registers.iter().map(|candidate| &candidate.position).collect();
        let powers = candidates.iter().filter(is_power).filter(counts).filter(|candidate| !metered.contains(&candidate.position));
        for power in powers {
            used.push((power.point, Role::Power { milliwatts_per_unit: milli_per_unit(&power.unit) }));
            method.powers += 1;
        }
        method.registers = registers.len() as u32;
        used.extend(registers.into_iter().map(|register| (register.point, register_of(register))));
    } else {
        method.meters = meters.len() as u32;
        used.extend(meters.into_iter().map(|meter| (meter.point, register_of(meter))));
    }
    for candidate in candidates.iter().filter(|candidate| candidate.kind == "met.poa") {
        used.push((candidate.point, Role::Irradiance));
        method.irradiance += 1;
    }
    for candidate in candidates.iter().filter(is_power).filter(|candidate| has_class(candidate, "inverter")) {
        used.push((candidate.point, Role::Running));
        method.inverters += 1;
    }
    let points: BTreeSet<PointNumber> = used.iter().map(|(point, _)| *point).collect();
    method.used = points.len() as u32;
    used.extend(points.into_iter().map(|point| (point, Role::Counted)));
    (used, method)
}

fn has_class(candidate: &Candidate, class: &str) -> bool {
    candidate.position.as_ref().is_some_and(|(_, of)| of == class)
}

fn generates(candidate: &Candidate) -> bool {
    has_class(candidate, "inverter") || has_class(candidate, "turbine")
}

fn register_of(candidate: &Candidate) -> Role {
    Role::Register { milliwatt_hours_per_unit: milli_per_unit(&candidate.unit) }
}

/// Milliwatt-hours in the unit of a register, milliwatts in the unit of a power. Canonical are kilowatt-hours and kilowatts.
fn milli_per_unit(unit: &str) -> i64 {
    match unit {
        "W" | "Wh" | "W.h" => 1_000,
        "MW" | "MWh" | "MW.h" => 1_000_000_000,
        _ => 1_000_000,
    }
}
