//! The API over HTTP, and what runs beside it: the executor of the engine's commands and the relay of people's changes.

use crate::{config::Config, kafka, server, shutdown::Stop, wait::until_it_works};
use anyhow::{Context, bail};
use dcmms_api::{Limits, Service, service::RenderMetrics};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::{io::ErrorKind, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinSet};

/// How long open requests may take at a stop; live views never end by themselves.
const STOP: Duration = Duration::from_secs(3);
/// How often the metrics' histograms are tidied, so that they stay small though nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

/// A server that has its address and waits for requests.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    service: Arc<Service>,
    config: Config,
}

/// `dcmms serve`.
pub async fn command(mut config: Config, listen: Option<String>) -> anyhow::Result<()> {
    if let Some(listen) = listen {
        config.api.listen = listen;
    }
    config.kafka.brokers = server::brokers(&config)?;
    let publisher = kafka::Publisher::new(config.kafka.client(), &config.kafka.domain_topic)?;
    let stop = Stop::on_signals()?;
    let metrics = record_metrics()?;
    let server = Server::bind(config, publisher, metrics).await?;
    tracing::info!(address = format!("http://{}", server.address()?), docs = "/docs", "serving");
    server.run(stop).await
}

impl Server {
    /// Takes the address; nothing is answered before [`Server::run`].
    pub async fn bind(config: Config, publisher: kafka::Publisher, metrics: RenderMetrics) -> anyhow::Result<Server> {
        let listener = listen(&config.api.listen).await?;
        let pool = dcmms_api::service::pool(server::database(&config)?, config.database.connections_max);
        let (history, rejects) = (config.history_dir(), config.rejects_dir());
        let service = Service::new(pool, Arc::new(publisher), Limits::STANDARD, history, rejects).with_metrics(metrics);
        Ok(Server { listener, service: Arc::new(service), config })
    }

    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        self.listener.local_addr().context("ask for the address that is served")
    }

    pub fn service(&self) -> Arc<Service> {
        Arc::clone(&self.service)
    }

    /// Serves until it is asked to stop.
    pub async fn run(self, stop: Stop) -> anyhow::Result<()> {
        let mut beside = JoinSet::new();
        beside.spawn(dcmms_api::commands::run(Arc::clone(&self.service), stop.receiver()));
        beside.spawn(dcmms_api::plans::run(Arc::clone(&self.service), stop.receiver()));
        let (hearing, resending, showing) = (Arc::clone(&self.service), Arc::clone(&self.service), Arc::clone(&self.service));
        beside.spawn(until(stop.clone(), async move { dcmms_api::live::listen(&hearing).await }));
        beside.spawn(until(stop.clone(), async move { dcmms_api::resend::run(&resending).await }));
        beside.spawn(until(stop.clone(), async move { dcmms_api::rejects::publish::run(&showing).await }));
        beside.spawn(relay(Arc::clone(&self.service), self.config.kafka.clone(), stop.clone()));
        let asked = stop.clone();
        let router = dcmms_api::router(self.service).into_make_service_with_connect_info::<SocketAddr>();
        let serving = axum::serve(self.listener, router).with_graceful_shutdown(async move { asked.requested().await }).into_future();
        tokio::select! {
            served = serving => served.context("serve HTTP")?,
            () = async { stop.requested().await; tokio::time::sleep(STOP).await } => {}
        }
        if tokio::time::timeout(STOP, beside.join_all()).await.is_err() {
            tracing::warn!("the executor or the relay did not end in time; what they had under way is done again at the next start");
        }
        Ok(())
    }
}

/// Ends what has no end of its own; each of these repeats at most a batch after a restart.
async fn until(stop: Stop, endless: impl Future<Output = ()>) {
    tokio::select! {
        () = endless => {}
        () = stop.requested() => {}
    }
}

/// Relays once it is known which topic this is; waits while Kafka is away.
async fn relay(service: Arc<Service>, kafka: crate::config::Kafka, stop: Stop) {
    let what = format!("Kafka at {}", kafka.brokers);
    let target = until_it_works(&what, &stop, || async {
        kafka::ensure_topics(&kafka).await.map_err(|error| format!("{error:#}"))?;
        let engine = kafka::for_engine(&kafka);
        let sources = tokio::task::spawn_blocking(move || dcmms_dataflows::identify(&engine)).await.map_err(|error| error.to_string())?;
        let sources = sources.map_err(|error| format!("{:#}", anyhow::anyhow!(error)))?;
        kafka::relay_target(&sources).ok_or_else(|| "the domain topic has no partition".to_owned())
    });
    if let Some(target) = target.await {
        dcmms_api::relay::run(service, target, stop.receiver()).await;
    }
}

/// Takes a TCP address, or says what to do when somebody else has it.
pub(crate) async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bail!("listen on {address}: somebody else does already; choose another one, such as --listen 127.0.0.1:9090")
        }
        Err(error) => Err(error).with_context(|| format!("listen on {address}; it must be an address of this machine")),
    }
}

/// Records metrics in this process from now on, and gives what renders them.
pub fn record_metrics() -> anyhow::Result<RenderMetrics> {
    let handle = PrometheusBuilder::new().install_recorder().context("record metrics")?;
    let upkeep: PrometheusHandle = handle.clone();
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(UPKEEP);
        loop {
            interval.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(Arc::new(move || handle.render()))
}
