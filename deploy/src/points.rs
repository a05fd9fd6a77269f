//! `dcmms points`: what telemetry names.

use crate::{cli::AdoptArgs, config::Config, print, server, setup};
use anyhow::Context;
use dcmms_api::{
    accounts::TENANT_DEFAULT,
    unknown::{AdoptInput, adopt},
};
use std::fmt::Write;

/// Who is noted as the one who adopted them.
const BY: &str = "dcmms points adopt-unknown";

/// Makes unknown points known, batch by batch; each batch is whole or not at all.
pub async fn adopt_unknown(config: &Config, args: AdoptArgs) -> anyhow::Result<()> {
    let pool = server::reached(config).await?;
    loop {
        let input = AdoptInput {
            keys: args.keys.clone(),
            prefix: args.prefix.clone(),
            site: None,
            kind: None,
            unit: None,
            resolution: None,
            counter: None,
        };
        let mut transaction = pool.begin().await.context("reach the database; check database.url and run `dcmms migrate`")?;
        let adopted = adopt(&mut transaction, TENANT_DEFAULT, BY, input).await.map_err(setup::refused).context("adopt unknown points")?;
        transaction.commit().await.context("adopt unknown points")?;
        let mut text = format!("{} points adopted, {} refused\n", adopted.points.len(), adopted.refused.len());
        for refused in &adopted.refused {
            let _ = writeln!(text, "refused: {}: {}", refused.key, refused.reason);
        }
        print(&text)?;
        // Keys that are refused come again with their prefix, so only progress goes on.
        if !adopted.more || adopted.points.is_empty() {
            return Ok(());
        }
    }
}
