//! Which encoding takes the fewest bytes for the values of a seal. No single one is right: a dictionary for values at a coarse resolution,
//! split bytes for those that use all digits, plain ones for counters and for long runs of the same.

use super::{file, writer::Stored};
use arrow::{
    array::{Float64Array, RecordBatch},
    datatypes::{DataType, Field, Schema},
};
use parquet::{
    arrow::ArrowWriter,
    basic::Encoding,
    errors::ParquetError,
    file::properties::{WriterProperties, WriterPropertiesBuilder},
    schema::types::ColumnPath,
};
use std::sync::Arc;

/// Rows that are tried; they stand together, so that they are as alike as in the files.
const SAMPLE_ROWS: usize = 32 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueEncoding {
    Dictionary,
    Split,
    Plain,
}

impl ValueEncoding {
    pub(super) fn set(self, properties: WriterPropertiesBuilder) -> WriterPropertiesBuilder {
        let value = ColumnPath::from("value");
        let encoding = if self == ValueEncoding::Plain { Encoding::PLAIN } else { Encoding::BYTE_STREAM_SPLIT };
        // Where there are too many for a dictionary after all, what follows it is split.
        properties.set_column_dictionary_enabled(value.clone(), self == ValueEncoding::Dictionary).set_column_encoding(value, encoding)
    }
}

/// Tries all on a sample.
pub(super) fn encoding(rows: &[Stored]) -> Result<ValueEncoding, ParquetError> {
    let start = rows.len().saturating_sub(SAMPLE_ROWS) / 2;
    let sample = &rows[start..rows.len().min(start + SAMPLE_ROWS)];
    let schema = Arc::new(Schema::new(vec![Field::new("value", DataType::Float64, false)]));
    let values = Float64Array::from_iter_values(sample.iter().map(|row| row.row.value));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(values)])?;
    let mut best = (usize::MAX, ValueEncoding::Plain);
    for encoding in [ValueEncoding::Dictionary, ValueEncoding::Split, ValueEncoding::Plain] {
        let properties = encoding.set(WriterProperties::builder().set_compression(file::compression())).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))?;
        writer.write(&batch)?;
        let bytes = writer.into_inner()?.len();
        if bytes < best.0 {
            best = (bytes, encoding);
        }
    }
    Ok(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dcmms_schemas::{id::PointNumber, outcome::HistoryRow, reading::Quality, time::Moment};

    /// Rows of these values of a random 64-bit number.
    fn rows(value: impl Fn(u64) -> f64) -> Vec<Stored> {
        let mut state = 88_172_645_463_325_252_u64;
        let row = |index| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let (point, at, value) = (PointNumber(1), Moment(index), value(state));
            Stored { row: HistoryRow { point, at, value, quality: Quality::Good, seq: None, correction: false, late: false }, tick: 1 }
        };
        (0..20_000).map(row).collect()
    }

    #[test]
    fn each_kind_of_values_has_its_encoding() {
        assert_eq!(encoding(&rows(|random| (random >> 54) as f64 / 1000.0)).unwrap(), ValueEncoding::Dictionary);
        let all_digits = |random| 300.0 + (random >> 11) as f64 / 9_007_199_254_740_992.0;
        assert_eq!(encoding(&rows(all_digits)).unwrap(), ValueEncoding::Split);
        assert!(encoding(&[]).is_ok());
    }
}
