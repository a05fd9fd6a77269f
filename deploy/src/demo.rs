//! `dcmms demo`: everything in one process, on a machine with nothing running.
//!
//! What is started is stopped in the opposite order: the plant, the engine (its ticks become durable), the API, then the
//! broker and PostgreSQL.

mod place;
mod plant;
mod real_kafka;
mod story;

use crate::{
    cli::DemoArgs,
    config::Config,
    job::Engine,
    kafka::{self, Broker, Pace, Publisher},
    postgres::Cluster,
    serve::{self, Server},
    server::{self, Running},
    shutdown::Stop,
};
use anyhow::Context;
use place::Place;
use real_kafka::RealKafka;
use tokio::task::{JoinHandle, spawn_blocking};

/// Runs until Ctrl-C.
pub async fn command(mut config: Config, args: DemoArgs) -> anyhow::Result<()> {
    if let Some(listen) = args.listen {
        config.api.listen = listen;
    }
    if let Some(data) = args.data {
        config.data.dir = data;
    }
    if let Some(brokers) = args.brokers {
        config.kafka.brokers = brokers;
    }
    let stop = Stop::on_signals()?;
    let in_process = config.kafka.brokers.is_empty() && !args.kafka;
    let place = Place::take(&config.data.dir, in_process)?;
    config.data.dir = place.dir().to_owned();
    let servers = Servers::start(&mut config, args.kafka, &stop).await?;
    let result = Demo::run(config, place.has_new_broker(), servers.pace.clone(), &stop).await;
    stop.request();
    let stopped = servers.stop().await;
    Running::forget(place.dir());
    result.and(stopped)?;
    tracing::info!("everything that the demo started has stopped");
    Ok(())
}

/// The servers that the demo runs itself.
struct Servers {
    postgres: Option<Cluster>,
    broker: Option<Broker>,
    kafka: Option<RealKafka>,
    /// Where the broker is the one in the process.
    pace: Option<Pace>,
}

impl Servers {
    async fn start(config: &mut Config, real_kafka: bool, stop: &Stop) -> anyhow::Result<Servers> {
        let mut servers = Servers { postgres: None, broker: None, kafka: None, pace: None };
        let started = servers.start_all(config, real_kafka, stop).await;
        match started {
            Ok(()) => Ok(servers),
            Err(error) => {
                // Said once, with why it all ends.
                let _ = servers.stop().await;
                Err(error)
            }
        }
    }

    async fn start_all(&mut self, config: &mut Config, real_kafka: bool, stop: &Stop) -> anyhow::Result<()> {
        if config.database.url.is_empty() {
            let dir = config.data.dir.clone();
            let cluster = spawn_blocking(move || Cluster::start(&dir)).await.context("start PostgreSQL")??;
            let cluster = self.postgres.insert(cluster);
            cluster.create_database().await?;
            config.database.url = cluster.url();
        }
        if real_kafka {
            let kafka = RealKafka::start(&config.data.dir, stop).await?;
            config.kafka.brokers = self.kafka.insert(kafka).brokers().to_owned();
        } else if config.kafka.brokers.is_empty() {
            let broker = Broker::start(&config.kafka)?;
            config.kafka.brokers = self.broker.insert(broker).brokers().to_owned();
            self.pace = Some(Pace::default());
        }
        let postgres = server::place(&server::pool(config)?);
        tracing::info!(postgres, kafka = config.kafka.brokers, in_process = self.broker.is_some(), "servers are up");
        Ok(())
    }

    async fn stop(self) -> anyhow::Result<()> {
        drop(self.broker);
        if let Some(kafka) = self.kafka {
            kafka.stop().await?;
        }
        if let Some(postgres) = self.postgres {
            spawn_blocking(move || postgres.stop()).await.context("stop PostgreSQL")??;
        }
        Ok(())
    }
}

/// The engine, the API and the plant.
struct Demo {
    engine: JoinHandle<anyhow::Result<()>>,
    serving: JoinHandle<anyhow::Result<()>>,
    plant: JoinHandle<anyhow::Result<()>>,
}

impl Demo {
    async fn run(config: Config, new_broker: bool, pace: Option<Pace>, stop: &Stop) -> anyhow::Result<()> {
        let pool = server::pool(&config)?;
        dcmms_sinks::migrate(&pool).await.context("prepare the database")?;
        kafka::ensure_topics(&config.kafka).await?;
        let login = place::login(&config.data.dir, &pool).await?;
        let publisher = Publisher::new(config.kafka.client(), &config.kafka.domain_topic)?;
        let publisher = match &pace {
            Some(pace) => publisher.paced(pace.clone(), config.kafka.telemetry_topics.clone()),
            None => publisher,
        };
        let server = Server::bind(config.clone(), publisher, serve::record_metrics()?).await?;
        let address = format!("http://{}", server.address()?);
        let running = Running {
            pid: std::process::id(),
            database_url: config.database.url.clone(),
            brokers: config.kafka.brokers.clone(),
            api: address.clone(),
        };
        running.tell(&config.data.dir)?;
        // The engine ends after the plant and before the API, so each has its own signal.
        let (engine_stop, serve_stop) = (Stop::default(), Stop::default());
        let engine = Engine { config: config.clone(), pool: pool.clone(), accept_new_source: new_broker, pace: pace.clone() };
        let mut demo = Demo {
            engine: tokio::spawn(engine.run(engine_stop.clone())),
            serving: tokio::spawn(server.run(serve_stop.clone())),
            plant: tokio::spawn(plant::live(config, pool.clone(), pace, stop.clone())),
        };
        tracing::info!(address, docs = format!("{address}/docs"), email = login.email, password = login.password, "log in here");
        let watching = tokio::spawn(story::tell(pool, stop.clone()));
        let result = demo.until_stopped(stop).await;
        stop.request();
        watching.abort();
        let plant = if demo.plant.is_finished() { Ok(()) } else { demo.plant.await.context("wait for the plant")? };
        engine_stop.request();
        let engine = if demo.engine.is_finished() { Ok(()) } else { demo.engine.await.context("wait for the engine")? };
        serve_stop.request();
        let serving = if demo.serving.is_finished() { Ok(()) } else { demo.serving.await.context("wait for the API")? };
        result.and(plant).and(engine).and(serving)
    }

    /// Waits for the signal; a part that ends before it ends the demo with its reason.
    async fn until_stopped(&mut self, stop: &Stop) -> anyhow::Result<()> {
        tokio::select! {
            () = stop.requested() => Ok(()),
            ended = &mut self.engine => ended.context("run the engine")?.context("run the engine"),
            ended = &mut self.serving => ended.context("serve the API")?.context("serve the API"),
            ended = &mut self.plant => ended.context("simulate the plant")?.context("simulate the plant"),
        }
    }
}
