//! `dcmms job`: dataflow jobs, run and looked at.

mod attend;
mod checkpoint;
mod control;
mod lag;
mod metrics;
mod run;
mod status;

pub use run::Engine;

use crate::{cli::JobCommand, config::Config, listen, server, shutdown::Stop};

/// Does what is asked about jobs.
pub async fn command(config: Config, command: JobCommand) -> anyhow::Result<()> {
    match command {
        JobCommand::Run(args) => {
            let mut config = config;
            if let Some(workers) = args.workers {
                config.engine.workers = workers;
            }
            if args.with_actions {
                config.engine.action_age_max_ms = -1;
            }
            config.kafka.brokers = server::brokers(&config)?;
            let pool = server::pool(&config)?;
            let stop = Stop::on_signals()?;
            listen::metrics(&config.metrics.listen, stop.clone()).await?;
            Engine { config, pool, accept_new_source: args.accept_new_source, pace: None }.run(stop).await
        }
        JobCommand::List(args) => status::list(&config, args.json).await,
        JobCommand::Checkpoint(args) => checkpoint::take(&config, args.job.as_deref()).await,
        JobCommand::Stop(args) => control::stop(&config, args).await,
        JobCommand::Graph(args) => control::graph(&config, args).await,
        JobCommand::Status(args) => status::status(&config, args.job.as_deref(), args.json).await,
    }
}
