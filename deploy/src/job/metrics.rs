//! What a running job says of itself, to Prometheus; `docs/operate.md` lists the names.

use dcmms_schemas::job::{Partition, Report};
use metrics::{counter, gauge};
use std::time::Duration;

/// Sets everything that a report knows.
pub(super) fn tell(job: &str, generation: u64, durable_age: Duration, report: &Report) {
    let job = job.to_owned();
    gauge!("dcmms_job_generation", "job" => job.clone()).set(generation as f64);
    gauge!("dcmms_job_workers", "job" => job.clone()).set(report.workers as f64);
    gauge!("dcmms_job_bound_tick", "job" => job.clone()).set(report.bound_tick as f64);
    gauge!("dcmms_job_durable_tick", "job" => job.clone()).set(report.durable_tick as f64);
    gauge!("dcmms_job_ticks_in_flight", "job" => job.clone()).set(report.bound_tick.saturating_sub(report.durable_tick) as f64);
    gauge!("dcmms_job_durable_age_seconds", "job" => job.clone()).set(durable_age.as_secs_f64());
    if let Some(bytes) = report.memory_bytes {
        gauge!("dcmms_process_memory_bytes").set(bytes as f64);
    }
    for partition in &report.partitions {
        tell_partition(&job, partition);
    }
    for node in report.graph.nodes.iter().filter(|node| !node.scope) {
        // Two operators may have one name; the address tells them apart.
        let labels = [("job", job.clone()), ("operator", node.name.clone()), ("id", node.id.clone())];
        counter!("dcmms_operator_records_in_total", &labels).absolute(node.records_in);
        counter!("dcmms_operator_records_out_total", &labels).absolute(node.records_out);
        counter!("dcmms_operator_busy_microseconds_total", &labels).absolute(node.busy_us);
        gauge!("dcmms_operator_rows_held", &labels).set(node.rows_held as f64);
    }
}

fn tell_partition(job: &str, partition: &Partition) {
    let labels = [("job", job.to_owned()), ("topic", partition.topic.clone()), ("partition", partition.partition.to_string())];
    gauge!("dcmms_job_partition_upto", &labels).set(partition.upto as f64);
    gauge!("dcmms_job_partition_queued_messages", &labels).set((partition.fetched - partition.upto).max(0) as f64);
    gauge!("dcmms_job_partition_idle", &labels).set(f64::from(u8::from(partition.idle)));
    if let (Some(high), Some(lag)) = (partition.high, partition.lag()) {
        gauge!("dcmms_job_partition_high_watermark", &labels).set(high as f64);
        gauge!("dcmms_job_partition_lag_messages", &labels).set(lag as f64);
    }
    if let Some(seconds) = partition.lag_s {
        gauge!("dcmms_job_partition_lag_seconds", &labels).set(seconds);
    }
    if let Some(watermark) = partition.watermark {
        gauge!("dcmms_job_partition_watermark_seconds", &labels).set(watermark.0 as f64 / 1e6);
    }
}
