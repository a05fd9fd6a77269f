//! One Parquet file: the readings of one UTC day, from some ticks.

use super::{values::ValueEncoding, writer::Stored};
use crate::error::SinkError;
use arrow::{
    array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt8Array},
    datatypes::{DataType, Field, Schema, TimeUnit},
};
use chrono::NaiveDate;
use dcmms_schemas::time::{Moment, Tick};
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression, Encoding, ZstdLevel},
    file::properties::{EnabledStatistics, WriterProperties, WriterVersion},
    schema::types::ColumnPath,
};
use std::{
    fs::{self, File},
    io::{self, BufWriter},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Rows of a row group: small enough that a reader of one point skips most, and that a dictionary of values fits its points.
const GROUP_ROWS: usize = 128 * 1024;
/// Rows of a page; the index of pages has the range of points of each.
const PAGE_ROWS: usize = 16 * 1024;
const ZSTD_LEVEL: i32 = 3;

/// A file that is whole and durable.
#[derive(Clone, Debug, PartialEq)]
pub struct SealedFile {
    /// Relative to the history's root.
    pub path: String,
    pub shard: i32,
    pub day: NaiveDate,
    pub from: Tick,
    pub upto: Tick,
    pub rows: usize,
    pub bytes: u64,
    pub first_at: Moment,
    pub last_at: Moment,
}

/// What the files of one seal share.
#[derive(Debug)]
pub(super) struct Naming<'a> {
    pub(super) root: &'a Path,
    pub(super) job: &'a str,
    pub(super) shard: i32,
    pub(super) generation: u64,
    pub(super) from: Tick,
    pub(super) upto: Tick,
    pub(super) values: ValueEncoding,
}

/// Writes the rows of one day, sorted by point and moment: under another name first, renamed when durable.
pub(super) fn write(naming: &Naming<'_>, day: NaiveDate, rows: &[Stored]) -> Result<SealedFile, SinkError> {
    let Naming { root, job, shard, generation, from, upto, values } = *naming;
    let name = format!("{job}-{shard}-{from}-{upto}.parquet");
    let relative = format!("day={day}/{name}");
    // The generation keeps apart a draft of ours and one of a process that does not know yet that it was replaced.
    let (path, draft) = (root.join(&relative), root.join(format!("{relative}.{generation}.tmp")));
    let directory = root.join(format!("day={day}"));
    let fault = |doing, path: &PathBuf| {
        let path = path.clone();
        move |source| SinkError::File { doing, path, source }
    };
    if !directory.exists() {
        fs::create_dir_all(&directory).and_then(|()| sync(root)).map_err(fault("make the directory", &directory))?;
    }
    let file = File::create(&draft).map_err(fault("make the file", &draft))?;
    encode(BufWriter::with_capacity(1 << 20, file), values, rows).map_err(|error| unwrap(error, &draft))?;
    let bytes = fs::metadata(&draft).map_err(fault("look at", &draft))?.len();
    fs::rename(&draft, &path).and_then(|()| sync(&directory)).map_err(fault("rename to", &path))?;
    let moments = || rows.iter().map(|row| row.row.at);
    let (first_at, last_at) = (moments().min().unwrap_or_default(), moments().max().unwrap_or_default());
    Ok(SealedFile { path: relative, shard, day, from, upto, rows: rows.len(), bytes, first_at, last_at })
}

fn encode(file: BufWriter<File>, values: ValueEncoding, rows: &[Stored]) -> Result<(), parquet::errors::ParquetError> {
    let schema = schema();
    // Arrow's own copy of the schema would be a third of a small file, and says nothing that Parquet's does not.
    let options = ArrowWriterOptions::new().with_properties(properties(values)).with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(file, Arc::clone(&schema), options)?;
    for chunk in rows.chunks(GROUP_ROWS) {
        writer.write(&batch(&schema, chunk))?;
    }
    let file = writer.into_inner()?.into_inner().map_err(|error| io::Error::from(error.error().kind()))?;
    file.sync_all()?;
    Ok(())
}

/// Tells a full disk, which passes, from everything else.
fn unwrap(error: parquet::errors::ParquetError, path: &Path) -> SinkError {
    let path = path.to_owned();
    match error {
        parquet::errors::ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(source) => SinkError::File { doing: "write", path, source: *source },
            Err(inner) => SinkError::Parquet { path, source: parquet::errors::ParquetError::External(inner) },
        },
        source => SinkError::Parquet { path, source },
    }
}

fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The columns, as `docs/history.md` says.
fn schema() -> Arc<Schema> {
    Arc::new(Schema::new(vec![
        Field::new("point", DataType::Int32, false),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Field::new("value", DataType::Float64, false),
        Field::new("quality", DataType::UInt8, false),
        Field::new("seq", DataType::Int64, true),
        Field::new("correction", DataType::Boolean, false),
        Field::new("late", DataType::Boolean, false),
        Field::new("tick", DataType::Int64, false),
    ]))
}

fn properties(values: ValueEncoding) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(compression())
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_statistics_enabled(EnabledStatistics::None);
    for name in ["point", "at", "seq", "tick"] {
        let column = ColumnPath::from(name);
        properties = properties.set_column_dictionary_enabled(column.clone(), false);
        properties = properties.set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
    }
    // What a reader may skip by: pages by point and moment, row groups by tick and value.
    for (name, statistics) in [
        ("point", EnabledStatistics::Page),
        ("at", EnabledStatistics::Page),
        ("tick", EnabledStatistics::Chunk),
        ("value", EnabledStatistics::Chunk),
    ] {
        properties = properties.set_column_statistics_enabled(ColumnPath::from(name), statistics);
    }
    values.set(properties).build()
}

pub(super) fn compression() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).expect("zstd has this level"))
}

fn batch(schema: &Arc<Schema>, rows: &[Stored]) -> RecordBatch {
    let columns: Vec<ArrayRef> = vec![
        // Points are dense numbers below 2^31, as in Postgres; a seq beyond 2^63 is kept modulo 2^64.
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.row.point.0 as i32))),
        Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.row.at.0)).with_timezone("UTC")),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.row.value))),
        Arc::new(UInt8Array::from_iter_values(rows.iter().map(|row| row.row.quality as u8))),
        Arc::new(rows.iter().map(|row| row.row.seq.map(|seq| seq as i64)).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| Some(row.row.correction)).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| Some(row.row.late)).collect::<BooleanArray>()),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.tick as i64))),
    ];
    RecordBatch::try_new(Arc::clone(schema), columns).expect("the columns are those of the schema, all as long as the rows")
}
