//! The plant as differential sees it: sites, positions and points in a form that can be sorted, joined and taken back.

use crate::{Diff, Flow, Rows, control::Control, keep::Keeper, real::Real, ticks::Ticks};
use chrono_tz::Tz;
use dcmms_schemas::{
    domain::{Event, Row},
    id::{PointNumber, PositionId, SiteId},
    plant::{Point, Position, Site},
    time::Tick,
};
use differential_dataflow::AsCollection;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};
use timely::dataflow::operators::vec::Map;

/// A time zone, ordered by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Zone(pub Tz);

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Zone) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Zone {
    fn cmp(&self, other: &Zone) -> Ordering {
        self.0.name().cmp(other.0.name())
    }
}

impl Hash for Zone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name().hash(state);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SiteRow {
    pub id: SiteId,
    pub zone: Zone,
    pub ac_kw: Option<Real>,
    pub dc_kwp: Option<Real>,
    pub poa_threshold: Real,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PositionRow {
    pub id: PositionId,
    pub site: SiteId,
    pub class: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PointRow {
    pub number: PointNumber,
    pub site: SiteId,
    pub position: Option<PositionId>,
    pub kind: String,
    pub unit: String,
    pub counter: bool,
}

impl From<&Site> for SiteRow {
    fn from(site: &Site) -> SiteRow {
        SiteRow {
            id: site.id,
            zone: Zone(site.zone),
            ac_kw: site.ac_kw.map(Real),
            dc_kwp: site.dc_kwp.map(Real),
            poa_threshold: Real(site.poa_threshold),
        }
    }
}

impl From<&Position> for PositionRow {
    fn from(position: &Position) -> PositionRow {
        PositionRow { id: position.id, site: position.site, class: position.class.clone() }
    }
}

impl From<&Point> for PointRow {
    fn from(point: &Point) -> PointRow {
        PointRow {
            number: point.number,
            site: point.site,
            position: point.position,
            kind: point.kind.clone(),
            unit: point.unit.clone(),
            counter: point.counter,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Thing {
    Site(SiteRow),
    Position(PositionRow),
    Point(PointRow),
}

/// The current version of everything; a new version takes the old row back.
#[derive(Clone)]
pub struct Plant<'s> {
    pub sites: Rows<'s, SiteRow>,
    pub positions: Rows<'s, PositionRow>,
    pub points: Rows<'s, PointRow>,
}

impl std::fmt::Debug for Plant<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Plant")
    }
}

/// Turns what the domain says into rows. Every worker hears everything and says what falls to it by id, so that each row is
/// there once. Holds one row per site, position and point that falls to this worker. A start says what is there as of its tick.
pub fn plant_rows<'s>(control: Flow<'s, Control>, keeper: &Keeper) -> Plant<'s> {
    let scope = control.scope();
    let mut known = Known { index: scope.index() as u128, peers: scope.peers() as u128, things: FxHashMap::default() };
    let first = keeper.restored().map(|restored| {
        let tick = restored.binding.tick;
        let mut changes = Vec::new();
        restored.domain.iter().for_each(|event| known.hear(tick, event, &mut changes));
        (tick, changes)
    });
    let changes = control.each_tick_after("PlantRows", first, move |tick, told| {
        let mut changes = Vec::new();
        told.events.iter().for_each(|event| known.hear(tick, event, &mut changes));
        changes
    });
    let sites = changes.clone().flat_map(|(thing, tick, diff)| if let Thing::Site(row) = thing { Some((row, tick, diff)) } else { None });
    let positions =
        changes.clone().flat_map(|(thing, tick, diff)| if let Thing::Position(row) = thing { Some((row, tick, diff)) } else { None });
    let points = changes.flat_map(|(thing, tick, diff)| if let Thing::Point(row) = thing { Some((row, tick, diff)) } else { None });
    Plant { sites: sites.as_collection(), positions: positions.as_collection(), points: points.as_collection() }
}

/// What was said last of each thing that falls to this worker.
struct Known {
    index: u128,
    peers: u128,
    things: FxHashMap<(&'static str, u128), (i64, Option<Thing>)>,
}

impl Known {
    fn hear(&mut self, tick: Tick, event: &Event, changes: &mut Vec<(Thing, Tick, Diff)>) {
        let thing = match &event.row {
            Row::Site(site) => Thing::Site(site.into()),
            Row::Position(position) => Thing::Position(position.into()),
            Row::Point(point) => Thing::Point(point.into()),
            Row::Rule(_) | Row::Calendar(_) | Row::Policy(_) | Row::Order(_) | Row::Model(_) => return,
        };
        let id = event.row.id().as_u128();
        if id % self.peers != self.index {
            return;
        }
        let (version, before) = self.things.entry((event.row.entity(), id)).or_insert((i64::MIN, None));
        if *version >= event.version {
            return;
        }
        *version = event.version;
        let after = (!event.removed).then_some(thing);
        if *before != after {
            changes.extend(before.take().map(|thing| (thing, tick, -1 as Diff)));
            changes.extend(after.clone().map(|thing| (thing, tick, 1 as Diff)));
            *before = after;
        }
    }
}
