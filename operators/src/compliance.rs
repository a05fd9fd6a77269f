//! The monthly generation of each site (pack IN-GEN-M): energy, CUF, PR, availability, completeness.
//!
//! Kept current from quarter-hours: a late or corrected quarter, a re-rated site or a new point takes the old figures back and
//! says the new ones. Every sum is a sum of integers carried as a difference, so that order does not matter and what is
//! taken back leaves nothing behind. Months are the site's own. Holds each quarter of a used point twice (56 bytes for the
//! joins, 60 for checkpoints), which is 4 MB per point and year, and a row per point and day for registers.

mod figures;
mod quarters;
mod registers;
mod uses;

#[cfg(test)]
mod tests;

pub use figures::{FigureRow, Inputs, Item, figures};
pub use uses::{Candidate, Method, Role, select};

use crate::{
    Diff, Flow, Rows,
    control::Control,
    keep::Keeper,
    plant_rows::{Plant, SiteRow, Zone},
    points::WatchedRollup,
    real::Real,
    ticks::TickRows,
};
use chrono::{Datelike, NaiveDate};
use dcmms_schemas::{
    id::{PointNumber, SiteId},
    outcome::Outcome,
    rollup::Level,
    time::{MINUTE, Moment},
};
use serde::{Deserialize, Serialize};

/// The kinds of points that a site's figures are made of: the host of the points must watch their quarters.
pub const KINDS: [&str; 3] = ["ac.energy_export", "ac.power", "met.poa"];

const QUARTER: i64 = 15 * MINUTE;

/// The most that one quarter of one point counts, in milliwatt-hours and microwatts per m2: a gigawatt-hour. It keeps sums of
/// nonsense readings inside 64 bits.
const AMOUNT_MAX: f64 = 1e12;

/// A quarter in which a point had readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Quarter {
    start: Moment,
    mean: Real,
    first: Real,
    last: Real,
}

/// A quarter of a point that a site's figures use, with what they use it for.
type Measured<'s> = Rows<'s, ((SiteId, Zone), (PointNumber, Role, Quarter))>;

/// Says the figures of all sites and months with data. `rollups` may hold other levels and points; they are passed over. A start
/// tells the quarters again, and what follows from them is what was said before.
pub fn compliance<'s>(
    rollups: Rows<'s, WatchedRollup>,
    plant: Plant<'s>,
    control: Flow<'s, Control>,
    keeper: &Keeper,
) -> Flow<'s, Outcome> {
    let quarters = quarters::kept(quarters_of(rollups), control, keeper);
    figures_of(quarters, plant).each_tick_of_rows("Compliance", |_, rows| {
        let figures = rows.into_iter().map(|(row, diff)| (row.into(), diff)).collect();
        vec![Outcome { figures, ..Outcome::default() }]
    })
}

fn quarters_of<'s>(rollups: Rows<'s, WatchedRollup>) -> Rows<'s, (PointNumber, Quarter)> {
    rollups.flat_map(|row| {
        let quarter = Quarter { start: row.start, mean: row.mean, first: row.first, last: row.last };
        (row.level == Level::Quarter && row.n > 0).then_some((row.point, quarter))
    })
}

fn figures_of<'s>(quarters: Rows<'s, (PointNumber, Quarter)>, plant: Plant<'s>) -> Rows<'s, FigureRow> {
    let candidates = uses::candidates(plant.points, plant.positions);
    let uses = candidates.clone().reduce_named("Uses", |_, candidates, out: &mut Vec<((PointNumber, Role), Diff)>| {
        let candidates: Vec<&Candidate> = candidates.iter().map(|(candidate, _)| *candidate).collect();
        out.extend(select(&candidates).0.into_iter().map(|used| (used, 1)));
    });
    let methods = candidates.reduce_named("Methods", |_, candidates, out: &mut Vec<(Method, Diff)>| {
        let candidates: Vec<&Candidate> = candidates.iter().map(|(candidate, _)| *candidate).collect();
        out.push((select(&candidates).1, 1));
    });
    let zones = plant.sites.clone().map(|site| (site.id, site.zone));
    let uses = uses.join_map(zones, |site, (point, role), zone| (*point, (*site, *zone, *role)));
    let measured = quarters.join_map(uses, |point, quarter, (site, zone, role)| ((*site, *zone), (*point, *role, *quarter)));
    let through = through(measured.clone());
    let sums = sums(measured, plant.sites.clone());
    assemble(plant.sites, methods, through, sums)
}

/// What a site's month is known by, gathered for [`figures`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Fact {
    Site(SiteRow),
    Method(Method),
    Through(Moment),
    Sum(Item, i64),
}

fn assemble<'s>(
    sites: Rows<'s, SiteRow>,
    methods: Rows<'s, (SiteId, Method)>,
    through: Rows<'s, ((SiteId, NaiveDate), Moment)>,
    sums: Rows<'s, ((SiteId, NaiveDate), (Item, i64))>,
) -> Rows<'s, FigureRow> {
    let months = through.clone().map(|((site, month), _)| (site, month));
    let sites = months.clone().join_map(sites.map(|site| (site.id, site)), |id, month, site| ((*id, *month), Fact::Site(site.clone())));
    let methods = months.join_map(methods, |id, month, method| ((*id, *month), Fact::Method(*method)));
    let through = through.map(|(key, through)| (key, Fact::Through(through)));
    let sums = sums.map(|(key, (item, sum))| (key, Fact::Sum(item, sum)));
    let facts = sites.concatenate([methods, through, sums]);
    let figures = facts.reduce_named("Figures", |(_, month), facts, out: &mut Vec<(FigureRow, Diff)>| {
        let (mut site, mut method, mut through, mut inputs) = (None, None, None, Inputs::default());
        for (fact, _) in facts {
            match fact {
                Fact::Site(row) => site = Some(row),
                Fact::Method(row) => method = Some(row),
                Fact::Through(at) => through = Some(*at),
                Fact::Sum(item, sum) => inputs.add(*item, *sum),
            }
        }
        if let (Some(site), Some(method), Some(through)) = (site, method, through) {
            out.extend(figures(site, *month, through, method, &inputs).into_iter().map(|figure| (figure, 1)));
        }
    });
    figures.map(|(_, figure)| figure)
}

/// Up to when the data of each site's month reach: the end of the month once the site has data after it.
fn through<'s>(measured: Measured<'s>) -> Rows<'s, ((SiteId, NaiveDate), Moment)> {
    let quarters = measured.map(|(site, (_, _, quarter))| (site, quarter.start)).distinct_core::<Diff>();
    let days = quarters.map(|((site, zone), start)| ((site, zone, date_of(zone, start)), start));
    let days = days.reduce_named("LastOfDay", |_, starts, out: &mut Vec<(Moment, Diff)>| {
        let (last, _) = starts.last().expect("a reduced key has rows");
        out.push((last.plus(QUARTER), 1));
    });
    let ends = days.map(|((site, zone, date), end)| ((site, zone), (date, end)));
    let months = ends.reduce_named("Through", |(_, zone), days, out: &mut Vec<((NaiveDate, Moment), Diff)>| {
        // The last date has the last end, because dates of one zone follow one another.
        let ((_, end), _) = days.last().expect("a reduced key has rows");
        let mut months: Vec<NaiveDate> = days.iter().map(|((date, _), _)| first_of_month(*date)).collect();
        months.dedup();
        out.extend(months.into_iter().map(|month| ((month, (*end).min(month_end(*zone, month))), 1)));
    });
    months.map(|((site, _), (month, through))| ((site, month), through))
}

/// Adds up everything by site and month.
fn sums<'s>(measured: Measured<'s>, sites: Rows<'s, SiteRow>) -> Rows<'s, ((SiteId, NaiveDate), (Item, i64))> {
    let linear = measured.clone().flat_map(|((site, zone), (_, role, quarter))| {
        let month = month_of(zone, quarter.start);
        let items = match role {
            Role::Counted => vec![(Item::Quarters, 1)],
            Role::Power { milliwatts_per_unit } => {
                vec![(Item::Energy, amount(quarter.mean.0 * milliwatts_per_unit as f64 / 4.0)), (Item::EnergyQuarters, 1)]
            }
            Role::Register { .. } => vec![(Item::EnergyQuarters, 1)],
            Role::Irradiance | Role::Running => vec![],
        };
        items.into_iter().map(move |(item, amount)| ((site, month, item), amount))
    });
    let registers = registers::monthly(measured.clone())
        .flat_map(|(site, month, rise, restarts)| [((site, month, Item::Energy), rise), ((site, month, Item::Restarts), restarts)]);
    let irradiance = irradiance(measured.clone());
    let radiation = irradiance.clone().map(|((site, zone), (start, micro))| ((site, month_of(zone, start), Item::Irradiation), micro));
    let availability = availability(measured, irradiance, sites);
    let amounts = linear.concatenate([registers, radiation, availability]);
    // An amount becomes the difference itself, so that adding up is all that is left to do.
    let amounts = amounts.explode(|(key, amount)| Some((key, amount)));
    amounts.count_core::<Diff>().map(|((site, month, item), sum)| ((site, month), (item, sum)))
}

/// The mean of a site's sensors in each quarter, in microwatts per m2. At night a sensor may read a little below zero: that is none.
fn irradiance<'s>(measured: Measured<'s>) -> Rows<'s, ((SiteId, Zone), (Moment, i64))> {
    let sensors = measured.flat_map(|(site, (point, role, quarter))| {
        (role == Role::Irradiance).then_some(((site, quarter.start), (point, amount(quarter.mean.0.max(0.0) * 1e6))))
    });
    let means = sensors.reduce_named("Irradiance", |_, sensors, out: &mut Vec<(i64, Diff)>| {
        let sum: i64 = sensors.iter().map(|((_, micro), _)| micro).sum();
        out.push((sum / sensors.len() as i64, 1));
    });
    means.map(|((site, start), micro)| (site, (start, micro)))
}

/// Counts, of the quarters with enough sun, those in which an inverter was known, and was running.
fn availability<'s>(
    measured: Measured<'s>,
    irradiance: Rows<'s, ((SiteId, Zone), (Moment, i64))>,
    sites: Rows<'s, SiteRow>,
) -> Rows<'s, ((SiteId, NaiveDate, Item), i64)> {
    let thresholds = sites.map(|site| ((site.id, site.zone), amount(site.poa_threshold.0 * 1e6)));
    let sunny = irradiance
        .join_map(thresholds, |site, (start, micro), threshold| ((*site, *start), micro >= threshold))
        .filter(|(_, sunny)| *sunny)
        .map(|(quarter, _)| (quarter, ()));
    let inverters = measured
        .flat_map(|(site, (_, role, quarter))| (role == Role::Running).then_some(((site, quarter.start), quarter.mean > Real(0.0))));
    let known = inverters.join_map(sunny.clone(), |((site, zone), start), running, ()| (*site, month_of(*zone, *start), *running));
    let known =
        known.flat_map(|(site, month, running)| [((site, month, Item::Known), 1), ((site, month, Item::Running), i64::from(running))]);
    known.concat(sunny.map(|(((site, zone), start), ())| ((site, month_of(zone, start), Item::Sunny), 1)))
}

fn amount(value: f64) -> i64 {
    value.clamp(-AMOUNT_MAX, AMOUNT_MAX).round() as i64
}

fn date_of(zone: Zone, at: Moment) -> NaiveDate {
    at.utc().with_timezone(&zone.0).date_naive()
}

fn month_of(zone: Zone, at: Moment) -> NaiveDate {
    first_of_month(date_of(zone, at))
}

fn first_of_month(date: NaiveDate) -> NaiveDate {
    date.with_day(1).expect("every month has a first day")
}

fn month_end(zone: Zone, month: NaiveDate) -> Moment {
    dcmms_schemas::rollup::midnight(month + chrono::Months::new(1), zone.0)
}
