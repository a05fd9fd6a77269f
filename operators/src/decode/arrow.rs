//! The bulk format: an Arrow IPC stream with columns point, ts, value, quality and, if wanted, seq and correction.

use super::reading::{Fault, Parsed, quoted, since_epoch};
use crate::columns::flags_of;
use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, UInt64Type},
    error::ArrowError,
    ipc::reader::StreamReader,
};
use dcmms_schemas::{
    reading::{Quality, Reason},
    time::{MILLISECOND, Moment},
};
use std::borrow::Cow;

/// Reads every batch of a stream and gives each row, read or refused, to `take`; or says why nothing can be read. The
/// stream is read whole before the first row is given, so a message counts as decoded or as unreadable, never as half.
pub(super) fn message(bytes: &[u8], mut take: impl FnMut(u32, Result<Parsed<'_>, Fault>, &dyn Fn() -> Vec<u8>)) -> Result<(), String> {
    let reader = StreamReader::try_new(bytes, None).map_err(|error| format!("not an Arrow IPC stream: {error}"))?;
    let mut batches = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| format!("Arrow batch {}: {error}", batches.len()))?;
        batches.push(Batch::of(&batch)?);
    }
    let mut index = 0;
    for batch in &batches {
        for row in 0..batch.rows {
            take(index, batch.reading(row), &|| batch.json(row).to_string().into_bytes());
            index += 1;
        }
    }
    Ok(())
}

/// A batch's columns, cast to the one type that we read.
struct Batch {
    rows: usize,
    point: StringArray,
    /// Microseconds; null where the row's was null.
    ts: arrow::array::Int64Array,
    value: arrow::array::Float64Array,
    quality: Option<Qualities>,
    seq: Option<arrow::array::UInt64Array>,
    correction: Option<BooleanArray>,
}

enum Qualities {
    Names(StringArray),
    Codes(arrow::array::UInt64Array),
}

impl Batch {
    fn of(batch: &RecordBatch) -> Result<Batch, String> {
        let missing: Vec<&str> = ["point", "ts", "value"].into_iter().filter(|name| batch.column_by_name(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(format!("Arrow columns are missing: {}", missing.join(", ")));
        }
        let column = |name: &str| batch.column_by_name(name).filter(|column| *column.data_type() != DataType::Null);
        let required = |name: &str| column(name).ok_or_else(|| format!("Arrow column {name} holds only nulls"));
        Ok(Batch {
            rows: batch.num_rows(),
            point: strings("point", required("point")?)?,
            ts: micros(required("ts")?)?,
            value: numbers(required("value")?)?,
            quality: column("quality").map(qualities).transpose()?,
            seq: column("seq").map(seqs).transpose()?,
            correction: column("correction").map(corrections).transpose()?,
        })
    }

    fn reading(&self, row: usize) -> Result<Parsed<'_>, Fault> {
        if self.point.is_null(row) || self.point.value(row).is_empty() {
            return Err(Fault::new(Reason::BadField, "point is missing"));
        }
        let key = self.point.value(row);
        let fault = |reason, detail: String| Fault { reason, detail, point: Some(key.to_owned()) };
        if key.len() > super::KEY_BYTES_MAX {
            return Err(fault(Reason::BadField, format!("point is longer than {} bytes", super::KEY_BYTES_MAX)));
        }
        if self.ts.is_null(row) {
            return Err(fault(Reason::BadTime, "ts is null or beyond what microseconds hold".to_owned()));
        }
        let at = since_epoch(Moment(self.ts.value(row))).map_err(|bad| fault(bad.reason, bad.detail))?;
        if self.value.is_null(row) {
            return Err(fault(Reason::BadField, "value is missing".to_owned()));
        }
        let value = self.value.value(row);
        if !value.is_finite() {
            return Err(fault(Reason::NonFinite, format!("value is {value}")));
        }
        let quality = self.quality_of(row).map_err(|detail| fault(Reason::BadField, detail))?;
        let correction = self.correction.as_ref().is_some_and(|column| column.is_valid(row) && column.value(row));
        let seq = self.seq.as_ref().and_then(|column| column.is_valid(row).then(|| column.value(row)));
        Ok(Parsed { key: Cow::Borrowed(key.as_bytes()), at, value, flags: flags_of(quality, correction), seq })
    }

    fn quality_of(&self, row: usize) -> Result<Quality, String> {
        match &self.quality {
            None => Ok(Quality::Good),
            Some(Qualities::Names(names)) if names.is_null(row) => Ok(Quality::Good),
            Some(Qualities::Codes(codes)) if codes.is_null(row) => Ok(Quality::Good),
            Some(Qualities::Names(names)) => match names.value(row) {
                "good" => Ok(Quality::Good),
                "uncertain" => Ok(Quality::Uncertain),
                "bad" => Ok(Quality::Bad),
                other => Err(format!("quality must be good, uncertain or bad, not {}", quoted(other))),
            },
            Some(Qualities::Codes(codes)) => match codes.value(row) {
                code @ 0..=2 => Ok(Quality::from_code(code as u8)),
                other => Err(format!("quality must be 0, 1 or 2, not {other}")),
            },
        }
    }

    /// A refused row as the JSON that would say the same.
    fn json(&self, row: usize) -> serde_json::Value {
        let mut json = serde_json::Map::new();
        let mut put = |name: &str, value: serde_json::Value| json.insert(name.to_owned(), value);
        if self.point.is_valid(row) {
            put("point", self.point.value(row).into());
        }
        if self.ts.is_valid(row) {
            let micros = self.ts.value(row);
            let whole = micros % MILLISECOND == 0;
            put("ts", if whole { (micros / MILLISECOND).into() } else { (micros as f64 / MILLISECOND as f64).into() });
        }
        if self.value.is_valid(row) {
            let value = self.value.value(row);
            put("value", if value.is_finite() { value.into() } else { value.to_string().into() });
        }
        match &self.quality {
            Some(Qualities::Names(names)) if names.is_valid(row) => {
                put("quality", names.value(row).into());
            }
            Some(Qualities::Codes(codes)) if codes.is_valid(row) => {
                put("quality", codes.value(row).into());
            }
            _ => {}
        }
        if let Some(column) = self.seq.as_ref().filter(|column| column.is_valid(row)) {
            put("seq", column.value(row).into());
        }
        if let Some(column) = self.correction.as_ref().filter(|column| column.is_valid(row)) {
            put("correction", column.value(row).into());
        }
        json.into()
    }
}

fn strings(name: &str, column: &ArrayRef) -> Result<StringArray, String> {
    let column = plain(column).map_err(|error| format!("Arrow column {name}: {error}"))?;
    match column.data_type() {
        DataType::Utf8 => Ok(column.as_string::<i32>().clone()),
        DataType::LargeUtf8 | DataType::Utf8View => {
            let column = cast(&column, &DataType::Utf8).map_err(|error| format!("Arrow column {name}: {error}"))?;
            Ok(column.as_string::<i32>().clone())
        }
        other => Err(format!("Arrow column {name} must be text, not {other}")),
    }
}

/// A dictionary's values spelt out; other columns as they are.
fn plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Dictionary(_, value) => cast(column, value),
        _ => Ok(ArrayRef::clone(column)),
    }
}

fn micros(column: &ArrayRef) -> Result<arrow::array::Int64Array, String> {
    let scaled = match column.data_type() {
        DataType::Int64 => column.as_primitive::<Int64Type>().unary_opt(|millis| millis.checked_mul(MILLISECOND)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => column.as_primitive::<TimestampMicrosecondType>().reinterpret_cast::<Int64Type>(),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            column.as_primitive::<TimestampMillisecondType>().unary_opt(|millis| millis.checked_mul(MILLISECOND))
        }
        DataType::Timestamp(TimeUnit::Second, _) => {
            column.as_primitive::<arrow::datatypes::TimestampSecondType>().unary_opt(|seconds| seconds.checked_mul(1_000 * MILLISECOND))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            column.as_primitive::<arrow::datatypes::TimestampNanosecondType>().unary(|nanos| nanos.div_euclid(1_000))
        }
        other => return Err(format!("Arrow column ts must be a timestamp or Int64 milliseconds, not {other}")),
    };
    Ok(scaled)
}

fn numbers(column: &ArrayRef) -> Result<arrow::array::Float64Array, String> {
    let column = plain(column).map_err(|error| format!("Arrow column value: {error}"))?;
    if !column.data_type().is_numeric() {
        return Err(format!("Arrow column value must be a number, not {}", column.data_type()));
    }
    let column = cast(&column, &DataType::Float64).map_err(|error| format!("Arrow column value: {error}"))?;
    Ok(column.as_primitive::<Float64Type>().clone())
}

fn qualities(column: &ArrayRef) -> Result<Qualities, String> {
    let column = plain(column).map_err(|error| format!("Arrow column quality: {error}"))?;
    if column.data_type().is_integer() {
        return Ok(Qualities::Codes(unsigned("quality", &column)?));
    }
    Ok(Qualities::Names(strings("quality", &column)?))
}

fn seqs(column: &ArrayRef) -> Result<arrow::array::UInt64Array, String> {
    if !column.data_type().is_integer() {
        return Err(format!("Arrow column seq must be an integer, not {}", column.data_type()));
    }
    unsigned("seq", column)
}

/// An integer column as unsigned; a negative number makes the whole column unusable, and says so.
fn unsigned(name: &str, column: &ArrayRef) -> Result<arrow::array::UInt64Array, String> {
    let wide =
        arrow::compute::cast_with_options(column, &DataType::UInt64, &arrow::compute::CastOptions { safe: false, ..Default::default() })
            .map_err(|error| format!("Arrow column {name}: {error}"))?;
    Ok(wide.as_primitive::<UInt64Type>().clone())
}

fn corrections(column: &ArrayRef) -> Result<BooleanArray, String> {
    match column.data_type() {
        DataType::Boolean => Ok(column.as_boolean().clone()),
        other => Err(format!("Arrow column correction must be boolean, not {other}")),
    }
}

#[cfg(test)]
mod tests;
