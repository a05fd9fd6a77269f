use super::*;
use crate::decode::json;
use dcmms_schemas::reading::Reason;
use proptest::prelude::*;

/// What the reference makes of a message that it takes for one good reading.
fn reference(bytes: &[u8]) -> Option<Parsed<'static>> {
    let mut scratch = Vec::new();
    let elements = json::message(bytes, &mut scratch).ok()?;
    let [(Ok(parsed), _)] = elements.as_slice() else { return None };
    Some(Parsed { key: Cow::Owned(parsed.key.to_vec()), at: parsed.at, value: parsed.value, flags: parsed.flags, seq: parsed.seq })
}

fn same(fast: &Parsed<'_>, slow: &Parsed<'_>) -> bool {
    fast == slow && fast.value.to_bits() == slow.value.to_bits()
}

#[test]
fn the_common_shape_is_read() {
    let text = br#"{"point":"RJ01/B03/INV07:ac.power","ts":1732096800123,"value":12.345,"quality":"uncertain","seq":17,"correction":true}"#;
    let parsed = message(text).expect("the common shape");
    assert_eq!(&*parsed.key, b"RJ01/B03/INV07:ac.power");
    assert_eq!((parsed.at, parsed.value, parsed.seq), (Moment(1_732_096_800_123_000), 12.345, Some(17)));
    assert_eq!(parsed.flags, flags_of(Quality::Uncertain, true));
    assert!(same(&parsed, &reference(text).expect("the reference reads it too")));
}

#[test]
fn the_order_of_fields_and_white_space_are_free() {
    let text = b" {\n\t\"value\" : -3 , \"ts\":0,\"point\":\"a\"} \r\n";
    assert!(same(&message(text).expect("white space is free"), &reference(text).expect("it is JSON")));
}

#[test]
fn what_is_unusual_is_left_to_the_reference() {
    for text in [
        r#"{"point":"a\u0062","ts":1,"value":1}"#,
        r#"{"point":"a","ts":1,"value":1,"unit":"kW"}"#,
        r#"{"point":"a","ts":1,"value":1,"value":2}"#,
        r#"{"point":"a","ts":1.5,"value":1}"#,
        r#"{"point":"a","ts":"2026-01-01T00:00:00Z","value":1}"#,
        r#"{"point":"a","ts":1,"value":1e3}"#,
        r#"{"point":"a","ts":1,"value":1,"quality":null}"#,
        r#"{"point":"a","ts":1,"value":1} x"#,
        r#"{"point":"a","ts":1}"#,
        r#"{"point":"","ts":1,"value":1}"#,
        r#"{"point":"a","ts":1,"value":01}"#,
        r#"{"point":"a","ts":1,"value":1,}"#,
    ] {
        assert_eq!(message(text.as_bytes()), None, "{text}");
    }
    assert_eq!(message(b"{\"point\":\"a\xff\",\"ts\":1,\"value\":1}"), None);
    assert_eq!(message(b"{\"point\":\"a\x01\",\"ts\":1,\"value\":1}"), None);
}

#[test]
fn an_array_is_read_element_by_element() {
    let text = br#"[ {"point":"a","ts":1,"value":1} , {"point":"b","ts":2,"value":2} ]"#;
    let readings = array(text).expect("an array of the common shape");
    let keys: Vec<&[u8]> = readings.iter().map(|(parsed, _)| &*parsed.key).collect();
    assert_eq!(keys, [b"a", b"b"]);
    assert_eq!(readings[1].1, br#"{"point":"b","ts":2,"value":2}"#);
    assert_eq!(array(b"[]"), None, "an empty array is left to the reference");
}

#[test]
fn the_first_thing_wrong_is_said() {
    let mut scratch = Vec::new();
    for (text, reason, detail) in [
        (r#"{"ts":1,"value":1}"#, Reason::BadField, "point is missing"),
        (r#"{"point":7,"ts":1,"value":1}"#, Reason::BadField, "point must be a string, not \"7\""),
        (r#"{"point":"a","value":1}"#, Reason::BadField, "ts is missing"),
        (r#"{"point":"a","ts":"yesterday","value":1}"#, Reason::BadTime, "ts \"yesterday\" is not RFC 3339"),
        (r#"{"point":"a","ts":-1,"value":1}"#, Reason::BadTime, "before 1970"),
        (r#"{"point":"a","ts":1e300,"value":1}"#, Reason::BadTime, "not a time in milliseconds"),
        (r#"{"point":"a","ts":1,"value":"12"}"#, Reason::BadField, "value must be a number"),
        (r#"{"point":"a","ts":1,"value":null}"#, Reason::BadField, "value is missing"),
        (r#"{"point":"a","ts":1,"value":NaN}"#, Reason::NonFinite, "value is NaN"),
        (r#"{"point":"a","ts":1,"value":-Infinity}"#, Reason::NonFinite, "value is -Infinity"),
        (r#"{"point":"a","ts":1,"value":1e999}"#, Reason::NonFinite, "beyond what a float holds"),
        (r#"{"point":"a","ts":1,"value":1,"quality":"great"}"#, Reason::BadField, "quality must be"),
        (r#"{"point":"a","ts":1,"value":1,"seq":-1}"#, Reason::BadField, "seq must be"),
        (r#"{"point":"a","ts":1,"value":1,"correction":1}"#, Reason::BadField, "correction must be"),
        (r#"{"point":"a","ts":1,"value":1,"ts":2}"#, Reason::BadField, "duplicate field"),
    ] {
        let elements = json::message(text.as_bytes(), &mut scratch).expect("each is JSON, or nearly");
        let Err(fault) = &elements[0].0 else { panic!("{text} was taken") };
        assert_eq!(fault.reason, reason, "{text}: {}", fault.detail);
        assert!(fault.detail.contains(detail), "{text}: {}", fault.detail);
    }
}

/// A message of the common shape, or one near it.
fn near_messages() -> impl Strategy<Value = Vec<u8>> {
    let ts = prop_oneof![
        Just("1732096800123".to_owned()),
        "[0-9]{1,19}",
        "[0-9]{1,13}\\.[0-9]{1,4}",
        Just("\"2024-11-20T10:00:00.5+05:30\"".to_owned())
    ];
    let value = prop_oneof!["-?[0-9]{1,5}\\.[0-9]{1,4}", "-?[0-9]{1,20}", "[0-9]e-?[0-9]{1,3}", Just("NaN".to_owned())];
    let key = prop_oneof!["[a-z/:.]{0,24}", "[ä\\\\\"a-z]{1,9}"];
    let extra = prop_oneof![
        Just(String::new()),
        Just(",\"quality\":\"bad\"".to_owned()),
        "(,\"seq\":[0-9]{1,21})",
        Just(",\"correction\":true".to_owned()),
        Just(",\"unit\":[1,{\"a\":null}]".to_owned()),
        Just(",\"ts\":5".to_owned()),
    ];
    let blank = "[ \n]{0,2}";
    (key, ts, value, extra, blank, any::<bool>()).prop_map(|(key, ts, value, extra, blank, swap)| {
        let (first, second) = (format!("\"point\":{blank}\"{key}\""), format!("\"ts\":{ts}"));
        let (first, second) = if swap { (second, first) } else { (first, second) };
        format!("{blank}{{{first},{blank}{second},\"value\"{blank}:{value}{extra}{blank}}}{blank}").into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_fast_way_says_what_the_reference_says(text in near_messages(), at in any::<prop::sample::Index>(), with in any::<u8>(), mutate in any::<bool>()) {
        let mut text = text;
        if mutate {
            let at = at.index(text.len());
            text[at] = with;
        }
        if let Some(fast) = message(&text) {
            let slow = reference(&text);
            prop_assert!(slow.as_ref().is_some_and(|slow| same(&fast, slow)), "{:?} against {:?}", fast, slow);
        }
        let listed = [b"[", text.as_slice(), b",", text.as_slice(), b"]"].concat();
        if let Some(fast) = array(&listed) {
            let slow = reference(&text);
            prop_assert!(fast.iter().all(|(fast, _)| slow.as_ref().is_some_and(|slow| same(fast, slow))));
        }
    }
}
