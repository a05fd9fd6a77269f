//! The figures of one month of one site, from what was added up.

use super::{Method, QUARTER};
use crate::{plant_rows::SiteRow, real::Real};
use chrono::NaiveDate;
use dcmms_schemas::{
    compliance::Figure,
    id::SiteId,
    rollup::midnight,
    time::{HOUR, Moment},
};
use serde::{Deserialize, Serialize};

/// Above this a solar site's CUF is a fault in the data: no sun shines so long.
const SOLAR_CUF_MAX: f64 = 0.45;

/// A [`Figure`] in a form that can be sorted, hashed and taken back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FigureRow {
    pub site: SiteId,
    pub month: NaiveDate,
    pub metric: String,
    pub value: Option<Real>,
    pub numerator: Real,
    pub denominator: Real,
    pub unit: String,
    pub basis: String,
    pub reason: Option<String>,
    pub through: Moment,
}

impl From<FigureRow> for Figure {
    fn from(row: FigureRow) -> Figure {
        Figure {
            site: row.site,
            month: row.month,
            metric: row.metric,
            value: row.value.map(|value| value.0),
            numerator: row.numerator.0,
            denominator: row.denominator.0,
            unit: row.unit,
            basis: row.basis,
            reason: row.reason,
            through: row.through,
        }
    }
}

/// What is added up over a site's month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Item {
    /// Milliwatt-hours.
    Energy,
    /// Quarters of energy points with readings.
    EnergyQuarters,
    /// Falls of registers.
    Restarts,
    /// Microwatts per m2, summed over quarters.
    Irradiation,
    /// Quarters with irradiance at or above the threshold.
    Sunny,
    /// Inverter quarters among these with readings, and those with power.
    Known,
    Running,
    /// Quarters of used points with readings.
    Quarters,
}

/// All sums of a site's month; what was not added is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    sums: [i64; 8],
}

impl Inputs {
    pub fn add(&mut self, item: Item, amount: i64) {
        self.sums[item as usize] += amount;
    }

    pub fn get(&self, item: Item) -> i64 {
        self.sums[item as usize]
    }

    fn energy_kwh(&self) -> f64 {
        self.get(Item::Energy) as f64 / 1e6
    }

    fn irradiation_kwh_m2(&self) -> f64 {
        self.get(Item::Irradiation) as f64 / 4e9
    }
}

/// Value or reason, before it is told whose it is.
struct Told {
    metric: &'static str,
    unit: &'static str,
    numerator: f64,
    denominator: f64,
    basis: String,
    /// Why there is no value.
    reason: Option<String>,
}

/// All five figures. `through` is the end of the month, or of the data in a month that is still running.
pub fn figures(site: &SiteRow, month: NaiveDate, through: Moment, method: &Method, inputs: &Inputs) -> Vec<FigureRow> {
    let elapsed = (through.0 - midnight(month, site.zone.0).0).max(0);
    let all = [
        energy(method, inputs),
        cuf(site, elapsed, method, inputs),
        performance_ratio(site, method, inputs),
        availability(site, method, inputs),
        completeness(elapsed, method, inputs),
    ];
    all.into_iter().map(|told| row(site.id, month, through, told)).collect()
}

fn row(site: SiteId, month: NaiveDate, through: Moment, told: Told) -> FigureRow {
    let reason = told.reason.or_else(|| (told.denominator == 0.0).then(|| "the denominator is 0".to_owned()));
    FigureRow {
        site,
        month,
        metric: told.metric.to_owned(),
        value: reason.is_none().then_some(Real(told.numerator / told.denominator)),
        numerator: Real(told.numerator),
        denominator: Real(told.denominator),
        unit: told.unit.to_owned(),
        basis: told.basis,
        reason,
        through,
    }
}

fn no_energy(method: &Method, inputs: &Inputs) -> Option<String> {
    if method.meters + method.registers + method.powers == 0 {
        return Some("no point measures energy: neither a register of kind ac.energy_export nor ac.power".into());
    }
    (inputs.get(Item::EnergyQuarters) == 0).then(|| "no reading of energy in this month".into())
}

fn energy(method: &Method, inputs: &Inputs) -> Told {
    let mut basis = match method {
        Method { meters: 0, registers: 0, powers, .. } => format!("mean power x 0.25 h of {powers} positions"),
        Method { meters: 0, registers, powers: 0, .. } => format!("rise of {registers} registers of positions"),
        Method { meters: 0, registers, powers, .. } => {
            format!("rise of {registers} registers of positions, mean power x 0.25 h of {powers} others")
        }
        Method { meters, .. } => format!("rise of {meters} site meter(s)"),
    };
    let restarts = inputs.get(Item::Restarts);
    if restarts > 0 {
        basis += &format!("; {restarts} register restart(s), each counted from the first reading after");
    }
    Told { metric: "energy", unit: "kWh", numerator: inputs.energy_kwh(), denominator: 1.0, basis, reason: no_energy(method, inputs) }
}

fn cuf(site: &SiteRow, elapsed: i64, method: &Method, inputs: &Inputs) -> Told {
    let hours = elapsed as f64 / HOUR as f64;
    let rated = site.ac_kw.map_or(0.0, |rated| rated.0);
    let (numerator, denominator) = (inputs.energy_kwh(), rated * hours);
    let solar = method.irradiance > 0 || method.inverters > 0;
    let mut reason = no_energy(method, inputs);
    if rated <= 0.0 {
        reason = reason.or_else(|| Some("the site has no rated AC power".into()));
    } else if solar && numerator > SOLAR_CUF_MAX * denominator {
        let percent = 100.0 * numerator / denominator;
        reason =
            reason.or_else(|| Some(format!("implausible: {percent:.1} % is above 45 % at a solar site; check energy and rated power")));
    }
    Told { metric: "cuf", unit: "1", numerator, denominator, basis: format!("AC {} kW x {} h", short(rated), short(hours)), reason }
}

fn performance_ratio(site: &SiteRow, method: &Method, inputs: &Inputs) -> Told {
    let installed = site.dc_kwp.map_or(0.0, |installed| installed.0);
    let irradiation = inputs.irradiation_kwh_m2();
    let numerator = if installed > 0.0 { inputs.energy_kwh() / installed } else { 0.0 };
    let basis = format!(
        "final yield h (energy / {} kWp) / reference yield h ({} kWh/m2 in the plane of the array, mean of {} sensor(s), below zero as zero)",
        short(installed),
        short(irradiation),
        method.irradiance
    );
    let reason = if method.irradiance == 0 {
        Some("no point of kind met.poa: the site has no irradiance to compare with".into())
    } else if installed <= 0.0 {
        Some("the site has no installed DC power".into())
    } else if irradiation == 0.0 {
        Some("no irradiation in this month".into())
    } else {
        no_energy(method, inputs)
    };
    Told { metric: "pr", unit: "1", numerator, denominator: irradiation, basis, reason }
}

fn availability(site: &SiteRow, method: &Method, inputs: &Inputs) -> Told {
    let (known, sunny) = (inputs.get(Item::Known), inputs.get(Item::Sunny));
    let unknown = (sunny * i64::from(method.inverters) - known).max(0);
    let basis = format!(
        "technical: inverter quarters with power / known, of {} inverters x {sunny} quarters at or above {} W/m2; {unknown} unknown left out",
        method.inverters,
        short(site.poa_threshold.0)
    );
    let reason = if method.irradiance == 0 {
        Some("no point of kind met.poa: nobody can say when inverters should have run".into())
    } else if method.inverters == 0 {
        Some("no inverter has a point of kind ac.power".into())
    } else if sunny == 0 {
        Some("no quarter reached the irradiance threshold".into())
    } else if known == 0 {
        Some("no reading of an inverter in any quarter with enough irradiance".into())
    } else {
        None
    };
    Told { metric: "availability", unit: "1", numerator: inputs.get(Item::Running) as f64, denominator: known as f64, basis, reason }
}

fn completeness(elapsed: i64, method: &Method, inputs: &Inputs) -> Told {
    let quarters = elapsed / QUARTER;
    Told {
        metric: "completeness",
        unit: "1",
        numerator: inputs.get(Item::Quarters) as f64,
        denominator: (i64::from(method.used) * quarters) as f64,
        basis: format!("quarters with readings / {} points x {quarters} quarters", method.used),
        reason: None,
    }
}

/// At most three decimals, none that say nothing.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
