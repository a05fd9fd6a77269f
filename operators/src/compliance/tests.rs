use super::*;
use crate::{
    plant_rows::{PositionRow, plant_rows},
    script::{Script, event},
};
use chrono_tz::Tz;
use dcmms_schemas::{
    compliance::Figure,
    domain::Row,
    id::PositionId,
    plant::{Point, Position, Site},
    time::{DAY, HOUR},
};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

fn site(id: u128, zone: Tz) -> Site {
    let id = SiteId(Uuid::from_u128(id));
    Site { id, code: "RJ01".into(), name: "Raj".into(), zone, ac_kw: Some(8_000.0), dc_kwp: Some(10_000.0), poa_threshold: 100.0 }
}

fn position(site: u128, id: u128, class: &str) -> Position {
    let (id, site) = (PositionId(Uuid::from_u128(id)), SiteId(Uuid::from_u128(site)));
    Position { id, site, parent: None, code: "INV".into(), name: "inverter".into(), class: class.into(), rated_kw: None }
}

fn point(site: u128, number: u32, position: Option<u128>, kind: &str, unit: &str) -> Point {
    Point {
        id: Uuid::from_u128(1_000 + u128::from(number)),
        number: PointNumber(number),
        key: format!("P{number}"),
        site: SiteId(Uuid::from_u128(site)),
        position: position.map(|id| PositionId(Uuid::from_u128(id))),
        kind: kind.into(),
        unit: unit.into(),
        counter: kind == "ac.energy_export",
        resolution: 1e-6,
        horizon_ms: 1,
    }
}

fn quarter(point: u32, start: Moment, first: f64, last: f64, mean: f64) -> WatchedRollup {
    let end = start.plus(QUARTER - 1);
    WatchedRollup {
        point: PointNumber(point),
        level: Level::Quarter,
        start,
        n: 2,
        n_uncertain: 0,
        n_bad: 0,
        min: Real(mean),
        max: Real(mean),
        mean: Real(mean),
        stddev: Real(0.0),
        first: Real(first),
        first_at: start,
        last: Real(last),
        last_at: end,
    }
}

fn row(site: &Site) -> SiteRow {
    site.into()
}

fn month(year: i32, month: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, 1).expect("a date")
}

fn inputs(sums: &[(Item, i64)]) -> Inputs {
    let mut inputs = Inputs::default();
    sums.iter().for_each(|(item, sum)| inputs.add(*item, *sum));
    inputs
}

const SOLAR: Method = Method { meters: 1, registers: 0, powers: 0, irradiance: 1, inverters: 2, used: 4 };

fn value(figures: &[FigureRow], metric: &str) -> Option<f64> {
    figures.iter().find(|figure| figure.metric == metric).expect("every metric is said").value.map(|value| value.0)
}

fn reason(figures: &[FigureRow], metric: &str) -> Option<String> {
    figures.iter().find(|figure| figure.metric == metric).expect("every metric is said").reason.clone()
}

/// E = 1,320 MWh, P = 10 MWp, H = 165 kWh/m2, 720 h, AC 8 MW.
#[test]
fn performance_ratio_and_cuf_of_the_worked_example() {
    let (site, april) = (row(&site(1, chrono_tz::Asia::Kolkata)), month(2026, 4));
    let sums = inputs(&[(Item::Energy, 1_320_000 * 1_000_000), (Item::EnergyQuarters, 2_880), (Item::Irradiation, 165 * 4_000_000_000)]);
    let figures = figures(&site, april, month_end(site.zone, april), &SOLAR, &sums);
    assert_eq!(value(&figures, "energy"), Some(1_320_000.0));
    assert!((value(&figures, "pr").expect("a ratio") - 0.80).abs() < 1e-12);
    assert!((value(&figures, "cuf").expect("a ratio") - 0.229_166_666_666_666).abs() < 1e-12);
    let cuf = figures.iter().find(|figure| figure.metric == "cuf").expect("said");
    assert_eq!((cuf.basis.as_str(), cuf.denominator), ("AC 8000 kW x 720 h", Real(5_760_000.0)));
}

/// Gross 12,450.5 MWh in 744 h: 20.92 % of 80 MW AC; a printed 65.8 % must be refused.
#[test]
fn an_impossible_cuf_is_refused_with_a_reason() {
    let (mut site, july) = (row(&site(1, chrono_tz::Asia::Kolkata)), month(2026, 7));
    let sums = inputs(&[(Item::Energy, 12_450_500 * 1_000_000), (Item::EnergyQuarters, 1)]);
    let of = |site: &SiteRow, method: &Method| figures(site, july, month_end(site.zone, july), method, &sums);
    site.ac_kw = Some(Real(80_000.0));
    assert!((value(&of(&site, &SOLAR), "cuf").expect("a ratio") - 0.209_181_788).abs() < 1e-8);
    site.ac_kw = Some(Real(100_000.0));
    assert!((value(&of(&site, &SOLAR), "cuf").expect("a ratio") - 0.167_345_430).abs() < 1e-8);
    site.ac_kw = Some(Real(12_450_500.0 / 744.0 / 0.658));
    assert_eq!(value(&of(&site, &SOLAR), "cuf"), None);
    assert!(reason(&of(&site, &SOLAR), "cuf").expect("a reason").starts_with("implausible: 65.8 % is above 45 %"));
    let wind = Method { meters: 1, used: 1, ..Method::default() };
    assert!(value(&of(&site, &wind), "cuf").is_some(), "wind may blow that long");
    assert!(reason(&of(&site, &wind), "pr").expect("a reason").contains("met.poa"));
    assert!(reason(&of(&site, &wind), "availability").expect("a reason").contains("met.poa"));
}

#[test]
fn a_site_meter_stands_for_all_and_a_register_for_its_position() {
    let candidate = |point, kind: &str, position: Option<(u128, &str)>| Candidate {
        point: PointNumber(point),
        kind: kind.into(),
        unit: "kWh".into(),
        counter: kind == "ac.energy_export",
        position: position.map(|(id, class)| (PositionId(Uuid::from_u128(id)), class.to_owned())),
    };
    let roles = |candidates: &[Candidate]| {
        let (used, method) = select(&candidates.iter().collect::<Vec<_>>());
        let of = |wanted: fn(&Role) -> bool| used.iter().filter(|(_, role)| wanted(role)).map(|(point, _)| point.0).collect::<Vec<_>>();
        let energy = of(|role| matches!(role, Role::Register { .. } | Role::Power { .. }));
        (energy, of(|role| *role == Role::Running), of(|role| *role == Role::Counted), method)
    };
    let mut all = vec![
        candidate(1, "ac.energy_export", Some((1, "inverter"))),
        candidate(2, "ac.power", Some((1, "inverter"))),
        candidate(3, "ac.power", Some((2, "inverter"))),
        candidate(4, "ac.power", Some((3, "block"))),
        candidate(5, "met.poa", Some((4, "weather"))),
    ];
    let (energy, running, counted, method) = roles(&all);
    assert_eq!((energy, running, counted), (vec![3, 1], vec![2, 3], vec![1, 2, 3, 5]));
    assert_eq!(method, Method { meters: 0, registers: 1, powers: 1, irradiance: 1, inverters: 2, used: 4 });
    all.push(candidate(6, "ac.energy_export", None));
    assert_eq!(roles(&all).0, [6]);
    assert_eq!(roles(&all[3..4]).0, [4], "without inverters or turbines every position counts");
}

/// Adds up differences and refuses what was never there.
#[derive(Default)]
struct Table(Vec<Figure>);

impl Table {
    fn apply(&mut self, outcome: Outcome) {
        for (figure, diff) in outcome.figures {
            match diff {
                1 => self.0.push(figure),
                -1 => {
                    let index = self.0.iter().position(|known| *known == figure).expect("only what was said is taken back");
                    self.0.remove(index);
                }
                other => panic!("a difference of {other}"),
            }
        }
    }

    fn sorted(mut self) -> Vec<Figure> {
        self.0.sort_by(|a, b| (a.site, a.month, &a.metric).cmp(&(b.site, b.month, &b.metric)));
        self.0
    }
}

fn play(events: Vec<Vec<Row>>, rows: Vec<Vec<(WatchedRollup, Diff)>>, workers: usize) -> Vec<Figure> {
    let mut script = Script::default();
    for index in 0..events.len().max(rows.len()) {
        let told = events.get(index).into_iter().flatten();
        script.tick(Moment(index as i64), told.map(|row| event(index as i64, Moment(0), row.clone())).collect());
    }
    let mut table = Table::default();
    for (_, outcomes) in script.play_with(rows, workers, |control, quarters| {
        let keeper = Keeper::none();
        compliance(quarters, plant_rows(control.clone(), &keeper), control, &keeper)
    }) {
        outcomes.into_iter().for_each(|outcome| table.apply(outcome));
    }
    table.sorted()
}

fn of<'a>(figures: &'a [Figure], metric: &str) -> &'a Figure {
    figures.iter().find(|figure| figure.metric == metric).expect("every metric is said")
}

/// The worked example of the facts: 90 and 80 W/m2 are below the threshold, no power at 250 and 110 W/m2, one quarter unknown: 4 of 6.
#[test]
fn availability_leaves_unknown_quarters_out() {
    let start = Moment::from(chrono::DateTime::parse_from_rfc3339("2026-04-10T06:00:00+05:30").expect("a time").to_utc());
    let sun = [90.0, 250.0, 300.0, 400.0, 350.0, 200.0, 110.0, 500.0, 80.0];
    let power = [Some(0.0), Some(0.0), Some(5.0), Some(7.0), Some(6.0), Some(3.0), Some(0.0), None, Some(0.0)];
    let at = |index: usize| start.plus(index as i64 * QUARTER);
    let mut rows: Vec<_> = sun.iter().enumerate().map(|(index, sun)| (quarter(2, at(index), *sun, *sun, *sun), 1)).collect();
    rows.extend(power.iter().enumerate().filter_map(|(index, power)| power.map(|kw| (quarter(1, at(index), kw, kw, kw), 1))));
    let events = vec![vec![
        Row::Site(site(1, chrono_tz::Asia::Kolkata)),
        Row::Position(position(1, 7, "inverter")),
        Row::Point(point(1, 1, Some(7), "ac.power", "kW")),
        Row::Point(point(1, 2, None, "met.poa", "W/m2")),
    ]];
    let figures = play(events, vec![rows], 2);
    let availability = of(&figures, "availability");
    assert_eq!((availability.numerator, availability.denominator), (4.0, 6.0));
    assert!(availability.basis.contains("1 inverters x 7 quarters at or above 100 W/m2; 1 unknown left out"), "{}", availability.basis);
    assert_eq!(of(&figures, "energy").value, Some((5.0 + 7.0 + 6.0 + 3.0) / 4.0));
    let completeness = of(&figures, "completeness");
    let quarters = (start.plus(9 * QUARTER).0 - midnight_of_april().0) / QUARTER;
    assert_eq!((completeness.numerator, completeness.denominator), (17.0, 2.0 * quarters as f64));
}

fn midnight_of_april() -> Moment {
    dcmms_schemas::rollup::midnight(month(2026, 4), chrono_tz::Asia::Kolkata)
}

#[test]
fn a_register_that_falls_began_anew_and_a_gap_counts_where_it_ends() {
    let start = midnight_of_april().minus(QUARTER);
    let registers = [(-1, 100.0, 101.0), (0, 101.5, 103.0), (5, 110.0, 111.0), (6, 2.0, 4.0), (100, 4.0, 10.0)];
    let rows =
        registers.iter().map(|(index, first, last)| (quarter(1, start.plus((index + 1) * QUARTER), *first, *last, 0.0), 1)).collect();
    let events = vec![vec![
        Row::Site(site(1, chrono_tz::Asia::Kolkata)),
        Row::Position(position(1, 7, "inverter")),
        Row::Point(point(1, 1, Some(7), "ac.energy_export", "kWh")),
    ]];
    let figures = play(events, vec![rows], 1);
    let energy: Vec<_> = figures.iter().filter(|figure| figure.metric == "energy").map(|figure| figure.value).collect();
    assert_eq!(energy, [Some(1.0), Some(2.0 + 8.0 + 2.0 + 6.0)]);
    let april = figures.iter().find(|figure| figure.metric == "energy" && figure.month == month(2026, 4)).expect("said");
    assert!(april.basis.contains("1 register restart(s)"), "{}", april.basis);
}

/// The other judge: everything from scratch, with plain loops over the rows there are.
fn judge(sites: &[Site], points: &[Point], positions: &[Position], rows: &[WatchedRollup]) -> Vec<Figure> {
    let mut all = Vec::new();
    for site in sites {
        let class = |id: PositionId| positions.iter().find(|position| position.id == id).map(|position| PositionRow::from(position).class);
        let candidates: Vec<Candidate> = points
            .iter()
            .filter(|point| point.site == site.id && KINDS.contains(&point.kind.as_str()))
            .map(|point| Candidate {
                point: point.number,
                kind: point.kind.clone(),
                unit: point.unit.clone(),
                counter: point.counter,
                position: point.position.map(|id| (id, class(id).expect("positions are known"))),
            })
            .collect();
        let (used, method) = select(&candidates.iter().collect::<Vec<_>>());
        let zone = Zone(site.zone);
        let has_role = |row: &WatchedRollup, role: Role| used.contains(&(row.point, role));
        let mut rows: Vec<&WatchedRollup> = rows.iter().filter(|row| has_role(row, Role::Counted)).collect();
        rows.sort();
        let Some(end) = rows.iter().map(|row| row.start.plus(QUARTER)).max() else { continue };
        let mut months: BTreeMap<NaiveDate, Inputs> = BTreeMap::new();
        let mut sun: BTreeMap<Moment, Vec<i64>> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            let inputs = months.entry(month_of(zone, row.start)).or_default();
            inputs.add(Item::Quarters, 1);
            if has_role(row, Role::Power { milliwatts_per_unit: 1_000_000 }) {
                inputs.add(Item::Energy, (row.mean.0 * 250_000.0).round() as i64);
                inputs.add(Item::EnergyQuarters, 1);
            }
            if has_role(row, Role::Register { milliwatt_hours_per_unit: 1_000_000 }) {
                let before = rows[..index].iter().rfind(|before| before.point == row.point).map_or(row.first, |before| before.last);
                let fell = row.last < before;
                let rise = if fell { (row.last.0 - row.first.0).max(0.0) } else { row.last.0 - before.0 };
                inputs.add(Item::Energy, (rise * 1e6).round() as i64);
                inputs.add(Item::Restarts, i64::from(fell));
                inputs.add(Item::EnergyQuarters, 1);
            }
            if has_role(row, Role::Irradiance) {
                sun.entry(row.start).or_default().push((row.mean.0.max(0.0) * 1e6).round() as i64);
            }
        }
        for (start, sensors) in sun {
            let mean = sensors.iter().sum::<i64>() / sensors.len() as i64;
            let inputs = months.entry(month_of(zone, start)).or_default();
            inputs.add(Item::Irradiation, mean);
            if mean as f64 >= site.poa_threshold * 1e6 {
                inputs.add(Item::Sunny, 1);
                for row in rows.iter().filter(|row| row.start == start && has_role(row, Role::Running)) {
                    inputs.add(Item::Known, 1);
                    inputs.add(Item::Running, i64::from(row.mean.0 > 0.0));
                }
            }
        }
        for (month, inputs) in months {
            let through = end.min(month_end(zone, month));
            all.extend(figures(&row(site), month, through, &method, &inputs).into_iter().map(Figure::from));
        }
    }
    Table(all).sorted()
}

/// Two sites: one measured by registers and power, one that may get a meter on the way.
fn plant() -> (Vec<Site>, Vec<Position>, Vec<Point>) {
    let sites = vec![site(1, chrono_tz::Asia::Kolkata), site(2, chrono_tz::Europe::Berlin)];
    let positions = vec![position(1, 11, "inverter"), position(1, 12, "inverter"), position(2, 13, "inverter"), position(2, 14, "block")];
    let points = vec![
        point(1, 1, Some(11), "ac.energy_export", "kWh"),
        point(1, 2, Some(11), "ac.power", "kW"),
        point(1, 3, Some(12), "ac.power", "kW"),
        point(1, 4, None, "met.poa", "W/m2"),
        point(1, 5, None, "met.poa", "W/m2"),
        point(2, 6, Some(13), "ac.power", "kW"),
        point(2, 7, Some(14), "ac.power", "kW"),
        point(2, 8, None, "met.poa", "W/m2"),
        point(2, 9, Some(13), "inv.temp.cabinet", "Cel"),
    ];
    (sites, positions, points)
}

#[derive(Clone, Debug)]
enum Deed {
    /// A quarter is said, replacing what was said of it before.
    Say {
        point: u32,
        quarter: i64,
        first: u32,
        rise: u32,
        mean: i32,
    },
    Unsay {
        point: u32,
        quarter: i64,
    },
    Rate {
        site: usize,
        kw: u32,
    },
    Meter,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let say = (1u32..=10, 0i64..24, 0u32..50, 0u32..50, -20i32..400);
    prop_oneof![
        16 => say.prop_map(|(point, quarter, first, rise, mean)| Deed::Say { point, quarter, first, rise, mean }),
        3 => (1u32..=9, 0i64..24).prop_map(|(point, quarter)| Deed::Unsay { point, quarter }),
        1 => (0usize..2, 0u32..500).prop_map(|(site, kw)| Deed::Rate { site, kw }),
        1 => Just(Deed::Meter),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn figures_kept_current_equal_figures_from_scratch(deeds in prop::collection::vec(any_deed(), 1..80), workers in 1usize..=3) {
        let (mut sites, positions, mut points) = plant();
        // Six hours on either side of the end of March in both zones, one day among them with a clock change nearby.
        let start = midnight_of_april().minus(2 * HOUR).minus(DAY);
        let all = sites.iter().cloned().map(Row::Site).chain(positions.iter().cloned().map(Row::Position)).chain(points.iter().cloned().map(Row::Point));
        let (mut events, mut said) = (vec![all.collect::<Vec<_>>()], vec![vec![]]);
        let mut there: BTreeMap<(u32, i64), WatchedRollup> = BTreeMap::new();
        for deed in deeds {
            let (mut told, mut rows) = (vec![], vec![]);
            match deed {
                Deed::Say { point, quarter: index, first, rise, mean } => {
                    let (first, last) = (f64::from(first), f64::from(first) + f64::from(rise) / 4.0 - 2.0);
                    // A quarter of each day in turn, so that the months on both sides have data.
                    let at = start.plus((index % 12) * QUARTER).plus((index / 12) * DAY);
                    let row = quarter(point, at, first, last, f64::from(mean) / 8.0 * 4.0);
                    rows.push((row, 1));
                    rows.extend(there.insert((point, index), row).map(|before| (before, -1)));
                }
                Deed::Unsay { point, quarter } => rows.extend(there.remove(&(point, quarter)).map(|before| (before, -1))),
                Deed::Rate { site, kw } => {
                    sites[site].ac_kw = Some(f64::from(kw));
                    sites[site].poa_threshold = f64::from(kw) / 4.0;
                    told.push(Row::Site(sites[site].clone()));
                }
                Deed::Meter => {
                    if points.len() == 9 {
                        points.push(point(2, 10, None, "ac.energy_export", "kWh"));
                        told.push(Row::Point(points[9].clone()));
                    }
                }
            }
            events.push(told);
            said.push(rows);
        }
        let rows: Vec<_> = there.into_values().collect();
        prop_assert_eq!(play(events, said, workers), judge(&sites, &points, &positions, &rows));
    }
}
