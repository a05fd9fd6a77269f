//! `dcmms train`: a failure classifier learnt from the hours in the tables and the failures that people reported.

use crate::{config::Config, print, server, setup::refused};
use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_api::accounts::TENANT_DEFAULT;
use dcmms_dataflows::train::{FailureFact, Metrics, TrainSpec, TrainingRow, fit};
use dcmms_schemas::{
    id::{ModelId, PointNumber, PositionId, SiteId},
    model::{FeatureOf, FeatureSpec, Model},
    time::{HOUR, Moment},
};
use sqlx::PgPool;
use std::time::Instant;
use tokio::task::spawn_blocking;
use uuid::Uuid;

/// Trains a failure model on the past and puts it to work as the next version of its name.
///
/// It learns from hourly roll-ups and from failure reports of completed orders; later hours test what earlier hours taught, and
/// the figures say how good it is on those.
///   dcmms train --class inverter
///   dcmms train --class turbine --mechanism WT-GEAR --from 2026-01-01T00:00:00Z --dry-run
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct TrainArgs {
    /// The asset class: inverter, turbine, rack or pump.
    #[arg(long)]
    pub class: String,
    /// Code of the failure mechanism that is to be foreseen; default: the usual one of the class.
    #[arg(long)]
    pub mechanism: Option<String>,
    /// The first hour; default: 90 days before the last.
    #[arg(long)]
    pub from: Option<DateTime<Utc>>,
    /// The last hour; default: now.
    #[arg(long)]
    pub to: Option<DateTime<Utc>>,
    /// How many hours ahead a failure counts.
    #[arg(long, default_value_t = 24)]
    pub horizon_hours: u32,
    /// How many hours in a row must be at or above the threshold before an order is proposed.
    #[arg(long, default_value_t = 3)]
    pub hours: u32,
    /// Learns and prints the figures, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// What is known of a class: its mechanism, what the failure is called, and what to look at.
struct Recipe {
    class: &'static str,
    mechanism: &'static str,
    failure: &'static str,
    features: &'static [(&'static str, FeatureOf)],
}

const RECIPES: [Recipe; 3] = [
    Recipe {
        class: "inverter",
        mechanism: "PV-FAN",
        failure: "cooling fan",
        features: &[
            ("inv.temp.cabinet", FeatureOf::PeerDifference),
            ("inv.temp.cabinet", FeatureOf::DayDifference),
            ("inv.temp.cabinet", FeatureOf::Mean),
            ("inv.temp.cabinet", FeatureOf::Stddev),
            ("ac.power", FeatureOf::PeerDifference),
        ],
    },
    Recipe {
        class: "turbine",
        mechanism: "WT-GEAR",
        failure: "gearbox",
        features: &[
            ("wtg.gearbox_temp", FeatureOf::PeerDifference),
            ("wtg.gearbox_temp", FeatureOf::DayDifference),
            ("wtg.gearbox_temp", FeatureOf::Mean),
            ("ac.power", FeatureOf::PeerDifference),
        ],
    },
    Recipe {
        class: "pump",
        mechanism: "1",
        failure: "bearing",
        features: &[
            ("pump.vibration", FeatureOf::PeerRatio),
            ("pump.vibration", FeatureOf::DayDifference),
            ("pump.bearing_temp", FeatureOf::PeerDifference),
        ],
    },
];

/// The model that the demo is seeded with.
pub const FAN: &str = "inverter cooling fan";

/// How far back it looks unless told.
const PAST_DAYS: i64 = 90;

pub async fn command(config: Config, args: TrainArgs) -> anyhow::Result<()> {
    let pool = server::reached(&config).await?;
    let to = args.to.unwrap_or_else(Utc::now);
    let from = args.from.unwrap_or(to - TimeDelta::days(PAST_DAYS));
    let (model, metrics) = learn(&pool, &args, from, to, Moment::from(to)).await?;
    print(&report(&model, &metrics))?;
    if args.dry_run {
        return print("nothing was changed: --dry-run\n");
    }
    let (model, _) = publish(&pool, model, &metrics, from, to).await?;
    print(&format!("version {} of {:?} is at work from {} on\n", model.version, model.name, model.valid_from))
}

/// Whether a model of this name is at work.
pub async fn exists(pool: &PgPool, name: &str) -> anyhow::Result<bool> {
    sqlx::query_scalar(include_str!("../queries/model_exists.sql")).bind(name).fetch_one(pool).await.context("look for the model")
}

/// The moment at which the demo's model goes to work. Of a fan that began to fail before it, a run of hours above the
/// threshold is young enough to be acted on until the anchor.
pub const fn demo_from(anchor: Moment) -> Moment {
    anchor.minus(20 * HOUR)
}

/// Trains the demo's model on its past until `to` and puts it to work from then on. Answers the outbox row that tells of it.
pub async fn demo(pool: &PgPool, anchor: Moment, to: Moment) -> anyhow::Result<i64> {
    let (from, to, valid_from) = (crate::simulate::past(anchor).utc(), to.utc(), demo_from(anchor));
    let started = Instant::now();
    let args = TrainArgs { class: "inverter".into(), mechanism: None, from: None, to: None, horizon_hours: 24, hours: 3, dry_run: false };
    let (model, metrics) = learn(pool, &args, from, to, valid_from).await?;
    let (model, outbox_seq) = publish(pool, model, &metrics, from, to).await?;
    tracing::info!(model = model.name, version = model.version, ms = started.elapsed().as_millis(), figures = ?metrics, "trained a model on the past");
    Ok(outbox_seq)
}

async fn learn(
    pool: &PgPool,
    args: &TrainArgs,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    valid_from: Moment,
) -> anyhow::Result<(Model, Metrics)> {
    let Some(recipe) = RECIPES.iter().find(|recipe| recipe.class == args.class) else {
        bail!("there is no recipe for class {:?}; there is one for {}", args.class, RECIPES.map(|recipe| recipe.class).join(", "));
    };
    let mechanism = args.mechanism.as_deref().unwrap_or(recipe.mechanism);
    let features: Vec<FeatureSpec> = recipe
        .features
        .iter()
        .map(|(kind, of)| FeatureSpec { name: format!("{kind}.{}", suffix(*of)), kind: (*kind).into(), of: *of })
        .collect();
    let kinds: Vec<String> = dcmms_operators::features::kinds(&features).into_iter().map(String::from).collect();
    let rows = rows(pool, &args.class, &kinds, from, to).await?;
    let failures = failures(pool, &args.class, mechanism, from, to).await?;
    let spec = TrainSpec {
        id: ModelId(Uuid::nil()),
        version: 0,
        name: format!("{} {}", recipe.class, recipe.failure),
        class: recipe.class.into(),
        features,
        hours: args.hours,
        horizon_hours: args.horizon_hours,
        failure: recipe.failure.into(),
        valid_from: valid_from.floor(HOUR),
        threshold: None,
        test_share: TrainSpec::TEST_SHARE,
    };
    let found = (rows.len(), failures.len());
    let learnt = spawn_blocking(move || fit(&rows, &failures, &spec)).await.context("train")?;
    learnt.with_context(|| format!("learn from {} hours and {} failures between {from} and {to}", found.0, found.1))
}

const fn suffix(of: FeatureOf) -> &'static str {
    match of {
        FeatureOf::Mean => "mean",
        FeatureOf::PeerDifference => "peer_difference",
        FeatureOf::PeerRatio => "peer_ratio",
        FeatureOf::Stddev => "stddev",
        FeatureOf::DayDifference => "day_difference",
    }
}

async fn rows(pool: &PgPool, class: &str, kinds: &[String], from: DateTime<Utc>, to: DateTime<Utc>) -> anyhow::Result<Vec<TrainingRow>> {
    type Found = (Uuid, Uuid, i32, String, DateTime<Utc>, f64, f64);
    let found: Vec<Found> = sqlx::query_as(include_str!("../queries/training_hours.sql"))
        .bind(class)
        .bind(kinds)
        .bind(from)
        .bind(to)
        .fetch_all(pool)
        .await
        .context("read the hours to learn from")?;
    let row = |(site, position, point, kind, start, mean, stddev): Found| TrainingRow {
        site: SiteId(site),
        position: PositionId(position),
        point: PointNumber(point.unsigned_abs()),
        kind,
        start: Moment::from(start),
        mean,
        stddev,
    };
    Ok(found.into_iter().map(row).collect())
}

async fn failures(pool: &PgPool, class: &str, mechanism: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> anyhow::Result<Vec<FailureFact>> {
    let found: Vec<(Uuid, DateTime<Utc>, Option<DateTime<Utc>>)> = sqlx::query_as(include_str!("../queries/training_failures.sql"))
        .bind(class)
        .bind(mechanism)
        .bind(from)
        .bind(to)
        .fetch_all(pool)
        .await
        .context("read the reported failures")?;
    let fact = |(position, at, restored): (Uuid, DateTime<Utc>, Option<DateTime<Utc>>)| FailureFact {
        position: PositionId(position),
        at: Moment::from(at),
        restored: restored.map(Moment::from),
    };
    Ok(found.into_iter().map(fact).collect())
}

async fn publish(pool: &PgPool, model: Model, metrics: &Metrics, from: DateTime<Utc>, to: DateTime<Utc>) -> anyhow::Result<(Model, i64)> {
    let training = serde_json::json!({ "from": from, "to": to, "metrics": metrics, "alias": "champion" });
    let mut transaction = pool.begin().await.context("publish the model")?;
    let published = dcmms_api::models::publish(&mut transaction, TENANT_DEFAULT, model, &training).await.map_err(refused)?;
    transaction.commit().await.context("publish the model")?;
    Ok(published)
}

/// The figures, for a person.
fn report(model: &Model, metrics: &Metrics) -> String {
    use std::fmt::Write;
    let share = |share: Option<f64>| share.map_or("-".into(), |share| format!("{:.1} %", share * 100.0));
    let mut text = format!(
        "{}: {} of {} position-hours taught, {} of {} tested (before a failure of all)\n\
         on the tested hours: precision {}, recall {}, average precision {} (blind guess {:.1} %), threshold {:.3}\n",
        model.name,
        metrics.taught_before_failure,
        metrics.taught,
        metrics.tested_before_failure,
        metrics.tested,
        share(metrics.precision),
        share(metrics.recall),
        share(metrics.average_precision),
        metrics.prevalence * 100.0,
        metrics.threshold,
    );
    for (feature, weight) in model.features.iter().zip(&model.coefficients) {
        let _ = writeln!(text, "  {:<36} {weight:+.3}", feature.name);
    }
    text
}
