use super::*;

fn places() -> Places {
    let (site, position) = (Uuid::from_u128(1), Uuid::from_u128(2));
    Places { sites: [("RJ01".into(), site)].into(), positions: [((site, "B03/INV07".into()), position)].into() }
}

#[test]
fn a_whole_key_says_everything() {
    let point = point("RJ01/B03/INV07:ac.power", &places(), &AdoptInput::default()).unwrap();
    assert_eq!((point.site, point.position, point.kind.as_str()), (Uuid::from_u128(1), Some(Uuid::from_u128(2)), "ac.power"));
}

#[test]
fn an_unknown_position_is_left_out_and_an_unknown_site_is_refused() {
    assert_eq!(point("RJ01/X:ac.power", &places(), &AdoptInput::default()).unwrap().position, None);
    assert!(point("XX/A:ac.power", &places(), &AdoptInput::default()).unwrap_err().reason.contains("\"XX\""));
}

#[test]
fn what_a_key_does_not_say_must_be_said() {
    let places = places();
    assert!(point("RJ01/A", &places, &AdoptInput::default()).unwrap_err().reason.contains("kind"));
    assert!(point("RJ01/A:colour", &places, &AdoptInput::default()).unwrap_err().reason.contains("unit"));
    let said = AdoptInput { site: Some(Uuid::from_u128(9)), kind: Some("x".into()), unit: Some("1".into()), ..AdoptInput::default() };
    assert_eq!(point("whatever", &places, &said).unwrap().site, Uuid::from_u128(9));
}
