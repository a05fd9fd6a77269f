//! What goes wrong, where and since when. A fault develops: its severity climbs from 0 to 1 and stays until the repair.

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use dcmms_schemas::time::{DAY, HOUR, MINUTE, Moment, SECOND};

/// The ways in which the plant fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Dust on the modules of a block takes up to 18 % of the light.
    Soiling,
    /// An inverter's fan gives up; its cabinet heats until it trips.
    Fan,
    /// Strings of an inverter drop out: up to a quarter of its power.
    String,
    /// A gearbox warms by up to 24 K under load.
    Gearbox,
    /// One cell of a rack drifts away from its neighbours by up to 0.22 V.
    Cell,
    /// A pump's bearing wears: vibration up to five times, and heat.
    Bearing,
    /// A position's sensors keep saying the last value.
    Freeze,
    /// A position's clock runs ahead, by up to four minutes.
    Skew,
    /// Nothing arrives from a position, and never will.
    Gap,
    /// Nothing arrives from a position until the repair; then its buffer does.
    Buffered,
}

impl Kind {
    pub const ALL: [Kind; 10] = [
        Kind::Soiling,
        Kind::Fan,
        Kind::String,
        Kind::Gearbox,
        Kind::Cell,
        Kind::Bearing,
        Kind::Freeze,
        Kind::Skew,
        Kind::Gap,
        Kind::Buffered,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Kind::Soiling => "soiling",
            Kind::Fan => "fan",
            Kind::String => "string",
            Kind::Gearbox => "gearbox",
            Kind::Cell => "cell",
            Kind::Bearing => "bearing",
            Kind::Freeze => "freeze",
            Kind::Skew => "skew",
            Kind::Gap => "gap",
            Kind::Buffered => "buffered",
        }
    }
}

/// One fault at one position (or below it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    /// Site and path: `RJ01/B03/INV07`; everything below it is meant too.
    pub target: String,
    pub from: Moment,
    /// When it is fully developed: for a fan about when the inverter trips.
    pub full: Moment,
    /// When people have mended it; `None`: they have not.
    pub until: Option<Moment>,
}

impl Fault {
    /// How far it has developed, from 0 to 1.
    pub fn severity(&self, at: Moment) -> f64 {
        if at < self.from || self.until.is_some_and(|until| at >= until) {
            return 0.0;
        }
        let whole = (self.full.0 - self.from.0).max(1) as f64;
        ((at.0 - self.from.0) as f64 / whole).clamp(0.0, 1.0)
    }

    pub fn hits(&self, position: &str) -> bool {
        position.strip_prefix(self.target.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// All faults of a plant.
#[derive(Clone, Debug, Default)]
pub struct Schedule(pub Vec<Fault>);

impl Schedule {
    /// The faults that can ever hit a position.
    pub fn of(&self, position: &str) -> Vec<Fault> {
        self.0.iter().filter(|fault| fault.hits(position)).cloned().collect()
    }

    /// What happens in `[from, now]` when nobody asks for anything else: mended fans, strings and gearboxes in the past,
    /// and at `now` a fan of DE03/PCS02 (which works at night too) and one of the solar park that are about to give up.
    pub fn developed(from: Moment, now: Moment) -> Schedule {
        let span = (now.0 - from.0).max(DAY);
        let at = |share: f64| Moment(from.0 + (span as f64 * share) as i64 / MINUTE * MINUTE);
        let mut faults = Vec::new();
        let mut mended = |kind, target: &str, full: Moment, develops: i64, repair: i64| {
            faults.push(Fault { kind, target: target.into(), from: full.minus(develops), full, until: Some(full.plus(repair)) });
        };
        // Fans: each gives up at its local noon or so, and is mended the same evening.
        for (target, share) in FANS_MENDED {
            let noon = Moment(at(share).floor(DAY).0 + if target.starts_with("RJ01") { 7 * HOUR } else { 12 * HOUR });
            mended(Kind::Fan, target, noon, 44 * HOUR, 7 * HOUR);
        }
        mended(Kind::Soiling, "RJ01/B01", at(0.55), span / 2, HOUR);
        mended(Kind::String, "RJ01/B01/INV07", at(0.35), HOUR, 30 * HOUR);
        mended(Kind::Gearbox, "MH02/T04", at(0.5), span / 6, 20 * HOUR);
        mended(Kind::Bearing, "DE03/P03", at(0.6), span / 8, 9 * HOUR);
        mended(Kind::Freeze, "MH02/T09", at(0.4), SECOND, 5 * HOUR);
        mended(Kind::Skew, "RJ01/B02/INV03", at(0.7), SECOND, 6 * HOUR);
        mended(Kind::Gap, "RJ01/B02/INV05", at(0.3), SECOND, 3 * HOUR);
        mended(Kind::Buffered, "MH02/T11", at(0.8), SECOND, 26 * HOUR);
        let mut open = |kind, target: &str, from: Moment, full: Moment| {
            faults.push(Fault { kind, target: target.into(), from, full, until: None });
        };
        open(Kind::Fan, "DE03/PCS02", now.minus(40 * HOUR), now.plus(5 * HOUR));
        open(Kind::Fan, "RJ01/B03/INV07", now.minus(36 * HOUR), now.plus(8 * HOUR));
        open(Kind::Soiling, "RJ01/B02", now.minus(span / 3), now.plus(10 * DAY));
        open(Kind::String, "RJ01/B03/INV07/S2", now.minus(5 * HOUR), now.minus(5 * HOUR));
        open(Kind::Gearbox, "MH02/T07", now.minus(6 * DAY), now.plus(DAY));
        open(Kind::Cell, "DE03/PCS03/R02", now.minus(span / 2), now.plus(DAY));
        Schedule(faults)
    }

    /// Reads what `--fault` says: `default`, `none`, or `kind:target@start/develops[/repair]`, as in
    /// `fan:RJ01/B01/INV02@2026-11-20T10:00:00Z/36h/8h`.
    pub fn parse(texts: &[String], from: Moment, now: Moment) -> anyhow::Result<Schedule> {
        let mut schedule = Schedule::default();
        for text in texts {
            match text.as_str() {
                "none" => {}
                "default" => schedule.0.extend(Schedule::developed(from, now).0),
                _ => schedule.0.push(parse_fault(text).with_context(|| format!("read --fault {text:?}"))?),
            }
        }
        Ok(schedule)
    }
}

/// Which fans failed, and when as a share of the past.
const FANS_MENDED: [(&str, f64); 8] = [
    ("RJ01/B01/INV02", 0.12),
    ("DE03/PCS01", 0.20),
    ("RJ01/B02/INV06", 0.30),
    ("DE03/PCS03", 0.41),
    ("RJ01/B03/INV01", 0.52),
    ("RJ01/B01/INV05", 0.66),
    ("DE03/PCS04", 0.76),
    ("RJ01/B02/INV02", 0.86),
];

fn parse_fault(text: &str) -> anyhow::Result<Fault> {
    let (kind, rest) = text.split_once(':').context("it has no ':' after the kind; write kind:target@start/develops[/repair]")?;
    let names = || Kind::ALL.map(Kind::name).join(", ");
    let kind = *Kind::ALL
        .iter()
        .find(|known| known.name() == kind)
        .with_context(|| format!("{kind:?} is no kind of fault; there are {}", names()))?;
    let (target, when) = rest.rsplit_once('@').context("it has no '@' before the start")?;
    let mut parts = when.split('/');
    let start = parts.next().unwrap_or_default();
    let start: DateTime<Utc> = start.parse().with_context(|| format!("{start:?} is no RFC 3339 time such as 2026-11-20T10:00:00Z"))?;
    let develops = duration_us(parts.next().context("it does not say after '/' how long it takes to develop, such as 36h")?)?;
    let repair = parts.next().map(duration_us).transpose()?;
    if parts.next().is_some() {
        bail!("there is something after the repair time");
    }
    let from = Moment::from(start);
    let full = from.plus(develops);
    Ok(Fault { kind, target: target.into(), from, full, until: repair.map(|repair| full.plus(repair)) })
}

/// Reads `90s`, `15m`, `36h`, `30d` as microseconds.
pub fn duration_us(text: &str) -> anyhow::Result<i64> {
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let unit_us = match unit {
        "ms" => 1_000,
        "s" | "" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => bail!("{text:?} is no duration; write a number and ms, s, m, h or d, such as 36h"),
    };
    let number: f64 =
        number.parse().with_context(|| format!("{text:?} is no duration; write a number and ms, s, m, h or d, such as 36h"))?;
    Ok((number * unit_us as f64) as i64)
}
