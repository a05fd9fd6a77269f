//! Which local hour and day a quarter belongs to, remembered: the calendar is asked once per quarter and zone, never per
//! reading.

use chrono_tz::Tz;
use dcmms_schemas::{
    rollup::Level,
    time::{MINUTE, Moment},
};
use rustc_hash::FxHashMap;

/// A window as [start, end).
pub(crate) type Span = (Moment, Moment);

/// The windows of the three coarser levels that hold a quarter, in the order quarter, hour, day.
pub(crate) type Spans = [Span; 3];

/// The levels above the minute.
pub(crate) const COARSE: [Level; 3] = [Level::Quarter, Level::Hour, Level::Day];

#[derive(Debug)]
struct Zone {
    zone: Tz,
    quarters: FxHashMap<Moment, Spans>,
}

/// The zones of all sites.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    zones: Vec<Zone>,
}

impl Zones {
    /// Some six weeks of quarters per zone, 50 bytes each; then the memory starts anew.
    const QUARTERS_MAX: usize = 4_096;

    /// The index by which points name this zone.
    pub(crate) fn index(&mut self, zone: Tz) -> u16 {
        let known = self.zones.iter().position(|known| known.zone == zone);
        let index = known.unwrap_or_else(|| {
            self.zones.push(Zone { zone, quarters: FxHashMap::default() });
            self.zones.len() - 1
        });
        u16::try_from(index).expect("the zone database has some 600 zones")
    }

    /// The windows that hold the quarter of `at`. They are a function of the quarter's start alone.
    pub(crate) fn spans(&mut self, zone: u16, at: Moment) -> Spans {
        let quarter = at.floor(15 * MINUTE);
        let Zone { zone, quarters } = &mut self.zones[usize::from(zone)];
        if quarters.len() >= Zones::QUARTERS_MAX {
            quarters.clear();
        }
        *quarters.entry(quarter).or_insert_with(|| COARSE.map(|level| level.window(quarter, *zone)))
    }
}
