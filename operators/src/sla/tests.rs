use super::*;
use crate::script::{Script, binding, event};
use dcmms_schemas::{
    calendar::{Holiday, Opening},
    id::SiteId,
    order::Hold,
    sla::{ClockState, Metric, Target, clock},
    time::{HOUR, MINUTE},
};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

const CALENDAR: CalendarId = CalendarId(Uuid::from_u128(1));

/// Wednesday 2025-10-01 16:00 in Kolkata.
const ONSET: Moment = Moment(1_759_314_600 * 1_000_000);

fn calendar(holidays: &[&str]) -> Calendar {
    let time = |text: &str| text.parse().expect("a time of day");
    Calendar {
        id: CALENDAR,
        name: "office hours".into(),
        zone: chrono_tz::Asia::Kolkata,
        openings: (1..=5).map(|weekday| Opening { weekday, from: time("09:00"), to: time("17:00") }).collect(),
        holidays: holidays.iter().map(|day| Holiday { date: day.parse().expect("a date"), name: "closed".into() }).collect(),
    }
}

fn policy(id: u128, version: i64, minutes: i64) -> Policy {
    let target = |metric, minutes| Target { metric, minutes, pause_reasons: vec!["customer".into()], warn_percent: vec![50] };
    Policy {
        id: PolicyId(Uuid::from_u128(id)),
        version,
        name: "gold".into(),
        rank: 1,
        calendar: CALENDAR,
        order_types: vec![],
        priorities: vec![],
        sites: vec![],
        targets: vec![target(Metric::Respond, minutes / 2), target(Metric::Resolve, minutes)],
        valid_from: Moment::MIN,
    }
}

fn order(id: u128) -> OrderFacts {
    OrderFacts {
        id: OrderId(Uuid::from_u128(id)),
        number: format!("WO-2025-{id:06}"),
        site: SiteId(Uuid::nil()),
        position: None,
        order_type: "corrective".into(),
        priority: "high".into(),
        status: "open".into(),
        onset: ONSET,
        started: None,
        resolved: None,
        cancelled: false,
        holds: vec![],
    }
}

/// Adds up differences and refuses what was never there.
#[derive(Default)]
struct Table(Vec<Clock>);

impl Table {
    fn apply(&mut self, changes: Vec<(Clock, Diff)>) {
        for (row, diff) in changes {
            match diff {
                1 => self.0.push(row),
                -1 => {
                    let index = self.0.iter().position(|known| *known == row).expect("only what was said is taken back");
                    self.0.remove(index);
                }
                other => panic!("a difference of {other}"),
            }
        }
    }

    fn sorted(mut self) -> Vec<Clock> {
        self.0.sort_by_key(|row| (row.order, row.metric));
        self.0
    }

    fn one(&self, id: u128, metric: Metric) -> &Clock {
        let mut rows = self.0.iter().filter(|row| row.order.0.as_u128() == id && row.metric == metric);
        let row = rows.next().expect("the order has this clock");
        assert_eq!(rows.next(), None, "one row per order and metric");
        row
    }
}

fn tell(clocks: &mut Clocks, table: &mut Table, clock: Moment, rows: Vec<(i64, Row)>) -> usize {
    let events = rows.into_iter().map(|(version, row)| Arc::new(event(version, clock, row))).collect();
    let changes = clocks.tell(&Told { events, binding: Some(Arc::new(binding(1, clock))), cut: None });
    let count = changes.len();
    table.apply(changes);
    count
}

fn open(holidays: &[&str]) -> (Clocks, Table) {
    let (mut clocks, mut table) = (Clocks::new(0, 1, FORGET_AFTER_US), Table::default());
    let rows = vec![(1, Row::Order(order(7))), (1, Row::Policy(policy(1, 1, 240))), (1, Row::Calendar(calendar(holidays)))];
    assert_eq!(tell(&mut clocks, &mut table, ONSET, rows), 2);
    (clocks, table)
}

#[test]
fn rows_change_when_time_passes_and_only_then() {
    let (mut clocks, mut table) = open(&["2025-10-02"]);
    assert_eq!(tell(&mut clocks, &mut table, ONSET.plus(HOUR), vec![]), 2, "half of the response time has passed");
    assert_eq!(table.one(7, Metric::Respond).warned_percent, Some(50));
    assert_eq!(tell(&mut clocks, &mut table, ONSET.plus(30 * HOUR), vec![]), 0, "a night and a holiday");
    // Friday noon is the due moment of the resolution: not late yet; a microsecond later it is.
    let noon = ONSET.plus(44 * HOUR);
    tell(&mut clocks, &mut table, noon, vec![]);
    assert_eq!(table.one(7, Metric::Resolve).state, ClockState::Running);
    assert_eq!(tell(&mut clocks, &mut table, noon.plus(1), vec![]), 2);
    assert_eq!(table.one(7, Metric::Resolve).state, ClockState::Breached);
    assert_eq!(tell(&mut clocks, &mut table, noon.plus(1_000 * HOUR), vec![]), 0, "a breached clock says nothing more");
}

#[test]
fn a_withdrawn_holiday_and_a_corrected_pause_restate_a_closed_order() {
    let (mut clocks, mut table) = open(&["2025-10-02"]);
    let pause = |to: i64| Hold { from: ONSET.plus(42 * HOUR), to: Some(ONSET.plus(to * MINUTE)), reason: "customer".into() };
    let resolved = |to| OrderFacts { resolved: Some(ONSET.plus(45 * HOUR + 15 * MINUTE)), holds: vec![pause(to)], ..order(7) };
    let now = ONSET.plus(100 * HOUR);
    tell(&mut clocks, &mut table, now, vec![(2, Row::Order(resolved(42 * 60 + 90)))]);
    assert_eq!(
        (table.one(7, Metric::Resolve).state, table.one(7, Metric::Resolve).due),
        (ClockState::Met, Some(ONSET.plus(45 * HOUR + 30 * MINUTE)))
    );
    tell(&mut clocks, &mut table, now, vec![(3, Row::Order(resolved(42 * 60 + 60)))]);
    assert_eq!((table.one(7, Metric::Resolve).state, table.one(7, Metric::Resolve).due), (ClockState::Missed, Some(ONSET.plus(45 * HOUR))));
    tell(&mut clocks, &mut table, now, vec![(2, Row::Calendar(calendar(&[])))]);
    assert_eq!(table.one(7, Metric::Resolve).due, Some(ONSET.plus(20 * HOUR)), "the pause came after the due moment now");
    assert_eq!(
        tell(&mut clocks, &mut table, now, vec![(2, Row::Order(order(7))), (1, Row::Calendar(calendar(&["2025-10-01"])))]),
        0,
        "old news"
    );
}

#[test]
fn a_policy_that_ends_takes_its_clocks_along_and_another_speaks() {
    let (mut clocks, mut table) = open(&[]);
    let later = Policy { valid_from: ONSET.plus(1), ..policy(1, 2, 60) };
    assert_eq!(tell(&mut clocks, &mut table, ONSET, vec![(2, Row::Policy(later))]), 0, "it is valid for later orders only");
    let other = Policy { rank: 0, ..policy(2, 1, 120) };
    assert_eq!(tell(&mut clocks, &mut table, ONSET, vec![(1, Row::Policy(other.clone()))]), 4);
    assert_eq!(table.one(7, Metric::Resolve).target_s, 7_200);
    let removed = Event { removed: true, ..event(2, ONSET, Row::Policy(other)) };
    table.apply(clocks.tell(&Told { events: vec![Arc::new(removed)], binding: None, cut: None }));
    assert_eq!(table.one(7, Metric::Resolve).target_s, 14_400);
    let gone = Event { removed: true, ..event(9, ONSET, Row::Order(order(7))) };
    table.apply(clocks.tell(&Told { events: vec![Arc::new(gone)], binding: None, cut: None }));
    assert!(table.0.is_empty());
}

#[test]
fn an_order_closed_long_ago_is_forgotten_and_its_rows_stand() {
    let (mut clocks, mut table) = open(&[]);
    let resolved = OrderFacts { resolved: Some(ONSET.plus(HOUR)), ..order(7) };
    tell(&mut clocks, &mut table, ONSET.plus(HOUR), vec![(2, Row::Order(resolved))]);
    assert_eq!(
        tell(&mut clocks, &mut table, ONSET.plus(FORGET_AFTER_US + HOUR - 1), vec![(2, Row::Calendar(calendar(&["2025-10-01"])))]),
        4
    );
    assert_eq!(tell(&mut clocks, &mut table, ONSET.plus(FORGET_AFTER_US + HOUR), vec![]), 0);
    assert!(clocks.orders.is_empty() && clocks.due.is_empty());
    assert_eq!(tell(&mut clocks, &mut table, ONSET.plus(2 * FORGET_AFTER_US), vec![(3, Row::Order(order(7)))]), 0);
    assert_eq!(table.0.len(), 2);
}

/// One thing that people do, to one of a few orders, calendars or policies.
#[derive(Clone, Debug)]
enum Deed {
    Open { order: u128, onset: i64 },
    Start { order: u128, at: i64 },
    Resolve { order: u128, at: i64 },
    Reopen { order: u128 },
    Cancel { order: u128 },
    Hold { order: u128, from: i64, length: Option<i64> },
    Holiday { date: u32 },
    Policy { id: u128, minutes: i64, rank: i32, valid_from: i64 },
    Nothing,
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let order = 0u128..4;
    prop_oneof![
        3 => (order.clone(), 0i64..3_000).prop_map(|(order, onset)| Deed::Open { order, onset }),
        2 => (order.clone(), 0i64..6_000).prop_map(|(order, at)| Deed::Start { order, at }),
        2 => (order.clone(), 0i64..6_000).prop_map(|(order, at)| Deed::Resolve { order, at }),
        1 => order.clone().prop_map(|order| Deed::Reopen { order }),
        1 => order.clone().prop_map(|order| Deed::Cancel { order }),
        3 => (order, 0i64..6_000, proptest::option::of(0i64..2_000)).prop_map(|(order, from, length)| Deed::Hold { order, from, length }),
        1 => (1u32..8).prop_map(|date| Deed::Holiday { date }),
        1 => (0u128..3, 1i64..900, 0i32..3, -100i64..3_000).prop_map(|(id, minutes, rank, valid_from)| Deed::Policy { id, minutes, rank, valid_from }),
        2 => Just(Deed::Nothing),
    ]
}

/// What the domain knows after some deeds, and the event that each deed makes.
#[derive(Default)]
struct Domain {
    version: i64,
    orders: BTreeMap<u128, OrderFacts>,
    calendar: Option<Calendar>,
    policies: Vec<Policy>,
}

impl Domain {
    fn does(&mut self, deed: &Deed) -> Option<Row> {
        self.version += 1;
        let minute = |minutes: i64| ONSET.plus(minutes * MINUTE);
        let facts = match deed {
            Deed::Open { order: id, onset } => {
                let facts = self.orders.entry(*id).or_insert_with(|| order(*id));
                facts.onset = minute(*onset);
                facts
            }
            Deed::Start { order, at } => {
                let facts = self.orders.get_mut(order)?;
                facts.started = Some(minute(*at));
                facts
            }
            Deed::Resolve { order, at } => {
                let facts = self.orders.get_mut(order)?;
                facts.resolved = Some(minute(*at));
                facts
            }
            Deed::Reopen { order } => {
                let facts = self.orders.get_mut(order)?;
                facts.resolved = None;
                facts
            }
            Deed::Cancel { order } => {
                let facts = self.orders.get_mut(order)?;
                facts.cancelled = true;
                facts
            }
            Deed::Hold { order, from, length } => {
                let facts = self.orders.get_mut(order)?;
                facts.holds.push(Hold { from: minute(*from), to: length.map(|length| minute(from + length)), reason: "customer".into() });
                facts
            }
            Deed::Holiday { date } => {
                self.calendar = Some(calendar(&[&format!("2025-10-0{date}")]));
                return self.calendar.clone().map(Row::Calendar);
            }
            Deed::Policy { id, minutes, rank, valid_from } => {
                self.policies.push(Policy { rank: *rank, valid_from: minute(*valid_from), ..policy(*id, self.version, *minutes) });
                return self.policies.last().cloned().map(Row::Policy);
            }
            Deed::Nothing => return None,
        };
        Some(Row::Order(facts.clone()))
    }

    /// The other judge: all clocks from scratch.
    fn clocks(&self, now: Moment) -> Vec<Clock> {
        let mut rows = Vec::new();
        for facts in self.orders.values() {
            if let (Some(policy), Some(calendar)) = (policy_for(facts, &self.policies), &self.calendar) {
                rows.extend(policy.targets.iter().map(|target| clock(facts, policy, target, calendar, now)));
            }
        }
        rows.sort_by_key(|row| (row.order, row.metric));
        rows
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn clocks_kept_current_equal_clocks_from_scratch(
        deeds in prop::collection::vec((any_deed(), 0i64..400), 1..40),
        workers in 1usize..=3,
    ) {
        let (mut domain, mut script, mut now) = (Domain::default(), Script::default(), ONSET);
        let mut expected = Vec::new();
        for (deed, minutes) in &deeds {
            now = now.plus(minutes * MINUTE);
            let events = domain.does(deed).map(|row| event(domain.version, now, row)).into_iter().collect();
            script.tick(now, events);
            expected.push(domain.clocks(now));
        }
        let played = script.play(workers, |control| sla(control, FORGET_AFTER_US, &Keeper::none()));
        let mut table = Table::default();
        let mut played = played.into_iter().peekable();
        for (index, expected) in expected.into_iter().enumerate() {
            while let Some((_, outcomes)) = played.next_if(|(tick, _)| *tick == index as u64 + 1) {
                outcomes.into_iter().for_each(|outcome| table.apply(outcome.clocks));
            }
            prop_assert_eq!(Table(table.0.clone()).sorted(), expected, "after tick {}", index + 1);
        }
    }
}
