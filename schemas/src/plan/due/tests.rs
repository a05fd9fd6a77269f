use super::*;
use chrono::TimeZone;

fn day(year: i32, month: u32, day: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(year, month, day, 6, 0, 0).unwrap()
}

fn time(rule: &str, anchor: Anchor) -> Trigger {
    Trigger::Time { start: day(2026, 1, 15), rrule: rule.into(), zone: Tz::UTC, anchor }
}

fn rules(triggers: &[Trigger]) -> Rules<'_> {
    Rules { triggers, combine: Combine::FirstOf, months: &[], zone: Tz::UTC, active_from: day(2026, 1, 1) }
}

fn dates(dues: &[Due]) -> Vec<String> {
    dues.iter().map(|due| due.at.format("%Y-%m-%d").to_string()).collect()
}

#[test]
fn fixed_dates_stay_and_floating_ones_follow_completion() {
    let past = Past { last_due: Some(day(2026, 1, 15)), last_done: Some(day(2026, 2, 20)), ..Past::default() };
    let fixed = [time("FREQ=MONTHLY;INTERVAL=3", Anchor::Fixed)];
    assert_eq!(rules(&fixed).next(&past).unwrap().at, day(2026, 4, 15));
    let floating = [time("FREQ=MONTHLY;INTERVAL=3", Anchor::Floating)];
    assert_eq!(rules(&floating).next(&past).unwrap().at, day(2026, 5, 20));
    // A corrected completion moves the successor, unless one is open.
    let corrected = Past { last_done: Some(day(2026, 2, 1)), ..past.clone() };
    assert_eq!(rules(&floating).next(&corrected).unwrap().at, day(2026, 5, 1));
    assert_eq!(rules(&floating).next(&Past { open: true, ..corrected }), None);
    assert_eq!(rules(&floating).next(&Past::default()).unwrap().at, day(2026, 1, 15));
}

#[test]
fn nothing_is_due_before_the_plan_was_active() {
    let fixed = [time("FREQ=WEEKLY", Anchor::Fixed)];
    let late = Rules { active_from: day(2026, 3, 1), ..rules(&fixed) };
    assert_eq!(late.next(&Past::default()).unwrap().at, day(2026, 3, 5));
}

#[test]
fn a_meter_is_due_when_it_has_counted_and_forecast_by_its_rate() {
    let meter = |total: i64| Meter { total: Decimal::from(total), at: day(2026, 2, 1), per_day: Some(Decimal::TEN) };
    let past = |total: i64| Past { meters: [("hours".to_owned(), meter(total))].into(), ..Past::default() };
    let triggers = [Trigger::Meter { register: "hours".into(), interval: Decimal::from(500), tolerance: Decimal::from(20) }];
    let due = rules(&triggers).next(&past(485)).unwrap();
    assert_eq!((due.at, due.cause.as_str(), due.meter), (day(2026, 2, 1), "meter/hours/500", Some(Decimal::from(500))));
    let ahead = rules(&triggers).next(&past(380)).unwrap();
    assert_eq!((ahead.at, ahead.cause.as_str()), (day(2026, 2, 11), "meter/hours/500"), "the same one, however early it is seen");
    assert_eq!(dates(&rules(&triggers).forecast(&past(380), day(2026, 6, 1))), ["2026-02-11", "2026-04-02", "2026-05-22"]);
    let unread = Past::default();
    assert_eq!(rules(&triggers).next(&unread), None);
}

#[test]
fn of_several_triggers_the_first_counts_or_all_of_them() {
    let meter = Meter { total: Decimal::from(490), at: day(2026, 1, 10), per_day: Some(Decimal::ONE) };
    let past = Past { meters: [("hours".to_owned(), meter)].into(), ..Past::default() };
    let both = [
        time("FREQ=YEARLY", Anchor::Fixed),
        Trigger::Meter { register: "hours".into(), interval: Decimal::from(500), tolerance: Decimal::ZERO },
    ];
    assert_eq!(rules(&both).next(&past).unwrap().basis, "time", "15 January is before 20 January");
    let all = Rules { combine: Combine::AllOf, ..rules(&both) };
    assert_eq!(all.next(&past).unwrap().basis, "meter");
    assert_eq!(all.next(&Past::default()), None, "a meter that was never read is never due");
}

#[test]
fn an_alarm_makes_work_due_once() {
    let rule = Uuid::from_u128(7);
    let triggers = [Trigger::Condition { rule }];
    let past = Past { alarms: [(rule, day(2026, 3, 3))].into(), ..Past::default() };
    assert_eq!(rules(&triggers).next(&past).unwrap().at, day(2026, 3, 3));
    assert_eq!(rules(&triggers).next(&Past { last_done: Some(day(2026, 3, 4)), ..past.clone() }), None);
    assert_eq!(rules(&triggers).next(&Past { open: true, ..past }), None);
}

#[test]
fn work_waits_for_its_season() {
    let monthly = [time("FREQ=MONTHLY", Anchor::Fixed)];
    let dry = Rules { months: &[11, 12, 1], ..rules(&monthly) };
    let forecast = dry.forecast(&Past::default(), day(2027, 1, 31));
    assert_eq!(dates(&forecast), ["2026-01-15", "2026-11-01", "2026-11-15", "2026-12-15", "2027-01-15"]);
}

#[test]
fn local_time_is_kept_over_a_clock_change() {
    let start = Utc.with_ymd_and_hms(2026, 3, 23, 7, 0, 0).unwrap();
    let weekly = [Trigger::Time { start, rrule: "FREQ=WEEKLY".into(), zone: Tz::Europe__Madrid, anchor: Anchor::Fixed }];
    let forecast = rules(&weekly).forecast(&Past::default(), day(2026, 4, 1));
    assert_eq!(forecast[1].at, Utc.with_ymd_and_hms(2026, 3, 30, 6, 0, 0).unwrap(), "8 o'clock in Madrid both times");
}

#[test]
fn a_rule_that_is_none_is_refused_with_its_reason() {
    assert!(time("FREQ=SOMETIMES", Anchor::Fixed).fault().unwrap().contains("FREQ=SOMETIMES"));
    assert_eq!(time("FREQ=DAILY", Anchor::Fixed).fault(), None);
    let meter = Trigger::Meter { register: "hours".into(), interval: Decimal::ONE, tolerance: Decimal::ONE };
    assert!(meter.fault().is_some());
}

#[test]
fn a_forecast_is_bounded() {
    let daily = [time("FREQ=DAILY", Anchor::Fixed)];
    assert_eq!(rules(&daily).forecast(&Past::default(), day(2036, 1, 1)).len(), FORECAST_MAX);
}
