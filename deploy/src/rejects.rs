//! `dcmms rejects`: what the engine refused.

use crate::{
    cli::{RejectsCommand, RejectsListArgs, RejectsReplayArgs, RejectsShowArgs},
    config::Config,
    print, server, setup,
    table::table,
};
use anyhow::{Context, bail};
use chrono::SecondsFormat;
use dcmms_api::{
    accounts::TENANT_DEFAULT,
    rejects::{self, ReplayInput, ReplayView},
};
use sqlx::PgPool;
use std::{fmt::Write, time::Duration};
use uuid::Uuid;

/// Who is noted as the one who asked.
const BY: &str = "dcmms rejects replay";
/// How often a replay that is waited for is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Does what is asked about rejects.
pub async fn command(config: &Config, command: RejectsCommand) -> anyhow::Result<()> {
    let pool = server::reached(config).await?;
    match command {
        RejectsCommand::List(args) => list(&pool, args).await,
        RejectsCommand::Show(args) => show(config, &pool, args).await,
        RejectsCommand::Replay(args) => replay(&pool, args).await,
        RejectsCommand::Progress(args) => follow(&pool, args.id, args.wait).await,
    }
}

async fn list(pool: &PgPool, args: RejectsListArgs) -> anyhow::Result<()> {
    let text = counts(pool, &args.reason, args.job.as_deref(), args.json).await?;
    print(&text)
}

async fn counts(pool: &PgPool, reasons: &[String], job: Option<&str>, json: bool) -> anyhow::Result<String> {
    let asked = (!reasons.is_empty()).then_some(reasons);
    let found = rejects::reasons(pool, asked, job).await;
    let found = found.with_context(|| format!("read what was refused from PostgreSQL at {}", server::place(pool)))?;
    if json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(&found)?));
    }
    if found.is_empty() {
        return Ok("nothing was refused\n".to_owned());
    }
    let rows = found.iter().map(|row| {
        let source = format!("{}/{}", row.topic.as_deref().unwrap_or("?"), row.partition.unwrap_or(-1));
        let hour = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (first, last) = (row.first_offset.to_string(), row.last_offset.to_string());
        let (from, to) = (hour(row.first_hour), hour(row.last_hour));
        vec![row.reason.clone(), row.job.clone(), source, row.n.to_string(), first, last, from, to, row.detail.clone()]
    });
    let head = ["REASON", "JOB", "SOURCE", "COUNT", "FIRST OFFSET", "LAST OFFSET", "FIRST HOUR", "LAST HOUR", "NEWEST"];
    Ok(table(&head, rows))
}

async fn show(config: &Config, pool: &PgPool, args: RejectsShowArgs) -> anyhow::Result<()> {
    let asked = (!args.reason.is_empty()).then_some(args.reason.as_slice());
    let found = rejects::sample(pool, &config.rejects_dir(), asked, args.job.as_deref(), args.limit).await;
    let found = found.map_err(setup::refused).with_context(|| format!("read rejects in {}", config.rejects_dir().display()))?;
    if args.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&found)?));
    }
    let mut text = String::new();
    for one in &found {
        let at = one.at.map_or("?".into(), |at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
        let place = format!("{}/{} offset {}", one.topic.as_deref().unwrap_or("?"), one.partition.unwrap_or(-1), one.offset);
        let said = one.text.clone().or_else(|| one.base64.as_ref().map(|bytes| format!("base64 {bytes}"))).unwrap_or_default();
        let _ = writeln!(text, "{at} {} {place}: {}\n  {said}", one.reason, one.detail);
    }
    if found.is_empty() {
        text.push_str("nothing like it in the newest 16 MiB of rejects\n");
    }
    print(&text)
}

async fn replay(pool: &PgPool, args: RejectsReplayArgs) -> anyhow::Result<()> {
    if !args.after_fix {
        print(&counts(pool, &args.reason, args.job.as_deref(), false).await?)?;
        bail!("nothing was sent: mend the cause, then say --after-fix");
    }
    let input = ReplayInput {
        reasons: args.reason,
        after_fix: true,
        keys: (!args.key.is_empty()).then_some(args.key),
        job: args.job,
        partition: args.partition,
        ..ReplayInput::default()
    };
    let mut transaction = pool.begin().await.context("reach the database; check database.url and run `dcmms migrate`")?;
    let noted = rejects::replay(&mut transaction, TENANT_DEFAULT, BY, input).await.map_err(setup::refused).context("ask for a replay")?;
    transaction.commit().await.context("ask for a replay")?;
    follow(pool, noted.id, args.wait).await
}

async fn follow(pool: &PgPool, id: Uuid, wait: bool) -> anyhow::Result<()> {
    let mut said = String::new();
    loop {
        let view = rejects::progress(pool, TENANT_DEFAULT, id).await.map_err(setup::refused).context("look at the replay")?;
        let text = told(&view);
        if text != said {
            print(&text)?;
            said = text;
        }
        if view.state == "failed" {
            bail!("the replay failed: {}", view.failure.unwrap_or_default());
        }
        if !wait || view.finished_at.is_some() {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn told(view: &ReplayView) -> String {
    let mut text = format!("replay {}: {}, {} sent", view.id, view.state, view.sent);
    if view.skipped > 0 {
        let _ = write!(text, ", {} had been sent before", view.skipped);
    }
    if view.bytes < view.bytes_total {
        let _ = write!(text, ", {} of {} bytes read", view.bytes, view.bytes_total);
    }
    if let Some(failure) = &view.failure {
        let _ = write!(text, "; last failure: {failure}");
    }
    text + "\n"
}
