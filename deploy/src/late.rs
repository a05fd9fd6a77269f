//! `dcmms late-readings`: what came too late for the correction horizon.

use crate::{cli::LateArgs, config::Config, print, server, setup, table::table};
use anyhow::Context;
use chrono::SecondsFormat;
use dcmms_api::{
    accounts::TENANT_DEFAULT,
    operations::{LateQuery, late},
};

/// Prints late readings by point and hour.
pub async fn command(config: &Config, args: LateArgs) -> anyhow::Result<()> {
    let pool = server::reached(config).await?;
    let query = LateQuery { site: args.site, point: args.point, limit: Some(args.limit), ..LateQuery::default() };
    let page = late(&pool, TENANT_DEFAULT, &query).await.map_err(setup::refused).context("read what came too late")?;
    if args.json {
        return print(&format!("{}\n", serde_json::to_string_pretty(&page)?));
    }
    if page.data.is_empty() {
        return print("nothing came too late\n");
    }
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let rows = page.data.iter().map(|row| {
        vec![row.point.clone(), time(row.hour), row.readings.to_string(), time(row.first_at), time(row.last_at), row.tick.to_string()]
    });
    print(&table(&["POINT", "HOUR", "READINGS", "FIRST", "LAST", "TICK"], rows))?;
    if page.page.has_more { print("… and more; --limit shows up to 1000\n") } else { Ok(()) }
}
