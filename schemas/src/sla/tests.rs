use super::*;
use crate::{
    calendar::{Calendar, Holiday, Opening},
    id::SiteId,
    order::{Hold, OrderFacts},
    time::{HOUR, MINUTE},
};
use chrono::{DateTime, Datelike, FixedOffset, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use uuid::Uuid;

fn at(text: &str) -> Moment {
    Moment::from(text.parse::<DateTime<FixedOffset>>().expect("an RFC 3339 time").with_timezone(&Utc))
}

fn office(zone: Tz, holidays: &[&str]) -> Calendar {
    let time = |text: &str| text.parse().expect("a time of day");
    Calendar {
        id: CalendarId(Uuid::from_u128(1)),
        name: "office hours".into(),
        zone,
        openings: (1..=5).map(|weekday| Opening { weekday, from: time("09:00"), to: time("17:00") }).collect(),
        holidays: holidays.iter().map(|day| Holiday { date: day.parse().expect("a date"), name: "Gandhi Jayanti".into() }).collect(),
    }
}

fn target(metric: Metric, minutes: i64) -> Target {
    Target { metric, minutes, pause_reasons: vec!["customer".into(), "weather".into()], warn_percent: vec![90, 50] }
}

fn policy(targets: Vec<Target>) -> Policy {
    Policy {
        id: PolicyId(Uuid::from_u128(2)),
        version: 3,
        name: "gold".into(),
        rank: 10,
        calendar: CalendarId(Uuid::from_u128(1)),
        order_types: vec![],
        priorities: vec![],
        sites: vec![],
        targets,
        valid_from: Moment::MIN,
    }
}

fn facts(onset: Moment) -> OrderFacts {
    OrderFacts {
        id: OrderId(Uuid::from_u128(4)),
        number: "WO-2025-000001".into(),
        site: SiteId(Uuid::from_u128(5)),
        position: None,
        order_type: "corrective".into(),
        priority: "high".into(),
        status: "open".into(),
        onset,
        started: None,
        resolved: None,
        cancelled: false,
        holds: vec![],
    }
}

fn hold(from: &str, to: Option<&str>, reason: &str) -> Hold {
    Hold { from: at(from), to: to.map(at), reason: reason.into() }
}

/// Wednesday 2025-10-01 16:00 in Kolkata, four business hours, Thursday a holiday.
fn vector(holds: Vec<Hold>, holidays: &[&str], now: &str) -> Clock {
    let (target, calendar) = (target(Metric::Resolve, 240), office(chrono_tz::Asia::Kolkata, holidays));
    let facts = OrderFacts { holds, ..facts(at("2025-10-01T16:00:00+05:30")) };
    clock(&facts, &policy(vec![]), &target, &calendar, at(now))
}

const GANDHI: &[&str] = &["2025-10-02"];

#[test]
fn four_hours_over_a_holiday_are_due_on_friday_noon() {
    let clock = vector(vec![], GANDHI, "2025-10-01T16:30:00+05:30");
    assert_eq!((clock.state, clock.due), (ClockState::Running, Some(at("2025-10-03T06:30:00Z"))));
    assert_eq!((clock.target_s, clock.elapsed_s, clock.warned_percent), (14_400, 0, None));
    assert_eq!(clock.explanation["holidays"][0]["date"], "2025-10-02");
    assert_eq!(
        clock.explanation["counted"],
        serde_json::json!([
            { "from": "2025-10-01T16:00:00+05:30", "to": "2025-10-01T17:00:00+05:30" },
            { "from": "2025-10-03T09:00:00+05:30", "to": "2025-10-03T12:00:00+05:30" },
        ])
    );
}

#[test]
fn a_pause_moves_the_due_moment_and_its_correction_moves_it_back() {
    let pause = |to| vec![hold("2025-10-03T10:00:00+05:30", Some(to), "customer")];
    let now = "2025-10-03T11:45:00+05:30";
    assert_eq!(vector(pause("2025-10-03T11:30:00+05:30"), GANDHI, now).due, Some(at("2025-10-03T13:30:00+05:30")));
    assert_eq!(vector(pause("2025-10-03T11:00:00+05:30"), GANDHI, now).due, Some(at("2025-10-03T13:00:00+05:30")));
}

#[test]
fn a_withdrawn_holiday_brings_the_due_moment_forward() {
    let clock = vector(vec![], &[], "2025-10-02T12:00:00+05:30");
    assert_eq!((clock.state, clock.due), (ClockState::Running, Some(at("2025-10-02T12:00:00+05:30"))));
    assert_eq!(vector(vec![], &[], "2025-10-02T12:00:00.000001+05:30").state, ClockState::Breached);
    assert_eq!(clock.explanation["holidays"], serde_json::json!([]));
}

#[test]
fn while_it_is_paused_nothing_is_due() {
    let open = vec![hold("2025-10-03T10:00:00+05:30", None, "weather")];
    let clock = vector(open.clone(), GANDHI, "2025-10-04T10:00:00+05:30");
    assert_eq!((clock.state, clock.due, clock.elapsed_s), (ClockState::Paused, None, 7_200));
    assert_eq!(clock.warned_percent, Some(50), "half was used at the moment the pause began");
    assert!(clock.explanation["due"].as_str().expect("a sentence").contains("paused"));
    // A pause after the due moment saves nothing.
    let late = vector(vec![hold("2025-10-03T12:30:00+05:30", None, "weather")], GANDHI, "2025-10-04T10:00:00+05:30");
    assert_eq!((late.state, late.due), (ClockState::Breached, Some(at("2025-10-03T12:00:00+05:30"))));
}

#[test]
fn only_named_reasons_pause_and_overlapping_pauses_count_once() {
    let now = "2025-10-03T09:30:00+05:30";
    let other = vector(vec![hold("2025-10-03T09:00:00+05:30", None, "lunch")], GANDHI, now);
    assert_eq!((other.state, other.due), (ClockState::Running, Some(at("2025-10-03T12:00:00+05:30"))));
    let twice = vec![
        hold("2025-10-03T10:00:00+05:30", Some("2025-10-03T11:00:00+05:30"), "customer"),
        hold("2025-10-03T10:30:00+05:30", Some("2025-10-03T11:30:00+05:30"), "weather"),
    ];
    assert_eq!(vector(twice, GANDHI, now).due, Some(at("2025-10-03T13:30:00+05:30")));
}

#[test]
fn a_stop_makes_it_met_or_missed_and_a_correction_the_other() {
    let (respond, calendar) = (target(Metric::Respond, 60), office(chrono_tz::Asia::Kolkata, GANDHI));
    let policy = policy(vec![]);
    let state = |onset: &str, started: &str| {
        let facts = OrderFacts { started: Some(at(started)), ..facts(at(onset)) };
        let clock = clock(&facts, &policy, &respond, &calendar, at("2026-01-01T00:00:00Z"));
        (clock.state, clock.elapsed_s)
    };
    assert_eq!(state("2025-10-01T16:00:00+05:30", "2025-10-01T17:00:00+05:30"), (ClockState::Met, 3_600));
    assert_eq!(state("2025-10-01T15:30:00+05:30", "2025-10-01T17:00:00+05:30"), (ClockState::Missed, 5_400));
    assert_eq!(
        state("2025-10-03T15:30:00+05:30", "2025-10-01T17:00:00+05:30"),
        (ClockState::Met, 0),
        "it began before the onset as corrected"
    );
}

#[test]
fn whoever_restored_it_has_responded() {
    let facts = OrderFacts { resolved: Some(at("2025-10-01T16:10:00+05:30")), ..facts(at("2025-10-01T16:00:00+05:30")) };
    let (respond, calendar) = (target(Metric::Respond, 60), office(chrono_tz::Asia::Kolkata, GANDHI));
    assert_eq!(clock(&facts, &policy(vec![]), &respond, &calendar, at("2025-10-09T00:00:00Z")).state, ClockState::Met);
}

#[test]
fn a_cancelled_order_has_void_clocks_that_never_change() {
    let facts = OrderFacts { cancelled: true, ..facts(at("2025-10-01T16:00:00+05:30")) };
    let (resolve, calendar, policy) = (target(Metric::Resolve, 60), office(chrono_tz::Asia::Kolkata, GANDHI), policy(vec![]));
    let clock = clock(&facts, &policy, &resolve, &calendar, at("2025-10-09T00:00:00Z"));
    assert_eq!((clock.state, clock.due, clock.elapsed_s, clock.warned_percent), (ClockState::Void, None, 0, None));
    assert_eq!(next_change(&facts, &policy, &resolve, &calendar, Moment::MIN), None);
}

#[test]
fn a_long_explanation_lists_fifty_and_counts_the_rest() {
    let (resolve, calendar) = (target(Metric::Resolve, 60 * 8 * 60), office(chrono_tz::Asia::Kolkata, &[]));
    let clock = clock(&facts(at("2025-09-01T09:00:00+05:30")), &policy(vec![]), &resolve, &calendar, at("2025-09-01T10:00:00+05:30"));
    assert_eq!(clock.explanation["counted"].as_array().expect("a list").len(), 50);
    assert_eq!(clock.explanation["counted_more"], 10);
}

#[test]
fn the_lowest_rank_of_the_versions_valid_at_the_onset_speaks() {
    let order = facts(at("2025-10-01T16:00:00+05:30"));
    let general = policy(vec![]);
    let special = Policy { id: PolicyId(Uuid::from_u128(9)), rank: 1, priorities: vec!["high".into()], ..general.clone() };
    let later = Policy { version: 4, rank: 0, valid_from: order.onset.plus(1), ..general.clone() };
    let other = Policy { id: PolicyId(Uuid::from_u128(10)), rank: 0, order_types: vec!["inspection".into()], ..general.clone() };
    let all = [general.clone(), special.clone(), later.clone(), other];
    assert_eq!(policy_for(&order, &all), Some(&special));
    let narrowed = Policy { version: 2, valid_from: order.onset, priorities: vec!["low".into()], ..special.clone() };
    let narrowed = Policy { version: special.version + 1, ..narrowed };
    assert_eq!(policy_for(&order, &[general.clone(), special, narrowed]), Some(&general), "only the newest version of a policy speaks");
    assert_eq!(policy_for(&order, &[later]), None);
}

#[test]
fn faults_of_a_policy_are_said_precisely() {
    let check = |targets| policy(targets).check();
    assert_eq!(check(vec![]), Err(PolicyFault::NoTargets));
    assert_eq!(check(vec![target(Metric::Respond, 1), target(Metric::Respond, 2)]), Err(PolicyFault::Twice("respond")));
    assert_eq!(check(vec![target(Metric::Resolve, 0)]), Err(PolicyFault::Minutes { metric: "resolve", minutes: 0 }));
    let warns = Target { warn_percent: vec![50, 100], ..target(Metric::Resolve, 10) };
    assert_eq!(check(vec![warns]), Err(PolicyFault::Warning { metric: "resolve", percent: 100 }));
    assert_eq!(check(vec![target(Metric::Respond, 1), target(Metric::Resolve, 2)]), Ok(()));
}

/// The other judge: looks at every single minute.
struct ByHand<'a> {
    facts: &'a OrderFacts,
    target: &'a Target,
    calendar: &'a Calendar,
}

impl ByHand<'_> {
    fn counts(&self, minute: Moment) -> bool {
        let local = minute.utc().with_timezone(&self.calendar.zone).naive_local();
        let open = self.calendar.openings.iter().any(|opening| {
            u32::from(opening.weekday) == local.date().weekday().number_from_monday()
                && opening.from <= local.time()
                && local.time() < opening.to
        });
        let holiday = self.calendar.holidays.iter().any(|holiday| holiday.date == local.date());
        let paused =
            |hold: &Hold| self.target.pause_reasons.contains(&hold.reason) && hold.from <= minute && hold.to.is_none_or(|to| minute < to);
        open && !holiday && !self.facts.holds.iter().any(paused)
    }

    fn elapsed(&self, upto: Moment) -> i64 {
        let minutes = (upto.0 - self.facts.onset.0).max(0) / MINUTE;
        (0..minutes).filter(|minute| self.counts(self.facts.onset.plus(minute * MINUTE))).count() as i64
    }

    /// Looks three weeks ahead.
    fn due(&self) -> Option<Moment> {
        let mut left = self.target.minutes;
        for minute in 0..21 * 24 * 60 {
            left -= i64::from(self.counts(self.facts.onset.plus(minute * MINUTE)));
            if left == 0 {
                return Some(self.facts.onset.plus((minute + 1) * MINUTE));
            }
        }
        None
    }
}

prop_compose! {
    fn any_hold(start: Moment)(from in -600i64..6_000, length in proptest::option::of(0i64..3_000), reason in prop::sample::select(vec!["customer", "weather", "lunch"])) -> Hold {
        let from = start.plus(from * MINUTE);
        Hold { from, to: length.map(|minutes| from.plus(minutes * MINUTE)), reason: reason.into() }
    }
}

prop_compose! {
    fn any_case()(
        zone in prop::sample::select(vec![chrono_tz::Asia::Kolkata, chrono_tz::Europe::Berlin, chrono_tz::America::New_York]),
        around in prop::sample::select(vec!["2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z", "2026-03-06T00:00:00Z"]),
        start in 0i64..5_000,
    )(
        zone in Just(zone),
        onset in Just(at(around).plus(start * MINUTE)),
        holds in prop::collection::vec(any_hold(at(around).plus(start * MINUTE)), 0..5),
        holiday in proptest::option::of(0u64..8),
        minutes in 1i64..1_500,
        stopped in proptest::option::of(0i64..12_000),
    ) -> (OrderFacts, Target, Calendar) {
        let mut calendar = office(zone, &[]);
        let first = calendar.date_of(onset);
        calendar.holidays = holiday.into_iter().map(|day| Holiday { date: first + chrono::Days::new(day), name: "closed".into() }).collect();
        let facts = OrderFacts { holds, resolved: stopped.map(|minutes| onset.plus(minutes * MINUTE)), ..facts(onset) };
        (facts, target(Metric::Resolve, minutes), calendar)
    }
}

proptest! {
    #[test]
    fn due_and_elapsed_equal_the_minutes_counted_by_hand((facts, target, calendar) in any_case(), now in 0i64..12_000) {
        let policy = policy(vec![]);
        let by_hand = ByHand { facts: &facts, target: &target, calendar: &calendar };
        let reckoning = Reckoning::new(&facts, &policy, &target, &calendar);
        let now = facts.onset.plus(now * MINUTE);
        prop_assert_eq!(reckoning.elapsed(now), by_hand.elapsed(now) * MINUTE);
        prop_assert_eq!(reckoning.counted(now).map(|part| part.length()).sum::<i64>(), by_hand.elapsed(now) * MINUTE);
        if let Some(due) = by_hand.due() {
            prop_assert_eq!(reckoning.due, Some(due));
            let clock = reckoning.clock(now);
            let late = facts.resolved.unwrap_or(now) > due;
            let expected = match (facts.resolved, late) {
                (Some(_), true) => vec![ClockState::Missed],
                (Some(_), false) => vec![ClockState::Met],
                (None, true) => vec![ClockState::Breached],
                (None, false) => vec![ClockState::Running, ClockState::Paused],
            };
            prop_assert!(expected.contains(&clock.state), "{:?}", clock);
        } else {
            prop_assert!(reckoning.due.is_none_or(|due| due > facts.onset.plus(20 * 24 * HOUR)));
        }
    }

    #[test]
    fn a_clock_changes_at_the_named_moments_and_at_no_other((facts, target, calendar) in any_case(), looks in prop::collection::vec(0i64..12_000, 1..20)) {
        let policy = policy(vec![]);
        let reckoning = Reckoning::new(&facts, &policy, &target, &calendar);
        let mut now = facts.onset.minus(HOUR);
        while let Some(next) = reckoning.next_change(now) {
            prop_assert!(next > now);
            let before = reckoning.clock(now);
            prop_assert_eq!(&before, &reckoning.clock(next.minus(1)));
            prop_assert_ne!(&before, &reckoning.clock(next));
            for look in &looks {
                let look = facts.onset.plus(look * MINUTE);
                if now <= look && look < next {
                    prop_assert_eq!(&before, &reckoning.clock(look));
                }
            }
            now = next;
        }
        prop_assert_eq!(reckoning.clock(now), reckoning.clock(now.plus(100 * 24 * HOUR)));
    }
}
