use super::*;
use crate::time::MINUTE;
use chrono::Utc;
use proptest::prelude::*;

fn time(text: &str) -> NaiveTime {
    text.parse().expect("a time of day")
}

fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn at(text: &str) -> Moment {
    Moment::from(text.parse::<chrono::DateTime<chrono::FixedOffset>>().expect("an RFC 3339 time").with_timezone(&Utc))
}

fn opening(weekday: u8, from: &str, to: &str) -> Opening {
    Opening { weekday, from: time(from), to: time(to) }
}

fn calendar(zone: Tz, openings: Vec<Opening>, holidays: &[&str]) -> Calendar {
    let holidays = holidays.iter().map(|day| Holiday { date: date(day), name: format!("holiday {day}") }).collect();
    Calendar { id: CalendarId(uuid::Uuid::nil()), name: "office".into(), zone, openings, holidays }
}

fn weekdays(zone: Tz, from: &str, to: &str, holidays: &[&str]) -> Calendar {
    calendar(zone, (1..=5).map(|weekday| opening(weekday, from, to)).collect(), holidays)
}

fn always(zone: Tz) -> Calendar {
    calendar(zone, (1..=7).map(|weekday| opening(weekday, "00:00", "00:00")).collect(), &[])
}

/// The other judge: asks the wall clock of every single minute.
fn is_open(calendar: &Calendar, at: Moment) -> bool {
    let local = at.utc().with_timezone(&calendar.zone).naive_local();
    let (today, yesterday) = (local.date(), local.date() - chrono::Days::new(1));
    let inside = |opening: &Opening| {
        let weekday = |date: NaiveDate| u32::from(opening.weekday) == date.weekday().number_from_monday();
        let crosses = opening.to <= opening.from;
        let evening = weekday(today) && local.time() >= opening.from && (crosses || local.time() < opening.to);
        evening || (crosses && weekday(yesterday) && local.time() < opening.to)
    };
    calendar.holidays.iter().all(|holiday| holiday.date != today) && calendar.openings.iter().any(inside)
}

fn minutes_by_hand(calendar: &Calendar, from: Moment, to: Moment) -> i64 {
    (0..(to.0 - from.0).max(0) / MINUTE).filter(|minute| is_open(calendar, from.plus(minute * MINUTE))).count() as i64
}

#[test]
fn a_working_day_counts_its_hours() {
    let office = weekdays(chrono_tz::Asia::Kolkata, "09:00", "17:00", &["2025-10-02"]);
    assert_eq!(office.business_time(at("2025-10-01T00:00:00+05:30"), at("2025-10-02T00:00:00+05:30")), 8 * HOUR);
    assert_eq!(office.business_time(at("2025-10-02T00:00:00+05:30"), at("2025-10-03T00:00:00+05:30")), 0);
    assert_eq!(office.business_time(at("2025-10-04T00:00:00+05:30"), at("2025-10-06T09:30:00+05:30")), 30 * MINUTE);
    assert_eq!(office.business_time(at("2025-10-03T12:00:00+05:30"), at("2025-10-03T11:00:00+05:30")), 0);
    assert_eq!(office.add(at("2025-10-01T16:00:00+05:30"), 4 * HOUR), Some(at("2025-10-03T12:00:00+05:30")));
}

#[test]
fn the_end_of_a_day_is_reached_not_the_start_of_the_next() {
    let office = weekdays(chrono_tz::Asia::Kolkata, "09:00", "17:00", &[]);
    assert_eq!(office.add(at("2025-10-03T09:00:00+05:30"), 8 * HOUR), Some(at("2025-10-03T17:00:00+05:30")));
    assert_eq!(office.add(at("2025-10-03T18:00:00+05:30"), 1), Some(at("2025-10-06T09:00:00+05:30").plus(1)));
    assert_eq!(office.add(at("2025-10-04T18:00:00+05:30"), 0), Some(at("2025-10-04T18:00:00+05:30")));
}

#[test]
fn a_night_shift_crosses_midnight_and_a_holiday_closes_its_date_only() {
    let night = calendar(chrono_tz::Europe::Berlin, vec![opening(5, "22:00", "06:00")], &["2026-03-07"]);
    // Friday the 6th to Saturday the 7th, a holiday: only the two hours before midnight are left.
    assert_eq!(night.business_time(at("2026-03-06T12:00:00+01:00"), at("2026-03-08T12:00:00+01:00")), 2 * HOUR);
    assert_eq!(night.business_time(at("2026-03-13T12:00:00+01:00"), at("2026-03-15T12:00:00+01:00")), 8 * HOUR);
}

#[test]
fn a_day_has_23_25_or_23_and_a_half_hours_where_the_clock_is_changed() {
    let berlin = always(chrono_tz::Europe::Berlin);
    assert_eq!(berlin.business_time(at("2026-03-29T00:00:00+01:00"), at("2026-03-30T00:00:00+02:00")), 23 * HOUR);
    assert_eq!(berlin.business_time(at("2026-10-25T00:00:00+02:00"), at("2026-10-26T00:00:00+01:00")), 25 * HOUR);
    let lord_howe = always(chrono_tz::Australia::Lord_Howe);
    assert_eq!(lord_howe.business_time(at("2026-10-04T00:00:00+10:30"), at("2026-10-05T00:00:00+11:00")), 23 * HOUR + 30 * MINUTE);
}

#[test]
fn a_skipped_hour_is_not_counted_and_a_repeated_one_twice() {
    let early = calendar(chrono_tz::Europe::Berlin, vec![opening(7, "02:00", "02:30")], &[]);
    assert_eq!(early.business_time(at("2026-03-29T00:00:00+01:00"), at("2026-03-30T00:00:00+02:00")), 0);
    let twice: Vec<_> = early.intervals(at("2026-10-25T00:00:00+02:00"), at("2026-10-26T00:00:00+01:00")).collect();
    assert_eq!(
        twice,
        [
            Interval { from: at("2026-10-25T02:00:00+02:00"), to: at("2026-10-25T02:30:00+02:00") },
            Interval { from: at("2026-10-25T02:00:00+01:00"), to: at("2026-10-25T02:30:00+01:00") },
        ]
    );
}

#[test]
fn intervals_stay_in_order_where_midnight_is_repeated() {
    // Until 2011 St. John's put its clock back at one minute past midnight, so that two dates took turns.
    let calendar = always(chrono_tz::America::St_Johns);
    let (from, to) = (at("2010-11-06T00:00:00-02:30"), at("2010-11-09T00:00:00-03:30"));
    let found: Vec<_> = calendar.intervals(from, to).collect();
    assert!(found.windows(2).all(|pair| pair[0].to <= pair[1].from), "{found:?}");
    assert_eq!(found.iter().map(Interval::length).sum::<i64>(), to.0 - from.0);
}

#[test]
fn a_calendar_that_is_always_closed_ends_the_search() {
    let holidays: Vec<String> = (0..2).map(|n| format!("2026-01-0{}", 5 + n)).collect();
    let closed = calendar(chrono_tz::UTC, vec![], &holidays.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(closed.add(at("2026-01-01T00:00:00Z"), 1), None);
    assert_eq!(always(chrono_tz::UTC).add(at("2026-01-01T00:00:00Z"), (DAYS_MAX + 1) * DAY), None);
    assert_eq!(always(chrono_tz::UTC).business_time(Moment::MIN, Moment::MAX), DAYS_MAX * DAY);
    assert_eq!(always(chrono_tz::Pacific::Kiritimati).business_time(Moment::MAX, Moment::MAX), 0);
}

#[test]
fn faults_are_said_precisely() {
    let check = |openings| calendar(chrono_tz::UTC, openings, &[]).check();
    assert_eq!(check(vec![]), Err(CalendarFault::NoOpenings));
    assert_eq!(
        check(vec![opening(1, "09:00", "17:00"), opening(8, "09:00", "17:00")]),
        Err(CalendarFault::Weekday { opening: 2, weekday: 8 })
    );
    let overlap = Err(CalendarFault::Overlap { first: 1, second: 2 });
    assert_eq!(check(vec![opening(1, "09:00", "13:00"), opening(1, "12:59", "17:00")]), overlap);
    assert_eq!(check(vec![opening(1, "00:00", "06:00"), opening(7, "22:00", "00:01")]), overlap);
    assert_eq!(check(vec![opening(1, "09:00", "13:00"), opening(1, "13:00", "17:00")]), Ok(()));
    assert_eq!(always(chrono_tz::UTC).check(), Ok(()));
    assert_eq!(check(vec![opening(3, "09:00", "09:00")]), Ok(()));
}

const ZONES: [Tz; 7] = [
    chrono_tz::Asia::Kolkata,
    chrono_tz::Europe::Berlin,
    chrono_tz::America::New_York,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::America::Sao_Paulo,
    chrono_tz::Africa::Casablanca,
    chrono_tz::Pacific::Chatham,
];

prop_compose! {
    fn any_opening()(weekday in 1u8..=7, from in 0u32..1440, to in 0u32..1440) -> Opening {
        let time = |minutes: u32| NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).expect("a time of day");
        Opening { weekday, from: time(from), to: time(to) }
    }
}

prop_compose! {
    /// Starts around a clock change of that year in most zones, at any minute.
    fn any_case()(
        zone in prop::sample::select(&ZONES[..]),
        openings in prop::collection::vec(any_opening(), 1..6),
        closed in prop::collection::vec(0u64..14, 0..3),
        around in prop::sample::select(vec!["2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z", "2018-02-15T00:00:00Z", "2026-04-02T00:00:00Z", "2026-03-06T00:00:00Z"]),
        start in 0i64..4_000,
        length in 0i64..12_000,
    ) -> (Calendar, Moment, Moment) {
        let from = at(around).plus(start * MINUTE);
        let mut calendar = calendar(zone, openings, &[]);
        let first = calendar.date_of(from);
        calendar.holidays = closed.iter().map(|days| Holiday { date: first + chrono::Days::new(*days), name: "closed".into() }).collect();
        (calendar, from, from.plus(length * MINUTE))
    }
}

proptest! {
    #[test]
    fn business_time_equals_the_minutes_counted_by_hand((calendar, from, to) in any_case()) {
        prop_assert_eq!(calendar.business_time(from, to), minutes_by_hand(&calendar, from, to) * MINUTE);
    }

    #[test]
    fn intervals_are_disjoint_in_order_and_inside((calendar, from, to) in any_case()) {
        let found: Vec<_> = calendar.intervals(from, to).collect();
        prop_assert!(found.iter().all(|interval| !interval.is_empty() && interval.from >= from && interval.to <= to));
        prop_assert!(found.windows(2).all(|pair| pair[0].to <= pair[1].from));
    }

    #[test]
    fn what_is_added_has_passed_and_not_a_moment_later((calendar, from, _) in any_case(), duration in 1i64..20_000_000_000) {
        // No end only where every weekday that opens has been closed or lies in a skipped hour for ten years.
        if let Some(due) = calendar.add(from, duration) {
            prop_assert_eq!(calendar.business_time(from, due), duration);
            prop_assert_eq!(calendar.business_time(from, due.minus(1)), duration - 1);
        } else {
            prop_assert!(calendar.business_time(from, from.plus(DAYS_MAX * DAY)) < duration);
        }
    }
}
