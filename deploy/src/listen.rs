//! The metrics of a process that serves nothing else.

use crate::{serve, shutdown::Stop};
use anyhow::Context;
use axum::{Router, routing::get};
use dcmms_api::service::RenderMetrics;
use tokio::net::TcpListener;

/// Takes the address and answers `/metrics` there until the stop; without an address nothing is done.
pub(crate) async fn metrics(address: &str, stop: Stop) -> anyhow::Result<()> {
    if address.is_empty() {
        return Ok(());
    }
    let render = serve::record_metrics()?;
    let listener = serve::listen(address).await.context("serve metrics; [metrics] listen says where")?;
    tracing::info!(address = format!("http://{}/metrics", listener.local_addr().context("ask for the address")?), "serving metrics");
    tokio::spawn(serving(listener, render, stop));
    Ok(())
}

async fn serving(listener: TcpListener, render: RenderMetrics, stop: Stop) {
    let router = Router::new().route("/metrics", get(move || async move { render() }));
    let served = axum::serve(listener, router).with_graceful_shutdown(async move { stop.requested().await }).await;
    if let Err(error) = served {
        tracing::warn!(%error, "metrics are no longer served");
    }
}
