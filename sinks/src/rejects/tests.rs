use super::*;
use dcmms_schemas::{reading::Reason, wire::Format};

#[test]
fn a_line_says_all_that_is_known() {
    let reject = Reject {
        reason: Reason::NonFinite,
        detail: "value is NaN".to_owned(),
        source: 1,
        offset: 17,
        index: Some(2),
        point: Some("P1".to_owned()),
        format: Format::Json,
        bytes: b"{\"value\":\"NaN\"}".to_vec(),
    };
    let unreadable =
        Reject { reason: Reason::Unreadable, index: None, point: None, format: Format::Arrow, bytes: vec![0xff, 0x00], ..reject.clone() };
    let bytes = lines(&[(5, Moment(9), reject), (5, Moment(9), unreadable)]);
    let read: Vec<Line> =
        bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(|line| serde_json::from_slice(line).unwrap()).collect();
    assert_eq!(read[0].text.as_deref(), Some("{\"value\":\"NaN\"}"));
    assert_eq!((read[0].tick, read[0].offset, read[0].index, read[0].reason), (5, 17, Some(2), Reason::NonFinite));
    assert_eq!((read[0].format, read[1].format), (Format::Json, Format::Arrow));
    assert!(!String::from_utf8_lossy(&bytes).lines().next().unwrap().contains("format"));
    assert_eq!((read[1].base64.as_deref(), &read[1].text), (Some("/wA="), &None));
}

#[test]
fn a_try_that_did_not_land_is_written_over_and_cut_off() {
    let root = tempfile::tempdir().unwrap();
    let (files, reach) = Files::open(root.path(), "main", None, 0).unwrap();
    let durable = files.write(files.next(reach), b"one\n").unwrap();
    files.write(files.next(durable), b"a longer one that did not land\n").unwrap();
    let durable = files.write(files.next(durable), b"two\n").unwrap();
    files.write(files.next(durable), b"lost\n").unwrap();
    fs::write(root.path().join("rejects/main.1.ndjson"), "lost").unwrap();
    fs::write(root.path().join("rejects/mainland.7.ndjson"), "another's").unwrap();

    let (files, reach) = Files::open(root.path(), "main", Some(&files.name(durable)), durable.bytes).unwrap();
    assert_eq!(reach, durable);
    assert_eq!(fs::read_to_string(root.path().join("rejects/main.0.ndjson")).unwrap(), "one\ntwo\n");
    assert!(!root.path().join("rejects/main.1.ndjson").exists());
    assert!(root.path().join("rejects/mainland.7.ndjson").exists());
    assert_eq!(files.next(reach), durable);
}

#[test]
fn a_full_file_is_followed_by_the_next() {
    let root = tempfile::tempdir().unwrap();
    let (files, _) = Files::open(root.path(), "main", None, 0).unwrap();
    let full = Reach { number: 3, bytes: FILE_BYTES_MAX };
    assert_eq!(files.next(full), Reach { number: 4, bytes: 0 });
    let written = files.write(files.next(full), b"x\n").unwrap();
    assert_eq!((written, files.name(written)), (Reach { number: 4, bytes: 2 }, "rejects/main.4.ndjson".to_owned()));
}
