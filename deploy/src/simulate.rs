//! `dcmms simulate`: a plant whose faults develop. Its past follows from a seed and a start, so the same command
//! writes the same bytes.

pub mod fault;
pub mod layout;
pub mod load;
pub mod machine;
pub mod plant;
pub mod random;
pub mod weather;

use crate::seed;
use crate::telemetry::{Outgoing, Producer, ReadingsFile, wait_until};
use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_api::setup::{Plan, PointPlan, SitePlan};
use dcmms_schemas::{
    plant::Point,
    reading::Quality,
    time::{DAY, MILLISECOND, MINUTE, Moment, SECOND},
};
use fault::{Schedule, duration_us};
use indicatif::{ProgressBar, ProgressStyle};
use plant::{Plant, Sample};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

pub use load::{LOAD_SITE, load_key};

/// Lets a plant run: a solar park, a wind farm and a battery store with pumps, with weather and faults that develop.
///
/// A stretch of time into a file (the same seed writes the same bytes):
///   dcmms simulate --seed 7 --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z --period 1m --out day.ndjson.gz
/// Live into Kafka, each point every five seconds:
///   dcmms simulate --live --period 5s
/// Load: 20,000 points that together say 72,000 readings per second:
///   dcmms simulate --live --points 20000 --rate 72000 --create
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct SimulateArgs {
    /// The same seed (and start, period, faults) gives the same readings.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How often each point says something: 500ms, 5s, 1m, 15m.
    #[arg(long, default_value = "1m", conflicts_with = "rate")]
    pub period: String,
    /// Readings per second of all points together, in place of --period.
    #[arg(long)]
    pub rate: Option<f64>,
    /// That many synthetic points in place of the plant, for load.
    #[arg(long)]
    pub points: Option<usize>,
    /// The start of the simulated time (RFC 3339). With --live, what lies before now is simulated but not sent again.
    #[arg(long)]
    pub from: Option<DateTime<Utc>>,
    /// The end, not included.
    #[arg(long)]
    pub to: Option<DateTime<Utc>>,
    /// As time passes, until Ctrl-C.
    #[arg(long, conflicts_with = "to")]
    pub live: bool,
    /// Simulated seconds per real second, or `max`; live runs at 1.
    #[arg(long, default_value = "max")]
    pub speed: String,
    /// When the faults that are developing now stand where the seed left them; `dcmms seed` prints it.
    #[arg(long)]
    pub anchor: Option<DateTime<Utc>>,
    /// `default`, `none`, or kind:target@start/develops[/repair], such as fan:RJ01/B01/INV02@2026-11-20T10:00:00Z/36h/8h.
    /// Kinds: soiling, fan, string, gearbox, cell, bearing, freeze, skew, gap, buffered. May be given several times.
    #[arg(long, default_value = "default")]
    pub fault: Vec<String>,
    /// A file in place of Kafka: .ndjson or .csv, also with .gz; `-` for the standard output.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Creates the sites, positions and points first where they are missing.
    #[arg(long)]
    pub create: bool,
}

/// What speaks: the plant or the load.
pub enum Speaker {
    Plant(Box<Plant>),
    Load { load: load::Load, keys: Vec<String> },
}

impl std::fmt::Debug for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Speaker::Plant(_) => "Plant",
            Speaker::Load { .. } => "Load",
        })
    }
}

impl Speaker {
    pub fn step(&mut self, at: Moment, out: &mut Vec<Sample>) {
        match self {
            Speaker::Plant(plant) => plant.step(at, out),
            Speaker::Load { load, .. } => load.step(at, out),
        }
    }

    pub fn key(&self, point: usize) -> &str {
        match self {
            Speaker::Plant(plant) => &plant.points[point].key,
            Speaker::Load { keys, .. } => &keys[point],
        }
    }
}

/// When the simulated time starts, ends and how it is cut.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub from: Moment,
    pub to: Moment,
    pub step_us: i64,
}

impl SimulateArgs {
    /// Readings per point: its period in microseconds.
    fn period_us(&self, points: usize) -> anyhow::Result<i64> {
        let period_us = match self.rate {
            Some(rate) if rate > 0.0 && rate.is_finite() => (points as f64 * SECOND as f64 / rate) as i64,
            Some(rate) => bail!("--rate {rate}: it must be above 0"),
            None => duration_us(&self.period).context("read --period")?,
        };
        if period_us < MILLISECOND {
            bail!("each point would speak more often than once a millisecond; give more --points, a longer --period or a lower --rate");
        }
        Ok(period_us)
    }

    /// What speaks and when. `now` is the only clock it knows.
    pub fn prepare(&self, now: Moment) -> anyhow::Result<(Speaker, Span)> {
        let from = self.from.map(Moment::from);
        let to = match (self.to, self.live) {
            (Some(to), _) => Moment::from(to),
            (None, true) => Moment::MAX,
            (None, false) => from.map_or(now, |from| from.plus(DAY)),
        };
        let anchor = self.anchor.map(Moment::from);
        let default_from = match (self.live, anchor) {
            (true, Some(anchor)) => past(anchor),
            (true, None) => now,
            (false, _) => to.minus(DAY),
        };
        let from = from.unwrap_or(default_from);
        if to <= from {
            bail!("--to {to} does not lie after --from {from}");
        }
        if let Some(points) = self.points {
            if points == 0 {
                bail!("--points 0 would say nothing");
            }
            let load = load::Load::new(points, self.period_us(points)?, self.seed);
            // Ten milliseconds of readings at a time keep the rate even.
            let span = Span { from, to, step_us: 10 * MILLISECOND };
            return Ok((Speaker::Load { load, keys: (0..points).map(load_key).collect() }, span));
        }
        let developed = anchor.unwrap_or(if self.live { now } else { to });
        let schedule = Schedule::parse(&self.fault, past(developed), developed)?;
        let plant = Plant::new(self.seed, &schedule);
        let step_us = self.period_us(plant.points.len())?;
        Ok((Speaker::Plant(Box::new(plant)), Span { from, to, step_us }))
    }
}

/// Writes the span into a file and answers how many readings it holds.
pub fn to_file(args: &SimulateArgs, now: Moment) -> anyhow::Result<u64> {
    let path = args.out.as_deref().context("to_file needs --out")?;
    let (mut speaker, span) = args.prepare(now)?;
    if span.to == Moment::MAX {
        bail!("--live writes to Kafka; give --from and --to for a file");
    }
    let mut file = ReadingsFile::create(path)?;
    let bar = progress(span);
    let (mut samples, mut count) = (Vec::new(), 0);
    for at in plant::steps(span.from, span.to, span.step_us) {
        samples.clear();
        speaker.step(at, &mut samples);
        for sample in &samples {
            file.put(&Outgoing { point: speaker.key(sample.point), at: sample.at, value: sample.value, quality: Quality::Good })?;
        }
        count += samples.len() as u64;
        bar.set_position(((at.0 - span.from.0) / SECOND) as u64);
    }
    bar.finish_and_clear();
    file.finish()?;
    Ok(count)
}

/// A bar over simulated seconds.
fn progress(span: Span) -> ProgressBar {
    let style = ProgressStyle::with_template("{elapsed_precise} {wide_bar} {percent}% of the simulated time, {eta} left");
    ProgressBar::new(((span.to.0 - span.from.0) / SECOND) as u64).with_style(style.expect("the template is sound"))
}

/// Sends readings as single-reading messages keyed by their point.
pub fn send(speaker: &Speaker, samples: &[Sample], producer: &mut Producer, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    for sample in samples {
        let point = speaker.key(sample.point);
        buffer.clear();
        Outgoing { point, at: sample.at, value: sample.value, quality: Quality::Good }.json(buffer);
        producer.send(point, buffer)?;
    }
    Ok(())
}

/// Runs into Kafka: a stretch at `--speed`, or live until told to stop. Answers how many readings were sent. Blocks.
pub fn to_kafka(args: &SimulateArgs, now: Moment, producer: &mut Producer, stopped: &dyn Fn() -> bool) -> anyhow::Result<u64> {
    let (mut speaker, span) = args.prepare(now)?;
    let speed = match (args.live, args.speed.as_str()) {
        (true, _) => Some(1.0),
        (false, "max") => None,
        (false, speed) => Some(speed.parse::<f64>().ok().filter(|speed| *speed > 0.0).context("--speed is a number above 0, or max")?),
    };
    let begin = if args.live { catch_up(&mut speaker, span, now) } else { span.from };
    let bar = if args.live { ProgressBar::hidden() } else { progress(span) };
    let (mut samples, mut buffer, mut count) = (Vec::new(), Vec::new(), 0);
    let started = Instant::now();
    for at in plant::steps(begin, span.to, span.step_us) {
        let since_us = (at.0 - begin.0).max(0) as f64;
        let due = speed.map_or(started, |speed| started + Duration::from_secs_f64(since_us / SECOND as f64 / speed));
        producer.poll()?;
        if !wait_until(due, stopped) {
            break;
        }
        samples.clear();
        speaker.step(at, &mut samples);
        send(&speaker, &samples, producer, &mut buffer)?;
        count += samples.len() as u64;
        bar.set_position(((at.0 - span.from.0) / SECOND) as u64);
    }
    bar.finish_and_clear();
    producer.flush()?;
    Ok(count)
}

/// Simulates what lies between the start and now without saying it, in the steps of the seeded past, so that
/// registers, temperatures and faults go on where they were.
fn catch_up(speaker: &mut Speaker, span: Span, now: Moment) -> Moment {
    let mut unsaid = Vec::new();
    if matches!(speaker, Speaker::Plant(_)) {
        for at in plant::steps(span.from, now, PAST_PERIOD_US) {
            unsaid.clear();
            speaker.step(at, &mut unsaid);
        }
    }
    now.max(span.from)
}

/// How much of the past is told: faults have come and gone in it.
pub const PAST_DAYS: i64 = 30;

/// The start of the past that ends at a moment.
pub const fn past(anchor: Moment) -> Moment {
    anchor.minus(PAST_DAYS * DAY)
}

/// How far apart the readings of the seeded past lie.
pub const PAST_PERIOD_US: i64 = 5 * MINUTE;

/// What has to exist before these readings are sent: the plant, or a site with load points.
pub fn plan(args: &SimulateArgs) -> Plan {
    let Some(points) = args.points else { return seed::plan(&layout::sites(), Utc::now() - TimeDelta::days(400)) };
    let site = SitePlan {
        code: LOAD_SITE.into(),
        name: "Load".into(),
        kind: "hybrid".into(),
        zone: "UTC".into(),
        latitude: None,
        longitude: None,
        ac_kw: None,
        dc_kwp: None,
    };
    let point = |index: usize| PointPlan {
        site: LOAD_SITE.into(),
        position: None,
        key: load_key(index),
        kind: "ac.power".into(),
        unit: "kW".into(),
        counter: false,
        resolution: 0.001,
        horizon_ms: Point::HORIZON_MS_DEFAULT,
    };
    Plan { sites: vec![site], points: (0..points).map(point).collect(), ..Plan::default() }
}

#[cfg(test)]
mod tests;
