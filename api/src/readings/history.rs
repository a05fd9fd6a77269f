//! Parquet files of the history: the rows of one point and span.

use super::raw::READINGS_MAX;
use crate::problem::Problem;
use arrow::{
    array::{Array, AsArray, BooleanArray},
    compute::kernels::cmp::eq,
    datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt8Type},
    error::ArrowError,
    record_batch::RecordBatch,
};
use chrono::{DateTime, Utc};
use dcmms_schemas::{reading::Quality, time::Moment};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowPredicateFn, ParquetRecordBatchReaderBuilder, RowFilter},
    },
    errors::ParquetError,
    file::{metadata::RowGroupMetaData, statistics::Statistics},
};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// Columns in their order in the files.
const POINT: usize = 0;
const AT: usize = 1;

/// One reading as kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Microseconds.
    pub(super) at: i64,
    pub(super) value: f64,
    pub(super) quality: Quality,
    pub(super) seq: Option<i64>,
    pub(super) correction: bool,
    pub(super) late: bool,
    pub(super) tick: i64,
}

impl Row {
    pub(super) fn moment(&self) -> DateTime<Utc> {
        Moment(self.at).utc()
    }
}

/// Reads the point's rows with `from <= at < to` out of these files. Blocks; groups of rows without the point are skipped.
pub(super) fn read(files: &[PathBuf], point: i32, from: i64, to: i64) -> Result<Vec<Row>, Problem> {
    let mut rows = Vec::new();
    for path in files {
        if let Err(error) = read_file(path, point, from, to, &mut rows) {
            tracing::error!(%error, path = %path.display(), "file of the history cannot be read");
            return Err(Problem::internal());
        }
        if rows.len() > READINGS_MAX {
            return Err(Problem::conflict(
                "too_wide",
                format!("the span has more than {READINGS_MAX} readings; ask for less, or for a bucket"),
            ));
        }
    }
    Ok(rows)
}

fn read_file(path: &Path, point: i32, from: i64, to: i64, rows: &mut Vec<Row>) -> Result<(), ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
    let groups = builder.metadata().row_groups().iter().enumerate();
    let groups: Vec<usize> = groups.filter(|(_, group)| may_hold(group, point, from, to)).map(|(index, _)| index).collect();
    if groups.is_empty() {
        return Ok(());
    }
    let only = ProjectionMask::leaves(builder.parquet_schema(), [POINT]);
    let is_point =
        move |batch: RecordBatch| -> Result<BooleanArray, ArrowError> { eq(batch.column(0), &arrow::array::Int32Array::new_scalar(point)) };
    let filter = RowFilter::new(vec![Box::new(ArrowPredicateFn::new(only, is_point))]);
    for batch in builder.with_row_groups(groups).with_row_filter(filter).build()? {
        take(&batch?, from, to, rows);
    }
    Ok(())
}

/// By its statistics; a group without any may hold everything.
fn may_hold(group: &RowGroupMetaData, point: i32, from: i64, to: i64) -> bool {
    let points = match group.column(POINT).statistics() {
        Some(Statistics::Int32(range)) => range.min_opt().zip(range.max_opt()).is_none_or(|(min, max)| *min <= point && point <= *max),
        _ => true,
    };
    let moments = match group.column(AT).statistics() {
        Some(Statistics::Int64(range)) => range.min_opt().zip(range.max_opt()).is_none_or(|(min, max)| *min < to && *max >= from),
        _ => true,
    };
    points && moments
}

fn take(batch: &RecordBatch, from: i64, to: i64, rows: &mut Vec<Row>) {
    let at = batch.column(AT).as_primitive::<TimestampMicrosecondType>();
    let value = batch.column(2).as_primitive::<Float64Type>();
    let quality = batch.column(3).as_primitive::<UInt8Type>();
    let seq = batch.column(4).as_primitive::<Int64Type>();
    let (correction, late) = (batch.column(5).as_boolean(), batch.column(6).as_boolean());
    let tick = batch.column(7).as_primitive::<Int64Type>();
    debug_assert!(batch.column(POINT).as_primitive_opt::<Int32Type>().is_some());
    for index in (0..batch.num_rows()).filter(|index| (from..to).contains(&at.value(*index))) {
        rows.push(Row {
            at: at.value(index),
            value: value.value(index),
            quality: Quality::from_code(quality.value(index)),
            seq: seq.is_valid(index).then(|| seq.value(index)),
            correction: correction.value(index),
            late: late.value(index),
            tick: tick.value(index),
        });
    }
}
