use super::*;
use ::arrow::{
    array::{DictionaryArray, Float64Array, Int64Array, StringArray, TimestampNanosecondArray, UInt8Array},
    datatypes::Int32Type,
    ipc::writer::StreamWriter,
};
use std::sync::Arc;

fn stream(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
        .expect("columns of one length");
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).expect("a schema can be written");
    writer.write(&batch).expect("a batch can be written");
    writer.into_inner().expect("a stream can be ended")
}

type Row = Result<(String, Moment, f64, u8, Option<u64>), (Reason, String)>;

fn rows(bytes: &[u8]) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    message(bytes, |_, answer, json| {
        rows.push(match answer {
            Ok(parsed) => Ok((String::from_utf8_lossy(&parsed.key).into_owned(), parsed.at, parsed.value, parsed.flags, parsed.seq)),
            Err(fault) => Err((fault.reason, String::from_utf8(json()).expect("JSON is text"))),
        });
    })?;
    Ok(rows)
}

#[test]
fn plain_columns_are_read_and_bad_rows_refused_singly() {
    let bytes = stream(vec![
        ("point", Arc::new(StringArray::from(vec![Some("a"), None, Some("a"), Some("a")]))),
        ("ts", Arc::new(Int64Array::from(vec![Some(1_500), Some(1), None, Some(2)]))),
        ("value", Arc::new(Float64Array::from(vec![1.5, 1.0, 1.0, f64::NAN]))),
        ("quality", Arc::new(UInt8Array::from(vec![Some(1), None, None, None]))),
    ]);
    let rows = rows(&bytes).expect("a readable stream");
    assert_eq!(rows[0], Ok(("a".to_owned(), Moment(1_500_000), 1.5, 1, None)));
    assert_eq!(rows[1], Err((Reason::BadField, r#"{"ts":1,"value":1.0}"#.to_owned())));
    assert_eq!(rows[2].as_ref().map_err(|(reason, _)| *reason), Err(Reason::BadTime));
    assert_eq!(rows[3], Err((Reason::NonFinite, r#"{"point":"a","ts":2,"value":"NaN"}"#.to_owned())));
}

#[test]
fn dictionaries_nanoseconds_and_integers_are_read() {
    let points: DictionaryArray<Int32Type> = vec!["a", "b"].into_iter().collect();
    let qualities: DictionaryArray<Int32Type> = vec!["bad", "good"].into_iter().collect();
    let bytes = stream(vec![
        ("point", Arc::new(points)),
        ("ts", Arc::new(TimestampNanosecondArray::from(vec![1_999, 2_000]))),
        ("value", Arc::new(Int64Array::from(vec![7, 8]))),
        ("quality", Arc::new(qualities)),
        ("seq", Arc::new(Int64Array::from(vec![Some(3), None]))),
        ("correction", Arc::new(BooleanArray::from(vec![Some(true), None]))),
    ]);
    let rows = rows(&bytes).expect("a readable stream");
    assert_eq!(rows[0], Ok(("a".to_owned(), Moment(1), 7.0, flags_of(Quality::Bad, true), Some(3))));
    assert_eq!(rows[1], Ok(("b".to_owned(), Moment(2), 8.0, 0, None)));
}

#[test]
fn what_is_missing_is_named() {
    let bytes = stream(vec![("point", Arc::new(StringArray::from(vec!["a"])))]);
    assert_eq!(rows(&bytes), Err("Arrow columns are missing: ts, value".to_owned()));
    assert!(rows(b"nonsense").is_err());
    let mut cut = stream(vec![
        ("point", Arc::new(StringArray::from(vec!["a"]))),
        ("ts", Arc::new(Int64Array::from(vec![1]))),
        ("value", Arc::new(Float64Array::from(vec![1.0]))),
    ]);
    cut.truncate(cut.len() / 2);
    assert!(rows(&cut).is_err() || rows(&cut) == Ok(Vec::new()), "a cut stream gives nothing by halves");
}
