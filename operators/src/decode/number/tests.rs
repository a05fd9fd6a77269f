use super::*;
use proptest::prelude::*;

#[test]
fn what_is_not_json_is_left_to_others() {
    for text in ["", "-", "01", "1.", ".5", "-.5", "1e5", "1.5E3", "12345678901234567890", "9007199254740993", "+1", "NaN"] {
        assert_eq!(decimal(text.as_bytes(), 0), None, "{text}");
    }
    for text in ["", "-1", "01", "1.0", "1e3", "1234567890123456789"] {
        assert_eq!(integer(text.as_bytes(), 0), None, "{text}");
    }
}

#[test]
fn a_number_ends_where_its_digits_end() {
    assert_eq!(decimal(b"x:-12.50,", 2), Some((-12.5, 8)));
    assert_eq!(integer(b"1732096800123}", 0), Some((1_732_096_800_123, 13)));
    assert!(decimal(b"-0", 0).is_some_and(|(value, _)| value.to_bits() == (-0.0f64).to_bits()));
}

proptest! {
    #[test]
    fn a_decimal_is_what_parse_says(text in "-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,9})?") {
        if let Some((value, end)) = decimal(text.as_bytes(), 0) {
            prop_assert_eq!(end, text.len());
            prop_assert_eq!(value.to_bits(), text.parse::<f64>().expect("a decimal").to_bits());
        }
    }
}
