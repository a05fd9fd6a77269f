//! The cases, named before the code:
//!
//! | rules of one group | who judges |
//! |---|---|
//! | one of the kind, one of the site's kind | the site's |
//! | the nearer one is disabled from 50 | the next from 50 |
//! | the nearer one begins at 50 | the wider one until then |
//! | two equally near | the one valid from later, then the greater id |
//! | removed at 50 | nobody from 50 |
//! | another group | judges beside it |

use super::*;
use dcmms_schemas::{
    id::{PointNumber, SiteId},
    rule::{RuleVersion, Scope},
    time::SECOND,
};
use uuid::Uuid;

fn at(seconds: i64) -> Moment {
    Moment(seconds * SECOND)
}

fn point() -> Point {
    Point {
        id: Uuid::nil(),
        number: PointNumber(1),
        key: "A:t".into(),
        site: SiteId(Uuid::nil()),
        position: None,
        kind: "temp".into(),
        unit: "C".into(),
        counter: false,
        resolution: 0.001,
        horizon_ms: Point::HORIZON_MS_DEFAULT,
    }
}

fn of_kind() -> Scope {
    Scope { kind: Some("temp".into()), ..Scope::default() }
}

fn of_site() -> Scope {
    Scope { site: Some(SiteId(Uuid::nil())), ..of_kind() }
}

/// A rule whose versions are (valid from, enabled), numbered from 1.
fn rule(id: u128, scope: Scope, versions: &[(i64, bool)]) -> Rule {
    let versions = versions.iter().zip(1..).map(|((from, enabled), version)| RuleVersion {
        version,
        valid_from: at(*from),
        enabled: *enabled,
        severity: Severity::Low,
        condition: Condition::High { limit: 1.0, deadband: 0.0, on_delay_ms: 0, off_delay_ms: 0 },
        order: None,
    });
    Rule { id: RuleId(Uuid::from_u128(id)), name: String::new(), scope, group: "high".into(), versions: versions.collect() }
}

fn book(rules: impl IntoIterator<Item = Rule>) -> Rulebook {
    let mut book = Rulebook::default();
    rules.into_iter().for_each(|rule| book.upsert(rule));
    book
}

/// Since when (in seconds) which rule and version judge the point in the one group there is.
fn reigns(book: &Rulebook) -> Vec<(i64, Option<(u128, i64)>)> {
    let timelines = book.effective(&point(), None);
    assert_eq!(timelines.len(), 1);
    let reign = |segment: &Segment| {
        let judge = segment.judge.as_ref().map(|judge| (judge.rule.0.as_u128(), judge.version));
        (if segment.from == Moment::MIN { -1 } else { segment.from.0 / SECOND }, judge)
    };
    timelines[0].segments.iter().map(reign).collect()
}

#[test]
fn the_nearest_rule_judges_while_it_is_enabled() {
    let rules = [rule(1, of_kind(), &[(0, true)]), rule(2, of_site(), &[(20, true), (50, false), (70, true)])];
    assert_eq!(reigns(&book(rules)), [(-1, None), (0, Some((1, 1))), (20, Some((2, 1))), (50, Some((1, 1))), (70, Some((2, 3)))]);
}

#[test]
fn of_two_equally_near_the_later_judges() {
    let rules = [rule(2, of_kind(), &[(0, true)]), rule(1, of_kind(), &[(0, true), (30, true)])];
    assert_eq!(reigns(&book(rules)), [(-1, None), (0, Some((2, 1))), (30, Some((1, 2)))]);
}

#[test]
fn a_removed_rule_keeps_its_past() {
    let mut book = book([rule(1, of_kind(), &[(0, true)])]);
    book.remove(RuleId(Uuid::from_u128(1)), at(50));
    book.remove(RuleId(Uuid::from_u128(1)), at(60));
    assert_eq!(reigns(&book), [(-1, None), (0, Some((1, 1))), (50, None)]);
    assert!(book.judge(RuleId(Uuid::from_u128(1)), 1).is_some(), "the lineage still finds it");
}

#[test]
fn groups_judge_beside_each_other_and_others_not_at_all() {
    let other = Rule { group: "other".into(), ..rule(2, of_kind(), &[(0, true)]) };
    let elsewhere = rule(3, Scope { kind: Some("power".into()), ..Scope::default() }, &[(0, true)]);
    let never = Rule { group: "never".into(), ..rule(4, of_kind(), &[(0, false)]) };
    let timelines = book([rule(1, of_kind(), &[(0, true)]), other, elsewhere, never]).effective(&point(), None);
    assert_eq!(timelines.iter().map(|timeline| &*timeline.group).collect::<Vec<_>>(), ["high", "other"]);
}

#[test]
fn equal_timelines_are_shared() {
    let book = book([rule(1, of_kind(), &[(0, true)])]);
    let mut pool = TimelinePool::default();
    let mut shared = || pool.share(book.effective(&point(), None).remove(0));
    assert!(Arc::ptr_eq(&shared().segments, &shared().segments));
}
