//! `dcmms seed`: the demo plant with a year of work and a month of telemetry behind it, which ends now.
//!
//! Everything follows from one moment, the anchor: when the plant was set up. A seed that was cut off goes on where it
//! was, a second one finds everything there.

pub mod crew;
pub mod orders;
pub mod rules;

use crate::{
    setup,
    simulate::{
        self,
        fault::Schedule,
        layout::{self, SitePlan},
        plant::{self, Plant, Sample},
    },
    telemetry::{Outgoing, Producer},
};
use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_api::{
    demo::{self, Demo},
    setup::{Plan, PointPlan, PositionPlan},
};
use dcmms_schemas::{
    id::SiteId,
    plant::Point,
    reading::Quality,
    time::{DAY, MINUTE, Moment, SECOND},
};
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::PgPool;
use std::time::{Duration, Instant};

/// Fills an empty installation with a demo plant: 3 sites, 50+ assets, rules, calendars, crew, a year of orders and a month
/// of telemetry that ends now, with a fan that is about to fail.
///
/// `dcmms serve` and `dcmms job run` must be running: the one tells the engine of the plant, the other reads the telemetry.
/// A second seed changes nothing.
#[derive(Clone, Debug, clap::Args)]
pub struct SeedArgs {
    /// The same seed gives the same past, but for its end.
    #[arg(long, default_value_t = SEED)]
    pub seed: u64,
}

/// The demo's own.
pub const SEED: u64 = 1;

/// The site whose creation is the anchor.
const FIRST_SITE: &str = "RJ01";
/// What is older than this is told with a third of the readings, so that a seed takes less than a minute.
const FINE_DAYS: i64 = 7;
const COARSE: i64 = 3;
/// How long the engine may make no progress before we say what to do.
const HINT_AFTER: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(200);

/// What is there now.
#[derive(Clone, Copy, Debug)]
pub struct Seeded {
    /// Faults and telemetry are reckoned from here.
    pub anchor: Moment,
    /// False: it was there before.
    pub created: bool,
    /// The outbox row that the engine must know before telemetry is sent.
    pub outbox_seq: i64,
}

/// The moment of the plant's set-up, when there is one.
pub async fn anchor(pool: &PgPool) -> anyhow::Result<Option<Moment>> {
    let at = demo::anchor(pool, FIRST_SITE).await.map_err(setup::refused).context("look for a demo plant")?;
    Ok(at.map(aligned))
}

/// Whole steps of the past, so that live readings go on in the same places.
fn aligned(at: DateTime<Utc>) -> Moment {
    Moment::from(at).floor(simulate::PAST_PERIOD_US)
}

/// Sites, rules, people and work, in one transaction; nothing when they are there.
pub async fn domain(pool: &PgPool) -> anyhow::Result<Seeded> {
    if let Some(anchor) = anchor(pool).await? {
        return Ok(Seeded { anchor, created: false, outbox_seq: 0 });
    }
    let now = Utc::now();
    let sites = layout::sites();
    let mut transaction = pool.begin().await.context("reach the database; check database.url and run `dcmms migrate`")?;
    let plan = plan(&sites, now - TimeDelta::days(400));
    dcmms_api::setup::create(&mut transaction, &plan).await.map_err(setup::refused).context("create the demo plant")?;
    let ids = demo::sites(&mut transaction).await.map_err(setup::refused)?;
    let anchor = aligned(now);
    let life = life(&sites, &ids, anchor);
    let outbox_seq = demo::store(&mut transaction, &life).await.map_err(setup::refused).context("write the demo's work")?;
    transaction.commit().await.context("write the demo plant")?;
    // The anchor is the database's clock, not ours.
    let anchor = self::anchor(pool).await?.context("the demo plant was just created")?;
    Ok(Seeded { anchor, created: true, outbox_seq })
}

/// Crew, calendars, policies and orders.
fn life(sites: &[SitePlan], ids: &[(String, SiteId)], anchor: Moment) -> Demo {
    let today = anchor.utc().date_naive();
    let ids: Vec<(&str, SiteId)> = ids.iter().map(|(code, id)| (code.as_str(), *id)).collect();
    let schedule = Schedule::developed(simulate::past(anchor), anchor);
    Demo {
        technicians: crew::technicians(today),
        calendars: crew::calendars(today),
        policies: crew::policies(&ids, anchor.minus(400 * DAY)),
        orders: orders::orders(sites, &schedule, anchor),
    }
}

/// The simulated plant as the API sets it up.
pub fn plan(sites: &[SitePlan], rules_from: DateTime<Utc>) -> Plan {
    let mut plan = Plan { rules: rules::rules(rules_from), ..Plan::default() };
    for site in sites {
        plan.sites.push(dcmms_api::setup::SitePlan {
            code: site.code.into(),
            name: site.name.into(),
            kind: site.kind.into(),
            zone: site.zone.name().into(),
            latitude: Some(site.climate.latitude_deg),
            longitude: Some(site.climate.longitude_deg),
            ac_kw: site.ac_kw,
            dc_kwp: site.dc_kwp,
        });
        for position in &site.positions {
            plan.positions.push(PositionPlan {
                site: site.code.into(),
                code: position.code.clone(),
                name: position.name.clone(),
                class: position.class.into(),
                rated_kw: position.rated_kw,
            });
            plan.points.extend(position.points.iter().map(|quantity| PointPlan {
                site: site.code.into(),
                position: Some(position.code.clone()),
                key: format!("{}/{}:{}", site.code, position.code, quantity.kind),
                kind: quantity.kind.into(),
                unit: quantity.unit.into(),
                counter: quantity.counter,
                resolution: quantity.resolution,
                horizon_ms: Point::HORIZON_MS_DEFAULT,
            }));
        }
    }
    plan
}

/// The past that ends at the anchor, sent in stretches: the plant lives through it once.
pub struct Past {
    plant: Plant,
    anchor: Moment,
    reached: Moment,
}

impl std::fmt::Debug for Past {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Past").field("anchor", &self.anchor).field("reached", &self.reached).finish_non_exhaustive()
    }
}

impl Past {
    pub fn new(seed: u64, anchor: Moment) -> Past {
        let from = simulate::past(anchor);
        Past { plant: Plant::new(seed, &Schedule::developed(from, anchor)), anchor, reached: from }
    }

    /// Sends what is left of it before `upto`: an array of readings per gateway and step. Blocks; answers the readings sent.
    pub fn send(&mut self, upto: Moment, producer: &mut Producer, stopped: &dyn Fn() -> bool) -> anyhow::Result<u64> {
        let from = std::mem::replace(&mut self.reached, upto);
        let plant = &mut self.plant;
        let bar = bar(((upto.0 - from.0) / SECOND) as u64, "{elapsed_precise} {wide_bar} {percent}% of the plant's past, {eta} left");
        let (mut samples, mut payload, mut count) = (Vec::new(), Vec::new(), 0);
        for at in plant::steps(from, upto, simulate::PAST_PERIOD_US) {
            if stopped() {
                bail!("stopped; seed again to go on");
            }
            plant.step(at, &mut samples);
            // A buffer that is delivered must not be thinned with its moment of delivery, so only ordinary steps are left out.
            let fine = self.anchor.0 - at.0 <= FINE_DAYS * DAY || (at.0 / simulate::PAST_PERIOD_US) % COARSE == 0;
            if !fine {
                samples.retain(|sample: &Sample| sample.at < at.minus(5 * MINUTE));
            }
            for message in samples.chunk_by(|a, b| plant.points[a.point].position == plant.points[b.point].position) {
                array(plant, message, &mut payload);
                producer.send(plant.gateway(plant.points[message[0].point].position), &payload)?;
            }
            count += samples.len() as u64;
            samples.clear();
            bar.set_position(((at.0 - from.0) / SECOND) as u64);
        }
        producer.flush()?;
        bar.finish_and_clear();
        Ok(count)
    }
}

/// One message: an array of the readings of a gateway.
fn array(plant: &Plant, samples: &[Sample], payload: &mut Vec<u8>) {
    payload.clear();
    for (nth, sample) in samples.iter().enumerate() {
        payload.push(if nth == 0 { b'[' } else { b',' });
        let point = plant.points[sample.point].key.as_str();
        Outgoing { point, at: sample.at, value: sample.value, quality: Quality::Good }.json(payload);
    }
    payload.push(b']');
}

/// Whether the past was sent before and is in the tables.
pub async fn has_past(pool: &PgPool, anchor: Moment) -> anyhow::Result<bool> {
    let newest: Option<DateTime<Utc>> =
        sqlx::query_scalar(include_str!("../queries/newest_reading.sql")).fetch_one(pool).await.context("look for telemetry")?;
    Ok(newest.is_some_and(|newest| Moment::from(newest) >= anchor.minus(simulate::PAST_PERIOD_US)))
}

/// Readings that are durable in the tables.
pub async fn durable_readings(pool: &PgPool) -> anyhow::Result<u64> {
    let readings: i64 =
        sqlx::query_scalar(include_str!("../queries/readings_durable.sql")).fetch_one(pool).await.context("read the books")?;
    Ok(readings.unsigned_abs())
}

/// Waits until so many readings are durable.
pub async fn settled(pool: &PgPool, wanted: u64, stopped: impl Fn() -> bool) -> anyhow::Result<()> {
    let bar = bar(wanted, "{elapsed_precise} {wide_bar} {human_pos} of {human_len} readings in the tables, {per_sec}");
    let (mut moved, mut before, mut said) = (Instant::now(), 0, false);
    loop {
        let now = durable_readings(pool).await?;
        bar.set_position(now);
        if now >= wanted {
            bar.finish_and_clear();
            return Ok(());
        }
        if stopped() {
            bail!("stopped; seed again to go on");
        }
        if now > before {
            (moved, before) = (Instant::now(), now);
        }
        if !said && moved.elapsed() > HINT_AFTER {
            said = true;
            tracing::warn!(readings = now, wanted, "no progress; is `dcmms job run` running on the same database and broker?");
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn bar(length: u64, template: &str) -> ProgressBar {
    ProgressBar::new(length).with_style(ProgressStyle::with_template(template).expect("the template is sound"))
}

#[cfg(test)]
mod tests;
