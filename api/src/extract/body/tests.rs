use super::*;
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pump {
    name: String,
    #[serde(default)]
    rated_kw: Option<f64>,
    #[serde(default)]
    hours: Vec<Hours>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Hours {
    from: u8,
}

#[test]
fn broken_json_is_refused_with_line_and_column() {
    let problem = read_json::<Pump>(b"{\"name\": \"P1\",\n \"rated_kw\": }").unwrap_err();
    assert_eq!(problem.status, 400);
    assert!(problem.detail.unwrap().contains("line 2 column 14"));
}

#[test]
fn a_wrong_field_is_named_by_its_pointer_and_place() {
    let problem = read_json::<Pump>(br#"{"name":"P1","hours":[{"from":1},{"from":"x"}]}"#).unwrap_err();
    assert_eq!((problem.status, problem.errors[0].pointer.as_str()), (422, "/hours/1/from"));
    assert!(problem.errors[0].message.contains("column"), "{problem:?}");
}

#[test]
fn unknown_and_missing_fields_and_trailing_text_are_refused() {
    assert!(read_json::<Pump>(br#"{"name":"P1","colour":"red"}"#).unwrap_err().detail.unwrap().contains("unknown field `colour`"));
    assert!(read_json::<Pump>(b"{}").unwrap_err().detail.unwrap().contains("missing field `name`"));
    assert_eq!(read_json::<Pump>(br#"{"name":"P1"} more"#).unwrap_err().status, 400);
}

#[test]
fn a_merge_patch_changes_what_it_names_and_null_takes_away() {
    let pump = Pump { name: "P1".into(), rated_kw: Some(5.0), hours: vec![Hours { from: 1 }] };
    let merged = merge(&pump, &json!({"rated_kw": null, "name": "P2"})).unwrap();
    assert_eq!(merged, Pump { name: "P2".into(), rated_kw: None, hours: vec![Hours { from: 1 }] });
    assert_eq!(merge(&pump, &json!({"name": null})).unwrap_err().status, 422);
    assert_eq!(merge(&pump, &json!([1])).unwrap_err().status, 422);
}
