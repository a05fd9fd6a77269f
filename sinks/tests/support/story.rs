//! Made-up ticks that hang together: what is taken back was said before.

use chrono::NaiveDate;
use dcmms_schemas::{
    alarm::Alarm,
    books::Books,
    command::{Command, Request},
    compliance::Figure,
    id::{AlarmId, ModelId, OrderId, PointNumber, PolicyId, PositionId, RuleId, SiteId},
    outcome::{Anomaly, HistoryRow, Late, Latest, Outcome, Score, ScoreMinute, Unknown},
    prediction::{Contribution, Prediction},
    reading::{Quality, Reason, Reject},
    rollup::{Level, Rollup},
    rule::Severity,
    sla::{Clock, ClockState, Metric},
    time::{DAY, HOUR, MINUTE, Moment, SECOND, Tick},
};
use std::collections::BTreeMap;
use uuid::Uuid;

/// 2026-10-30T00:00:00Z: stories cross the end of a month.
pub const START: Moment = Moment(1_793_318_400_000_000);

/// What all workers say of one tick.
#[derive(Clone, Debug)]
pub struct Said {
    pub tick: Tick,
    pub clock: Moment,
    pub shares: Vec<Outcome>,
}

/// A small generator of numbers: the same for the same seed, for ever.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn value(&mut self) -> f64 {
        self.below(4000) as f64 / 4.0 - 500.0
    }
}

/// Rows that are true now, by key, so that the next tick can take them back.
#[derive(Default)]
struct True {
    anomalies: BTreeMap<(u32, i64), Anomaly>,
    alarms: BTreeMap<Uuid, Alarm>,
    predictions: BTreeMap<Uuid, Prediction>,
    clocks: BTreeMap<(Uuid, &'static str), Clock>,
    figures: BTreeMap<(Uuid, String), Figure>,
}

/// Changes a row, takes it back, or says it anew; sometimes with noise that cancels out.
fn change<K: Ord + Clone, T: Clone>(random: &mut Random, rows: &mut BTreeMap<K, T>, key: K, next: T) -> Vec<(T, i64)> {
    let mut diffs = Vec::new();
    if random.below(4) == 0 {
        diffs.extend([(next.clone(), 1), (next.clone(), -1)]);
    }
    if let Some(old) = rows.remove(&key) {
        diffs.push((old, -1));
        if random.below(3) == 0 {
            return diffs;
        }
    }
    rows.insert(key, next.clone());
    diffs.push((next, 1));
    diffs
}

/// `ticks` ticks of `workers` workers.
pub fn story(seed: u64, ticks: Tick, workers: usize) -> Vec<Said> {
    let mut random = Random::new(seed);
    let mut rows = True::default();
    let mut clock = START;
    let mut said = Vec::new();
    for tick in 1..=ticks {
        clock = clock.plus((random.below(20) as i64 + 1) * MINUTE);
        let mut shares = vec![Outcome::default(); workers];
        for point in 0..20u32 {
            // A point belongs to one worker.
            conflated(&mut random, &mut shares[point as usize % workers], PointNumber(point), clock);
        }
        for _ in 0..random.below(6) {
            let share = &mut shares[random.below(workers as u64) as usize];
            kept(&mut random, &mut rows, share, clock);
        }
        for share in &mut shares {
            counted(&mut random, share, tick, clock);
        }
        said.push(Said { tick, clock, shares });
    }
    said
}

fn conflated(random: &mut Random, share: &mut Outcome, point: PointNumber, clock: Moment) {
    let at = clock.minus(random.below(100) as i64 * SECOND);
    if random.below(2) == 0 {
        share.latest.push(Latest { point, at, value: random.value(), quality: Quality::from_code(random.below(3) as u8) });
        share.history.push(HistoryRow {
            point,
            at,
            value: random.value(),
            quality: Quality::Good,
            seq: (random.below(2) == 0).then(|| random.below(99)),
            correction: random.below(9) == 0,
            late: random.below(9) == 0,
        });
    }
    if random.below(4) == 0 {
        share.scores.push(Score { point, at, score: random.value(), value: random.value(), expected: random.value() });
        share.score_minutes.push(ScoreMinute { point, minute: at.floor(MINUTE), score: random.value() });
    }
    let level = Level::ALL[random.below(4) as usize];
    let width = [MINUTE, 15 * MINUTE, HOUR, DAY][level as usize];
    let n = random.below(3);
    share.rollups.push(Rollup {
        point,
        level,
        start: clock.minus(random.below(3) as i64 * 400 * MINUTE).floor(width),
        n,
        n_uncertain: random.below(2),
        n_bad: random.below(2),
        min: random.value(),
        max: random.value(),
        mean: random.value(),
        stddev: 0.5,
        first: random.value(),
        first_at: at,
        last: random.value(),
        last_at: at,
    });
}

fn id(kind: u64, number: u64) -> Uuid {
    Uuid::from_u64_pair(kind, number)
}

fn kept(random: &mut Random, rows: &mut True, share: &mut Outcome, clock: Moment) {
    let number = random.below(3);
    let point = PointNumber(number as u32);
    let anomaly = Anomaly { point, at: START.plus(number as i64), score: random.value(), value: random.value(), expected: 1.0 };
    let key = (point.0, anomaly.at.0);
    share.anomalies.extend(change(random, &mut rows.anomalies, key, anomaly));
    let alarm = Alarm {
        id: AlarmId(id(1, number)),
        rule: RuleId(id(2, 0)),
        version: 1,
        point,
        severity: Severity::High,
        onset: START,
        raised: clock,
        cleared: (random.below(2) == 0).then_some(clock),
        value: random.value(),
        peak: random.value(),
        limit: 5.0,
    };
    share.alarms.extend(change(random, &mut rows.alarms, alarm.id.0, alarm));
    let prediction = Prediction {
        id: id(3, number).into(),
        model: ModelId(id(4, 0)),
        version: 2,
        site: SiteId(id(5, 0)),
        position: PositionId(id(6, number)),
        window: START.floor(HOUR),
        probability: random.below(100) as f64 / 128.0,
        threshold: 0.5,
        contributions: vec![Contribution { feature: "temperature \"hot\"\u{0}".to_owned(), value: 1.5, contribution: 0.25 }],
        proposes: random.below(2) == 0,
    };
    share.predictions.extend(change(random, &mut rows.predictions, prediction.id.0, prediction));
    let row = Clock {
        order: OrderId(id(7, number)),
        metric: if random.below(2) == 0 { Metric::Respond } else { Metric::Resolve },
        policy: PolicyId(id(8, 0)),
        policy_version: 1,
        state: if random.below(2) == 0 { ClockState::Running } else { ClockState::Met },
        started: START,
        stopped: None,
        due: (random.below(2) == 0).then_some(clock),
        target_s: 3600,
        elapsed_s: random.below(9999) as i64,
        warned_percent: (random.below(2) == 0).then_some(75),
        explanation: serde_json::json!({"counted": [[1, 2]]}),
    };
    share.clocks.extend(change(random, &mut rows.clocks, (row.order.0, row.metric.name()), row));
    let figure = Figure {
        site: SiteId(id(5, number)),
        month: NaiveDate::from_ymd_opt(1999, 12, 1).unwrap(),
        metric: ["energy", "pr"][random.below(2) as usize].to_owned(),
        value: (random.below(2) == 0).then(|| random.value()),
        numerator: random.value(),
        denominator: 1.0,
        unit: "kWh".to_owned(),
        basis: "AC 8000 kW × 720 h".to_owned(),
        reason: (random.below(2) == 0).then(|| "nothing was measured".to_owned()),
        through: clock,
    };
    let key = (figure.site.0, figure.metric.clone());
    share.figures.extend(change(random, &mut rows.figures, key, figure));
}

fn counted(random: &mut Random, share: &mut Outcome, tick: Tick, clock: Moment) {
    for source in 0..2 {
        let accepted = random.below(50) as i64;
        let books = Books { messages: accepted, decoded: accepted, readings: accepted, accepted, ..Books::default() };
        share.books.push((source, books));
    }
    let (point, hour) = (PointNumber(random.below(5) as u32), clock.floor(HOUR));
    share.late.push(Late { point, hour, readings: 1 + random.below(3) as i64, first: hour.plus(random.below(99) as i64), last: clock });
    let key = format!("X{}", random.below(5));
    share.unknown.push(Unknown { key: key.clone(), readings: 2, first: clock.minus(random.below(999) as i64), last: clock });
    for offset in 0..random.below(3) as i64 {
        let reason = Reason::ALL[random.below(7) as usize];
        let bytes = if random.below(2) == 0 { b"{\"point\":1}".to_vec() } else { vec![0xff, 0, random.below(256) as u8] };
        let index = (random.below(2) == 0).then_some(3);
        let offset = tick as i64 * 10 + offset;
        let source = random.below(2) as u16;
        let (point, format) = (Some(key.clone()), Default::default());
        share.rejects.push(Reject { reason, detail: format!("tick {tick}\u{0}"), source, offset, index, point, format, bytes });
    }
    if random.below(3) == 0 {
        let request = Request::WithdrawAlarm { alarm: AlarmId(id(1, random.below(1000))), reason: "disproved".to_owned() };
        share.commands.push(Command::new(clock, request));
    }
}
