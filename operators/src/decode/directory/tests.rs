use super::*;
use crate::testing::{point, told};

#[test]
fn the_greatest_version_counts_and_removed_points_are_unknown_again() {
    let mut directory = Directory::new();
    let mut first = point(7, "a");
    directory.apply(&told(2, Row::Point(first.clone())));
    directory.settle();
    assert_eq!(directory.find(b"a").map(|entry| entry.number), Some(7));

    first.key = "old".to_owned();
    directory.apply(&told(1, Row::Point(first.clone())));
    directory.settle();
    assert!(directory.find(b"a").is_some(), "an older version changes nothing");

    first.key = "b".to_owned();
    directory.apply(&told(3, Row::Point(first.clone())));
    directory.settle();
    assert!(directory.find(b"a").is_none() && directory.find(b"b").is_some(), "a new name takes the place of the old");

    directory.apply(&Event { removed: true, ..told(4, Row::Point(first)) });
    directory.settle();
    assert!(directory.find(b"b").is_none());
}

#[test]
fn many_points_are_found_and_no_others() {
    let mut directory = Directory::new();
    for number in 0..5_000 {
        directory.apply(&told(1, Row::Point(point(number, &format!("site/{number}")))));
    }
    directory.settle();
    for number in 0..5_000u32 {
        assert_eq!(directory.find(format!("site/{number}").as_bytes()).map(|entry| entry.number), Some(number));
    }
    assert!(directory.find(b"site/5000").is_none() && directory.find(b"").is_none());
}

#[test]
fn of_two_points_with_one_key_the_younger_has_it_whatever_the_order() {
    for numbers in [[1, 2], [2, 1]] {
        let mut directory = Directory::new();
        numbers.iter().for_each(|number| directory.apply(&told(1, Row::Point(point(*number, "same")))));
        directory.settle();
        assert_eq!(directory.find(b"same").map(|entry| entry.number), Some(2));
    }
}
