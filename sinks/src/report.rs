//! What a running job says of itself, for whoever asks over the database.

use crate::error::{SinkError, doing};
use dcmms_schemas::job::Report;
use sqlx::{PgPool, types::Json};

/// Writes the job's report over the last one; a generation that was fenced off writes nothing.
pub async fn write(pool: &PgPool, job: &str, generation: u64, report: &Report) -> Result<(), SinkError> {
    sqlx::query(include_str!("../queries/job_report_write.sql"))
        .bind(job)
        .bind(i64::try_from(generation).unwrap_or(i64::MAX))
        .bind(Json(report))
        .execute(pool)
        .await
        .map_err(doing("write the job's report"))?;
    Ok(())
}
