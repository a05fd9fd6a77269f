//! The whole plant, stepped along: readings in the order in which they arrive.

use super::{
    fault::{Fault, Kind, Schedule},
    layout::{self, Quantity, SitePlan},
    machine::{Machine, Scene},
    random::Random,
    weather::Sky,
};
use dcmms_schemas::time::{MINUTE, Moment};
use std::collections::VecDeque;

/// How many readings a cut-off gateway keeps; the oldest go first, as in a real one.
const BUFFER_READINGS_MAX: usize = 200_000;

/// One reading of a point of the plant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Index into [`Plant::points`].
    pub point: usize,
    pub at: Moment,
    pub value: f64,
}

/// A point with its key and the index of its position, which is its gateway.
#[derive(Clone, Debug)]
pub struct PlantPoint {
    pub key: String,
    pub quantity: &'static Quantity,
    pub position: usize,
}

/// The plant and all that it remembers. The same seed, start and steps say the same for ever.
#[derive(Debug)]
pub struct Plant {
    skies: Vec<Sky>,
    positions: Vec<Place>,
    pub points: Vec<PlantPoint>,
    last: Option<Moment>,
    values: Vec<f64>,
    powers_kw: Vec<f64>,
}

#[derive(Debug)]
struct Place {
    key: String,
    site: usize,
    parent: Option<usize>,
    first_point: usize,
    machine: Machine,
    faults: Vec<Fault>,
    noise: Random,
    frozen: Vec<f64>,
    held: VecDeque<Sample>,
}

impl Plant {
    pub fn new(seed: u64, schedule: &Schedule) -> Plant {
        Plant::of(&layout::sites(), seed, schedule)
    }

    pub fn of(sites: &[SitePlan], seed: u64, schedule: &Schedule) -> Plant {
        let mut plant =
            Plant { skies: Vec::new(), positions: Vec::new(), points: Vec::new(), last: None, values: Vec::new(), powers_kw: Vec::new() };
        for (index, site) in sites.iter().enumerate() {
            plant.skies.push(Sky::new(site.climate.clone(), seed, site.code));
            for position in &site.positions {
                let key = format!("{}/{}", site.code, position.code);
                let parent = position.parent().map(|parent| format!("{}/{parent}", site.code));
                let parent = parent.and_then(|parent| plant.positions.iter().position(|place| place.key == parent));
                let first_point = plant.points.len();
                plant.points.extend(position.points.iter().map(|quantity| PlantPoint {
                    key: format!("{key}:{}", quantity.kind),
                    quantity,
                    position: plant.positions.len(),
                }));
                plant.positions.push(Place {
                    machine: Machine::new(position, seed, &key),
                    faults: schedule.of(&key),
                    noise: Random::new(seed, &format!("{key}/noise")),
                    frozen: Vec::new(),
                    held: VecDeque::new(),
                    key,
                    site: index,
                    parent,
                    first_point,
                });
            }
        }
        plant.powers_kw = vec![0.0; plant.positions.len()];
        plant
    }

    /// The name of a position, which is the message key of its readings.
    pub fn gateway(&self, position: usize) -> &str {
        &self.positions[position].key
    }

    /// Lets time pass up to `at` and appends what arrives then. The first step has no past: registers do not move.
    pub fn step(&mut self, at: Moment, out: &mut Vec<Sample>) {
        let seconds = self.last.map_or(0.0, |last| (at.0 - last.0) as f64 / 1e6);
        self.last = Some(at);
        let weather: Vec<_> = self.skies.iter_mut().map(|sky| sky.step(at, seconds)).collect();
        for index in 0..self.positions.len() {
            let place = &mut self.positions[index];
            self.values.clear();
            let parent_kw = place.parent.map_or(0.0, |parent| self.powers_kw[parent]);
            let scene = Scene { at, seconds, weather: weather[place.site], parent_kw, faults: &place.faults };
            place.machine.step(&scene, &mut self.values);
            self.powers_kw[index] = self.values.first().copied().unwrap_or(0.0);
            place.measure(&self.points, at, &mut self.values);
            place.send(at, &self.values, out);
        }
    }
}

impl Place {
    /// Adds what sensors add: noise, and their own step.
    fn measure(&mut self, points: &[PlantPoint], at: Moment, values: &mut Vec<f64>) {
        for (value, point) in values.iter_mut().zip(&points[self.first_point..]) {
            let noise = self.noise.normal();
            // Registers and a dark plant are exact; everything else flickers by a step or two.
            if !point.quantity.counter && *value != 0.0 {
                *value += noise * point.quantity.resolution * 1.5;
            }
            let steps = (1.0 / point.quantity.resolution).round();
            *value = (*value * steps).round() / steps;
        }
        if self.severity(Kind::Freeze, at) > 0.0 {
            if self.frozen.is_empty() {
                self.frozen.clone_from(values);
            }
            values.clone_from(&self.frozen);
        } else {
            self.frozen.clear();
        }
    }

    fn send(&mut self, at: Moment, values: &[f64], out: &mut Vec<Sample>) {
        if self.severity(Kind::Gap, at) > 0.0 {
            return;
        }
        // Whole milliseconds, because that is what the wire carries.
        let stamped = at.plus((self.severity(Kind::Skew, at) * 4.0 * MINUTE as f64) as i64 / 1_000 * 1_000);
        let samples =
            values.iter().enumerate().map(|(offset, value)| Sample { point: self.first_point + offset, at: stamped, value: *value });
        if self.severity(Kind::Buffered, at) > 0.0 {
            self.held.extend(samples);
            while self.held.len() > BUFFER_READINGS_MAX {
                self.held.pop_front();
            }
            return;
        }
        // The buffer first, oldest first, as gateways do.
        out.extend(self.held.drain(..));
        out.extend(samples);
    }

    fn severity(&self, kind: Kind, at: Moment) -> f64 {
        self.faults.iter().filter(|fault| fault.kind == kind).map(|fault| fault.severity(at)).fold(0.0, f64::max)
    }
}

/// The moments from `from` until before `to`, `period_us` apart and aligned to it.
pub fn steps(from: Moment, to: Moment, period_us: i64) -> impl Iterator<Item = Moment> {
    let first = Moment((from.0 + period_us - 1).div_euclid(period_us) * period_us);
    std::iter::successors(Some(first), move |at| Some(at.plus(period_us))).take_while(move |at| *at < to)
}
