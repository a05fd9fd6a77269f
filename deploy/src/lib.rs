//! What the binary `dcmms` is made of, and where all other crates are tied together.
//!
//! In reading order: what can be asked for ([`cli`]), with what settings ([`config`]), of which servers ([`server`]); the
//! engine ([`job`]), the API ([`serve`]) and everything in one process ([`demo`]); the servers a machine without any is given
//! ([`postgres`], [`kafka`]); what speaks in place of a plant ([`simulate`], [`replay`]) and how its readings leave
//! ([`telemetry`]).

pub mod cli;
pub mod config;
pub mod logging;
pub mod server;
pub mod shutdown;
mod table;
pub mod wait;

pub mod demo;
pub mod init;
pub mod job;
pub mod late;
mod listen;
pub mod points;
pub mod rejects;
pub mod serve;

pub mod kafka;
pub mod postgres;

pub mod replay;
pub mod rules;
pub mod seed;
pub mod setup;
pub mod simulate;
pub mod speak;
pub mod telemetry;
pub mod train;

use anyhow::Context;
use cli::{Cli, Command, PointsCommand};
use config::Config;

/// Does what the command line asks.
pub async fn run(cli: Cli) -> anyhow::Result<()> {
    if let Command::Config(args) = &cli.command
        && args.default
    {
        return print(config::DEFAULT);
    }
    let mut config = Config::load(cli.config.as_deref(), &cli.set)?;
    config.log.filter = cli.log.unwrap_or(config.log.filter);
    config.log.format = cli.log_format.unwrap_or(config.log.format);
    logging::start(&config.log)?;
    match cli.command {
        Command::Demo(args) => demo::command(config, args).await,
        Command::Serve(args) => serve::command(config, args.listen).await,
        Command::Job(command) => job::command(config, command).await,
        Command::Simulate(args) => speak::simulate(config, args).await,
        Command::Replay(args) => speak::replay(config, args).await,
        Command::Seed(args) => speak::seed(config, args).await,
        Command::Train(args) => train::command(config, args).await,
        Command::Rules(command) => rules::command(config, command).await,
        Command::Points(PointsCommand::AdoptUnknown(args)) => points::adopt_unknown(&config, args).await,
        Command::Rejects(command) => rejects::command(&config, command).await,
        Command::LateReadings(args) => late::command(&config, args).await,
        Command::Migrate => migrate(&config).await,
        Command::Init(args) => init::command(&config, &args).await,
        Command::Openapi => print(&format!("{}\n", dcmms_api::document().to_pretty_json().context("print the OpenAPI document")?)),
        Command::Config(_) => print(&config.masked()?),
    }
}

async fn migrate(config: &Config) -> anyhow::Result<()> {
    let pool = server::reached(config).await?;
    let place = server::place(&pool);
    dcmms_sinks::migrate(&pool).await.with_context(|| format!("migrate the database at {place}"))?;
    if !config.kafka.brokers.is_empty() {
        kafka::ensure_topics(&config.kafka).await?;
    }
    print("the database has the shape of this release\n")
}

/// Prints to the standard output; a reader that has gone away is an error like any other.
pub fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    std::io::stdout().write_all(text.as_bytes()).context("write to the standard output")
}

#[cfg(test)]
mod tests {
    use dcmms_schemas::testing::TestDatabase;
    use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

    #[tokio::test]
    async fn every_query_can_be_prepared() {
        let database = TestDatabase::create().await;
        let mut connection = database.pool().acquire().await.unwrap();
        let mut prepared = 0;
        for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/queries")).unwrap() {
            let path = entry.unwrap().path();
            let sql = std::fs::read_to_string(&path).unwrap();
            let statement = (&mut *connection).prepare(AssertSqlSafe(sql).into_sql_str()).await;
            assert!(statement.is_ok(), "{}: {}", path.display(), statement.err().unwrap());
            prepared += 1;
        }
        assert!(prepared > 5, "{prepared}");
    }
}
