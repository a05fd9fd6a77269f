//! What stands where: the three sites, their positions and the points that are measured. Telemetry, seed and
//! set-up read the same tables.

use super::weather::Climate;
use chrono_tz::Tz;

/// A site as it is to be set up.
#[derive(Clone, Debug)]
pub struct SitePlan {
    pub code: &'static str,
    pub name: &'static str,
    /// `solar`, `wind`, `bess`.
    pub kind: &'static str,
    pub zone: Tz,
    pub ac_kw: Option<f64>,
    pub dc_kwp: Option<f64>,
    pub climate: Climate,
    pub positions: Vec<PositionPlan>,
}

/// A place in a site, its parent before it in the list.
#[derive(Clone, Debug)]
pub struct PositionPlan {
    /// Path in the site: `B03/INV07`.
    pub code: String,
    pub name: String,
    pub class: &'static str,
    pub rated_kw: Option<f64>,
    pub points: Vec<&'static Quantity>,
}

impl PositionPlan {
    pub fn parent(&self) -> Option<&str> {
        self.code.rsplit_once('/').map(|(parent, _)| parent)
    }
}

/// A canonical quantity with the step to which its sensor rounds.
#[derive(Debug)]
pub struct Quantity {
    pub kind: &'static str,
    pub unit: &'static str,
    pub counter: bool,
    pub resolution: f64,
}

macro_rules! quantities {
    ($($name:ident: $kind:literal, $unit:literal, $resolution:literal $(, $counter:ident)?;)+) => {
        /// Every quantity the plant measures.
        pub mod quantity {
            use super::Quantity;
            $(pub static $name: Quantity = Quantity {
                kind: $kind,
                unit: $unit,
                counter: quantities!(@ $($counter)?),
                resolution: $resolution,
            };)+
        }
    };
    (@ counter) => { true };
    (@) => { false };
}

quantities! {
    AC_POWER: "ac.power", "kW", 0.01;
    AC_ENERGY: "ac.energy_export", "kWh", 0.001, counter;
    AC_IMPORT: "ac.energy_import", "kWh", 0.001, counter;
    DC_POWER: "dc.power", "kW", 0.01;
    CABINET: "inv.temp.cabinet", "Cel", 0.01;
    STRING_CURRENT: "string.current", "A", 0.001;
    POA: "met.poa", "W/m2", 0.1;
    GHI: "met.ghi", "W/m2", 0.1;
    AMBIENT: "met.temp_ambient", "Cel", 0.01;
    MODULE: "met.temp_module", "Cel", 0.01;
    WIND: "met.wind", "m/s", 0.01;
    PRESSURE: "met.pressure", "hPa", 0.01;
    GEARBOX: "wtg.gearbox_temp", "Cel", 0.01;
    BEARING: "wtg.main_bearing_temp", "Cel", 0.01;
    ROTOR: "wtg.rotor_speed", "rpm", 0.001;
    SOC: "bess.soc", "1", 0.0001;
    CELL_MAX: "bess.cell_v_max", "V", 0.0001;
    CELL_MIN: "bess.cell_v_min", "V", 0.0001;
    RACK_TEMP: "bess.module_temp_max", "Cel", 0.01;
    FLOW: "pump.flow", "m3/h", 0.01;
    HEAD: "pump.pressure", "bar", 0.001;
    VIBRATION: "pump.vibration", "mm/s", 0.001;
    PUMP_BEARING: "pump.bearing_temp", "Cel", 0.01;
}

/// Ratings that the physics and the compliance figures share.
pub const INVERTER_KW: f64 = 1_000.0;
pub const INVERTER_KWP: f64 = 1_250.0;
pub const TURBINE_KW: f64 = 2_000.0;
pub const CONVERTER_KW: f64 = 800.0;
pub const RACK_KWH: f64 = 1_600.0;

const BLOCKS: usize = 3;
const INVERTERS_PER_BLOCK: usize = 7;
const STRINGS: usize = 4;
const TURBINES: usize = 12;
const CONVERTERS: usize = 4;
const RACKS_PER_CONVERTER: usize = 2;
const PUMPS: usize = 4;

/// The solar park, the wind farm and the battery with its pumps.
pub fn sites() -> Vec<SitePlan> {
    vec![solar_park(), wind_farm(), battery()]
}

fn position(code: String, name: String, class: &'static str, rated_kw: Option<f64>, points: Vec<&'static Quantity>) -> PositionPlan {
    PositionPlan { code, name, class, rated_kw, points }
}

fn solar_park() -> SitePlan {
    use quantity::*;
    let inverters = BLOCKS * INVERTERS_PER_BLOCK;
    let mut positions =
        vec![position("MET1".into(), "Met station 1".into(), "met_station", None, vec![&POA, &GHI, &AMBIENT, &MODULE, &WIND])];
    for block in 1..=BLOCKS {
        positions.push(position(format!("B{block:02}"), format!("Block {block}"), "block", None, vec![]));
        for number in 1..=INVERTERS_PER_BLOCK {
            let code = format!("B{block:02}/INV{number:02}");
            let points = vec![&AC_POWER, &AC_ENERGY, &DC_POWER, &CABINET];
            positions.push(position(code.clone(), format!("Inverter {block}-{number}"), "inverter", Some(INVERTER_KW), points));
            // One inverter of each block has its strings measured one by one.
            if number == INVERTERS_PER_BLOCK {
                positions.extend((1..=STRINGS).map(|string| {
                    position(
                        format!("{code}/S{string}"),
                        format!("String {block}-{number}-{string}"),
                        "string",
                        None,
                        vec![&STRING_CURRENT],
                    )
                }));
            }
        }
    }
    SitePlan {
        code: "RJ01",
        name: "Bhadla solar park",
        kind: "solar",
        zone: chrono_tz::Asia::Kolkata,
        ac_kw: Some(inverters as f64 * INVERTER_KW),
        dc_kwp: Some(inverters as f64 * INVERTER_KWP),
        climate: Climate {
            latitude_deg: 27.5,
            longitude_deg: 71.9,
            mean_c: 26.0,
            season_c: 8.5,
            day_c: 6.5,
            wind_m_s: 3.4,
            cloudiness: 0.2,
        },
        positions,
    }
}

fn wind_farm() -> SitePlan {
    use quantity::*;
    let mut positions = vec![position("MET1".into(), "Met mast 1".into(), "met_station", None, vec![&WIND, &AMBIENT, &PRESSURE])];
    positions.extend((1..=TURBINES).map(|number| {
        let points = vec![&AC_POWER, &AC_ENERGY, &WIND, &ROTOR, &GEARBOX, &BEARING];
        position(format!("T{number:02}"), format!("Turbine {number}"), "turbine", Some(TURBINE_KW), points)
    }));
    SitePlan {
        code: "MH02",
        name: "Satara wind farm",
        kind: "wind",
        zone: chrono_tz::Asia::Kolkata,
        ac_kw: Some(TURBINES as f64 * TURBINE_KW),
        dc_kwp: None,
        climate: Climate {
            latitude_deg: 17.7,
            longitude_deg: 73.9,
            mean_c: 24.5,
            season_c: 3.0,
            day_c: 4.5,
            wind_m_s: 7.4,
            cloudiness: 0.45,
        },
        positions,
    }
}

fn battery() -> SitePlan {
    use quantity::*;
    let mut positions = vec![position("MET1".into(), "Weather sensor".into(), "met_station", None, vec![&AMBIENT])];
    for converter in 1..=CONVERTERS {
        let code = format!("PCS{converter:02}");
        let points = vec![&AC_POWER, &AC_ENERGY, &AC_IMPORT, &CABINET];
        positions.push(position(code.clone(), format!("Battery inverter {converter}"), "inverter", Some(CONVERTER_KW), points));
        positions.extend((1..=RACKS_PER_CONVERTER).map(|rack| {
            let points = vec![&SOC, &CELL_MAX, &CELL_MIN, &RACK_TEMP];
            position(format!("{code}/R{rack:02}"), format!("Rack {converter}-{rack}"), "rack", None, points)
        }));
    }
    positions.extend((1..=PUMPS).map(|number| {
        let points = vec![&AC_POWER, &FLOW, &HEAD, &VIBRATION, &PUMP_BEARING];
        position(format!("P{number:02}"), format!("Coolant pump {number}"), "pump", Some(45.0), points)
    }));
    SitePlan {
        code: "DE03",
        name: "Cottbus battery store",
        kind: "bess",
        zone: chrono_tz::Europe::Berlin,
        ac_kw: Some(CONVERTERS as f64 * CONVERTER_KW),
        dc_kwp: None,
        climate: Climate {
            latitude_deg: 51.8,
            longitude_deg: 14.3,
            mean_c: 10.0,
            season_c: 9.0,
            day_c: 4.0,
            wind_m_s: 4.2,
            cloudiness: 0.75,
        },
        positions,
    }
}
