use super::*;

#[test]
fn json_keeps_every_bit_of_a_value() {
    for value in [0.1 + 0.2, 1.0 / 3.0, 5.0e-324, f64::MAX, -0.0, 25.184316133333333, 6_259_559.0] {
        let mut text = Vec::new();
        Outgoing { point: "A/\"B\":c", at: Moment(1_732_096_800_123_000), value, quality: Quality::Uncertain }.json(&mut text);
        let read: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(read["value"].as_f64().expect("a number").to_bits(), value.to_bits(), "{value}");
        assert_eq!(read["point"], "A/\"B\":c");
        assert_eq!(read["ts"], 1_732_096_800_123_i64);
        assert_eq!(read["quality"], "uncertain");
    }
}

#[test]
fn a_moment_between_milliseconds_is_written_whole() {
    let mut text = Vec::new();
    Outgoing { point: "p", at: Moment(1_500), value: 1.0, quality: Quality::Good }.json(&mut text);
    assert_eq!(String::from_utf8(text).expect("UTF-8"), r#"{"point":"p","ts":"1970-01-01T00:00:00.001500Z","value":1.0}"#);
}
