use super::*;

#[test]
fn a_sound_reading_names_its_point() {
    for line in [
        r#"{"point":"A:x","ts":1732096800123,"value":12.345,"quality":"good","seq":17}"#,
        r#"{"point":"A:x","ts":"2024-11-20T10:00:00.123Z","value":-1e3}"#,
        r#"{"point":"A:x","ts":"2024-11-20T15:30:00+05:30","value":0,"correction":true,"seq":null,"note":"kept"}"#,
    ] {
        assert_eq!(point_of(line), Ok("A:x".into()), "{line}");
    }
}

#[test]
fn an_unsound_one_is_refused_for_the_right_reason() {
    use Reason::*;
    for (line, reason, word) in [
        ("{", Unreadable, "EOF"),
        ("[1]", Unreadable, "object"),
        (r#"{"ts":1,"value":1}"#, BadField, "point is missing"),
        (r#"{"point":"","ts":1,"value":1}"#, BadField, "empty"),
        (r#"{"point":"A","value":1}"#, BadField, "ts is missing"),
        (r#"{"point":"A","ts":1}"#, BadField, "value is missing"),
        (r#"{"point":"A","ts":1,"value":"1"}"#, BadField, "number"),
        (r#"{"point":"A","ts":1,"value":null}"#, BadField, "number"),
        (r#"{"point":"A","ts":-1,"value":1}"#, BadTime, "-1"),
        (r#"{"point":"A","ts":1.5,"value":1}"#, BadTime, "1.5"),
        (r#"{"point":"A","ts":"yesterday","value":1}"#, BadTime, "RFC 3339"),
        (r#"{"point":"A","ts":"1969-12-31T23:59:59Z","value":1}"#, BadTime, "before 1970"),
        (r#"{"point":"A","ts":1,"value":1,"quality":"fine"}"#, BadField, "uncertain"),
        (r#"{"point":"A","ts":1,"value":1,"seq":-1}"#, BadField, "seq"),
        (r#"{"point":"A","ts":1,"value":1,"correction":"yes"}"#, BadField, "true or false"),
    ] {
        let fault = point_of(line).unwrap_err();
        assert!(fault.reason == reason && fault.message.contains(word), "{line}: {fault:?}");
    }
    assert!(matches!(point_of(r#"{"point":"A","ts":1,"value":1e999}"#).unwrap_err().reason, NonFinite | Unreadable));
}
