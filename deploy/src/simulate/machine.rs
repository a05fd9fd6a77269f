//! Physics, lite: what each machine does with the weather and with what is wrong with it.

use super::{
    fault::{Fault, Kind},
    layout::{self, PositionPlan},
    random::{Drift, Random},
    weather::Weather,
};
use dcmms_schemas::time::{HOUR, Moment};

/// What a machine sees at a step.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    pub at: Moment,
    /// Since the step before.
    pub seconds: f64,
    pub weather: Weather,
    /// The AC power of the position above, for a battery's racks and an inverter's strings.
    pub parent_kw: f64,
    pub faults: &'a [Fault],
}

impl Scene<'_> {
    /// The worst severity of a kind of fault here and now.
    pub fn severity(&self, kind: Kind) -> f64 {
        self.faults.iter().filter(|fault| fault.kind == kind).map(|fault| fault.severity(self.at)).fold(0.0, f64::max)
    }
}

/// A value that follows its target with a time constant, exactly for any step.
#[derive(Clone, Copy, Debug)]
struct Lag {
    value: Option<f64>,
    seconds: f64,
}

impl Lag {
    const fn new(seconds: f64) -> Lag {
        Lag { value: None, seconds }
    }

    fn step(&mut self, target: f64, seconds: f64) -> f64 {
        let value = self.value.map_or(target, |value| target + (value - target) * (-seconds / self.seconds).exp());
        self.value = Some(value);
        value
    }
}

/// A machine with its state. `step` answers one value per point of its position, in the layout's order.
#[derive(Clone, Debug)]
pub enum Machine {
    Met { wind: bool, pressure: bool, light: bool },
    Plain,
    Inverter(Box<Inverter>),
    StringSensor { share: f64 },
    Turbine(Box<Turbine>),
    Converter(Box<Converter>),
    Rack(Rack),
    Pump(Pump),
}

impl Machine {
    pub fn new(position: &PositionPlan, seed: u64, key: &str) -> Machine {
        let mut random = Random::new(seed, key);
        let measures = |kind: &str| position.points.iter().any(|point| point.kind == kind);
        match position.class {
            "met_station" => Machine::Met { wind: measures("met.wind"), pressure: measures("met.pressure"), light: measures("met.poa") },
            "inverter" if measures("dc.power") => Machine::Inverter(Box::new(Inverter::new(&mut random))),
            "inverter" => Machine::Converter(Box::new(Converter::new(&mut random, seed, key))),
            "string" => Machine::StringSensor { share: random.between(0.98, 1.02) },
            "turbine" => Machine::Turbine(Box::new(Turbine::new(&mut random, seed, key))),
            "rack" => Machine::Rack(Rack::new(&mut random)),
            "pump" => Machine::Pump(Pump::new(&mut random, seed, key)),
            _ => Machine::Plain,
        }
    }

    pub fn step(&mut self, scene: &Scene<'_>, values: &mut Vec<f64>) {
        let weather = scene.weather;
        match self {
            Machine::Plain => {}
            Machine::Met { wind, pressure, light } => {
                if *light {
                    values.extend([weather.poa_w_m2, weather.ghi_w_m2]);
                    values.extend([weather.ambient_c, weather.module_c, weather.wind_m_s]);
                } else if *wind && *pressure {
                    values.extend([weather.wind_m_s, weather.ambient_c, weather.pressure_hpa]);
                } else {
                    values.push(weather.ambient_c);
                }
            }
            Machine::Inverter(inverter) => values.extend(inverter.step(scene)),
            Machine::StringSensor { share } => {
                let out = scene.severity(Kind::String);
                values.push(weather.poa_w_m2 / 1_000.0 * 9.4 * *share * (1.0 - 0.18 * scene.severity(Kind::Soiling)) * (1.0 - out.ceil()));
            }
            Machine::Turbine(turbine) => values.extend(turbine.step(scene)),
            Machine::Converter(converter) => values.extend(converter.step(scene)),
            Machine::Rack(rack) => values.extend(rack.step(scene)),
            Machine::Pump(pump) => values.extend(pump.step(scene)),
        }
    }
}

/// Warmer than this, an inverter trips; cooler than the second, it starts again.
const TRIP_C: f64 = 78.0;
const RESTART_C: f64 = 52.0;

/// How many times more a cabinet heats when its fan has lost this share of its air.
fn heating(fan_lost: f64) -> f64 {
    1.0 + 1.9 * fan_lost * fan_lost
}

/// A solar inverter: light in, power out, heat in the cabinet.
#[derive(Clone, Debug)]
pub struct Inverter {
    mismatch: f64,
    heat_c: f64,
    cabinet: Lag,
    energy_kwh: f64,
    power_kw: f64,
    tripped: bool,
}

impl Inverter {
    fn new(random: &mut Random) -> Inverter {
        Inverter {
            mismatch: random.between(0.975, 1.0),
            heat_c: random.between(16.0, 19.0),
            cabinet: Lag::new(900.0),
            energy_kwh: random.between(2.0e6, 7.0e6).floor(),
            power_kw: 0.0,
            tripped: false,
        }
    }

    fn step(&mut self, scene: &Scene<'_>) -> [f64; 4] {
        let weather = scene.weather;
        let derated = 1.0 - 0.0038 * (weather.module_c - 25.0);
        let lost = (1.0 - 0.18 * scene.severity(Kind::Soiling)) * (1.0 - 0.25 * scene.severity(Kind::String));
        let offered_kw = weather.poa_w_m2 / 1_000.0 * layout::INVERTER_KWP * self.mismatch * derated.max(0.0) * lost;
        let dc_kw = if self.tripped || offered_kw < 6.0 { 0.0 } else { offered_kw.min(layout::INVERTER_KW / 0.975 + 4.0) };
        let power_kw = ((dc_kw - 4.0).max(0.0) * 0.975).min(layout::INVERTER_KW);
        // The register adds up the trapezoid, as the power was and as it is.
        self.energy_kwh += (self.power_kw + power_kw) / 2.0 * scene.seconds / 3_600.0;
        self.power_kw = power_kw;
        let load = power_kw / layout::INVERTER_KW;
        let warm_c = weather.ambient_c + 3.0 + self.heat_c * load.powf(1.5) * heating(scene.severity(Kind::Fan));
        let cabinet_c = self.cabinet.step(warm_c, scene.seconds);
        self.tripped = if self.tripped { cabinet_c > RESTART_C } else { cabinet_c > TRIP_C };
        [power_kw, self.energy_kwh, dc_kw, cabinet_c]
    }
}

/// A wind turbine: power curve, drive train and its heat.
#[derive(Clone, Debug)]
pub struct Turbine {
    exposure: f64,
    gust: Drift,
    gearbox: Lag,
    bearing: Lag,
    energy_kwh: f64,
    power_kw: f64,
}

impl Turbine {
    fn new(random: &mut Random, seed: u64, key: &str) -> Turbine {
        Turbine {
            exposure: random.between(0.92, 1.06),
            gust: Drift::new(seed, &format!("{key}/gust"), 120.0),
            gearbox: Lag::new(2_400.0),
            bearing: Lag::new(3_600.0),
            energy_kwh: random.between(1.0e7, 3.0e7).floor(),
            power_kw: 0.0,
        }
    }

    /// Cut-in 3 m/s, rated 12 m/s, cut-out 25 m/s.
    pub fn curve_kw(wind_m_s: f64) -> f64 {
        match wind_m_s {
            wind if !(3.0..25.0).contains(&wind) => 0.0,
            wind if wind >= 12.0 => layout::TURBINE_KW,
            wind => layout::TURBINE_KW * (wind.powi(3) - 27.0) / (1_728.0 - 27.0),
        }
    }

    fn step(&mut self, scene: &Scene<'_>) -> [f64; 6] {
        let wind = (scene.weather.wind_m_s * self.exposure + 0.35 * self.gust.step(scene.seconds)).max(0.0);
        let power_kw = Self::curve_kw(wind);
        self.energy_kwh += (self.power_kw + power_kw) / 2.0 * scene.seconds / 3_600.0;
        self.power_kw = power_kw;
        let load = power_kw / layout::TURBINE_KW;
        let rotor = if power_kw > 0.0 { 8.0 + 8.5 * load.sqrt() } else { 0.3 * wind.min(3.0) };
        let wear = scene.severity(Kind::Gearbox);
        let turning = if power_kw > 0.0 { 1.0 } else { 0.0 };
        let gearbox_c = scene.weather.ambient_c + 14.0 * turning + 21.0 * load + 24.0 * wear * (0.35 * turning + 0.65 * load);
        let bearing_c = scene.weather.ambient_c + 8.0 * turning + 14.0 * load;
        let gearbox_c = self.gearbox.step(gearbox_c, scene.seconds);
        let bearing_c = self.bearing.step(bearing_c, scene.seconds);
        [power_kw, self.energy_kwh, wind, rotor, gearbox_c, bearing_c]
    }
}

/// A battery inverter: two hours out, two hours in, day and night.
#[derive(Clone, Debug)]
pub struct Converter {
    phase_h: f64,
    heat_c: f64,
    effort: Drift,
    cabinet: Lag,
    out_kwh: f64,
    in_kwh: f64,
    tripped: bool,
}

impl Converter {
    fn new(random: &mut Random, seed: u64, key: &str) -> Converter {
        Converter {
            phase_h: random.between(0.0, 0.4),
            heat_c: random.between(25.0, 27.0),
            effort: Drift::new(seed, &format!("{key}/effort"), 1_800.0),
            cabinet: Lag::new(600.0),
            out_kwh: random.between(4.0e5, 6.0e5).floor(),
            in_kwh: random.between(6.0e5, 8.0e5).floor(),
            tripped: false,
        }
    }

    fn step(&mut self, scene: &Scene<'_>) -> [f64; 4] {
        let hours = scene.at.0 as f64 / HOUR as f64 + self.phase_h;
        let direction = (6.0 * (std::f64::consts::TAU * hours / 4.0).sin()).tanh();
        let effort = (0.78 + 0.07 * self.effort.step(scene.seconds)).clamp(0.5, 1.0);
        let power_kw = if self.tripped { 0.0 } else { layout::CONVERTER_KW * direction * effort };
        let energy_kwh = power_kw * scene.seconds / 3_600.0;
        self.out_kwh += energy_kwh.max(0.0);
        self.in_kwh += (-energy_kwh).max(0.0);
        let load = power_kw.abs() / layout::CONVERTER_KW;
        let container_c = 22.0 + 0.15 * (scene.weather.ambient_c - 10.0);
        let warm_c = container_c + 3.0 + self.heat_c * load.powf(1.5) * heating(scene.severity(Kind::Fan));
        let cabinet_c = self.cabinet.step(warm_c, scene.seconds);
        self.tripped = if self.tripped { cabinet_c > RESTART_C } else { cabinet_c > TRIP_C };
        [power_kw, self.out_kwh, self.in_kwh, cabinet_c]
    }
}

/// A battery rack on its converter.
#[derive(Clone, Debug)]
pub struct Rack {
    charge: f64,
    spread_v: f64,
    module: Lag,
}

impl Rack {
    fn new(random: &mut Random) -> Rack {
        Rack { charge: random.between(0.45, 0.55), spread_v: random.between(0.004, 0.012), module: Lag::new(5_400.0) }
    }

    fn step(&mut self, scene: &Scene<'_>) -> [f64; 4] {
        let share_kw = scene.parent_kw / 2.0;
        // What goes in comes out a little less; the balancer leads the charge back to the middle over days.
        self.charge -= share_kw * scene.seconds / 3_600.0 / layout::RACK_KWH;
        self.charge += (0.5 - self.charge) * (scene.seconds / 40_000.0).min(1.0);
        self.charge = self.charge.clamp(0.03, 0.98);
        let current = share_kw / (layout::CONVERTER_KW / 2.0);
        let cell_v = 3.28 + 0.42 * (self.charge - 0.5) - 0.035 * current;
        let drift_v = 0.22 * scene.severity(Kind::Cell);
        let warm_c = 24.0 + 0.1 * (scene.weather.ambient_c - 10.0) + 7.0 * current * current + 4.0 * scene.severity(Kind::Cell);
        let module_c = self.module.step(warm_c, scene.seconds);
        [self.charge, cell_v + self.spread_v + 0.35 * drift_v, cell_v - self.spread_v - drift_v, module_c]
    }
}

/// A coolant pump: duty, flow and the state of its bearing.
#[derive(Clone, Debug)]
pub struct Pump {
    smooth_mm_s: f64,
    duty: Drift,
    rattle: Drift,
    bearing: Lag,
}

impl Pump {
    fn new(random: &mut Random, seed: u64, key: &str) -> Pump {
        Pump {
            smooth_mm_s: random.between(1.4, 2.1),
            duty: Drift::new(seed, &format!("{key}/duty"), 7_200.0),
            rattle: Drift::new(seed, &format!("{key}/rattle"), 60.0),
            bearing: Lag::new(1_500.0),
        }
    }

    fn step(&mut self, scene: &Scene<'_>) -> [f64; 5] {
        let duty = (0.72 + 0.12 * self.duty.step(scene.seconds)).clamp(0.3, 1.0);
        let wear = scene.severity(Kind::Bearing);
        let vibration = self.smooth_mm_s * (0.6 + 0.5 * duty) * (1.0 + 4.0 * wear) + 0.08 * self.rattle.step(scene.seconds);
        let bearing_c = self.bearing.step(scene.weather.ambient_c.max(8.0) * 0.4 + 34.0 + 10.0 * duty + 22.0 * wear, scene.seconds);
        [45.0 * duty.powi(3).max(0.05), 180.0 * duty, 4.2 * duty * duty, vibration.max(0.1), bearing_c]
    }
}
