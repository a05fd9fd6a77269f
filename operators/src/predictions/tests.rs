use super::*;
use crate::{
    features::{HourStat, Hours, Place, features, kinds, members, score},
    real::Real,
    script::{Script, binding, event},
};
use dcmms_schemas::{
    command::Request,
    model::{FeatureOf, FeatureSpec},
    prediction::Prediction,
    time::HOUR,
};
use proptest::prelude::*;
use uuid::Uuid;

const SITES: [SiteId; 2] = [SiteId(Uuid::from_u128(1)), SiteId(Uuid::from_u128(2))];

/// Positions 1 to 4 at each site, with the points 1 to 4 and 5 to 8.
fn position(n: u32) -> Position {
    let site = SITES[(n as usize - 1) / 4];
    let (id, code) = (PositionId(Uuid::from_u128(100 + u128::from(n))), format!("B01/INV0{n}"));
    Position { id, site, parent: None, code, name: "inverter".into(), class: "inverter".into(), rated_kw: None }
}

fn point(n: u32) -> Point {
    Point {
        id: Uuid::from_u128(1_000 + u128::from(n)),
        number: PointNumber(n),
        key: format!("P{n}"),
        site: position(n).site,
        position: Some(position(n).id),
        kind: "inv.temp.cabinet".into(),
        unit: "Cel".into(),
        counter: false,
        resolution: 1e-6,
        horizon_ms: 1,
    }
}

fn model(version: i64) -> Model {
    let feature = |of| FeatureSpec { name: format!("inv.temp.cabinet.{of:?}"), kind: "inv.temp.cabinet".into(), of };
    Model {
        id: ModelId(Uuid::from_u128(9)),
        version,
        name: "fan".into(),
        class: "inverter".into(),
        features: vec![feature(FeatureOf::PeerDifference), feature(FeatureOf::DayDifference)],
        means: vec![0.0, 0.0],
        scales: vec![2.0, 2.0],
        coefficients: vec![1.5, 0.25],
        intercept: -4.0,
        threshold: 0.5,
        hours: 3,
        horizon_hours: 72,
        failure: "cooling fan".into(),
        valid_from: Moment::MIN,
    }
}

fn at(hour: i64) -> Moment {
    Moment(1_700_000_000_000_000).floor(HOUR).plus(hour * HOUR)
}

fn row(point: u32, hour: i64, mean: f64) -> WatchedRollup {
    let last_at = at(hour + 1).minus(MINUTE);
    let value = Real(mean);
    WatchedRollup {
        point: PointNumber(point),
        level: Level::Hour,
        start: at(hour),
        n: 60,
        n_uncertain: 0,
        n_bad: 0,
        min: value,
        max: value,
        mean: value,
        stddev: Real(0.0),
        first: value,
        first_at: at(hour),
        last: value,
        last_at,
    }
}

fn plant() -> Vec<Row> {
    let positions = (1..=8).map(|n| Row::Position(position(n)));
    positions.chain((1..=8).map(|n| Row::Point(point(n)))).chain([Row::Model(model(1))]).collect()
}

/// Adds up differences and refuses what was never there.
#[derive(Default)]
struct Table(Vec<Prediction>);

impl Table {
    fn apply(&mut self, changes: Vec<(Prediction, Diff)>) {
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

    fn sorted(mut self) -> Vec<Prediction> {
        self.0.sort_by_key(|row| (row.position, row.window, row.version));
        self.0
    }

    fn proposing(&self) -> Vec<(PositionId, Moment)> {
        self.0.iter().filter(|row| row.proposes).map(|row| (row.position, row.window)).collect()
    }
}

struct Play {
    predictor: Predictor,
    table: Table,
}

impl Play {
    fn new() -> Play {
        let mut play = Play { predictor: Predictor::new(0, 1, Settings::DEFAULT), table: Table::default() };
        play.tell(at(0), plant(), &[]);
        play
    }

    fn tell(&mut self, clock: Moment, events: Vec<Row>, rows: &[(WatchedRollup, Diff)]) -> Vec<Request> {
        let events = events.into_iter().map(|row| Arc::new(event(1, clock, row))).collect();
        let outcome = self.predictor.tell(&Told { events, binding: Some(Arc::new(binding(1, clock))), cut: None }, rows);
        self.table.apply(outcome.predictions);
        outcome.commands.into_iter().map(|command| command.request).collect()
    }

    /// One hour of four inverters, the first so much hotter.
    fn hour(&mut self, hour: i64, hotter: f64) -> Vec<Request> {
        let rows = [row(1, hour, 40.0 + hotter), row(2, hour, 40.0), row(3, hour, 40.5), row(4, hour, 39.5)].map(|row| (row, 1));
        self.tell(at(hour + 1), vec![], &rows)
    }
}

#[test]
fn a_run_of_hot_hours_proposes_once_and_says_why() {
    let mut play = Play::new();
    let mut commands = Vec::new();
    for hour in 0..8 {
        let hotter = if hour >= 2 { 11.0 } else { 0.0 };
        commands.push(play.hour(hour, hotter));
    }
    // Hour 4 is the third hot one; it is over once the next hour has readings past the grace.
    assert!(commands[..5].iter().all(Vec::is_empty) && commands[6..].iter().all(Vec::is_empty));
    let [Request::ProposeOrder { position: of, onset, because, title, prediction, .. }] = &commands[5][..] else {
        panic!("one order is proposed: {:?}", commands[5])
    };
    assert_eq!((*of, *onset), (position(1).id, at(2)));
    assert_eq!(play.table.proposing(), [(position(1).id, at(4))]);
    assert_eq!(*prediction, Prediction::id_of(model(1).id, 1, position(1).id, at(4)));
    assert!(title.starts_with("Cooling fan at B01/INV01: failure likely within 72 h (9"), "{title}");
    assert!(
        because.starts_with("cabinet temperature 10.8 K above its peers (+8.1), cabinet temperature 5.5 K above the day before (+0.7)"),
        "{because}"
    );
    assert_eq!(play.table.0.len(), 4 * 7, "the newest hour is not over");
}

#[test]
fn a_late_hour_that_disproves_the_run_withdraws_and_a_moved_proposal_does_not() {
    let mut play = Play::new();
    for hour in 0..8 {
        play.hour(hour, if hour >= 2 { 11.0 } else { 0.0 });
    }
    let replace = |hour, from: f64, to: f64| [(row(1, hour, 40.0 + from), -1), (row(1, hour, 40.0 + to), 1)];
    // The hour before was hot as well: the run is longer, its third hour an earlier one, and people know already.
    assert_eq!(play.tell(at(8), vec![], &replace(1, 0.0, 11.0)), []);
    assert_eq!(play.table.proposing(), [(position(1).id, at(3))]);
    // The fifth was not: hours 1 to 3 still qualify, but the order stood for the hour that is no longer among them.
    let commands = play.tell(at(8), vec![], &replace(4, 11.0, 0.0));
    assert!(
        matches!(&commands[..], [Request::WithdrawPrediction { .. }, Request::ProposeOrder { onset, .. }] if *onset == at(1)),
        "{commands:?}"
    );
    let commands = play.tell(at(8), vec![], &replace(2, 11.0, 0.0));
    assert!(matches!(&commands[..], [Request::WithdrawPrediction { .. }]), "{commands:?}");
    assert_eq!(play.table.proposing(), []);
}

#[test]
fn a_run_that_began_long_ago_reaches_nobody() {
    let mut play = Play::new();
    let rows: Vec<_> = (0..8)
        .flat_map(|hour| [(row(1, hour, 51.0), 1), (row(2, hour, 40.0), 1), (row(3, hour, 40.0), 1), (row(4, hour, 40.0), 1)])
        .collect();
    assert_eq!(play.tell(at(25), vec![], &rows), []);
    assert_eq!(play.table.proposing(), [(position(1).id, at(2))], "the row says so all the same");
    let mut play = Play::new();
    assert_eq!(play.tell(at(24), vec![], &rows).len(), 1);
}

#[test]
fn what_is_old_is_forgotten_and_a_run_that_lasts_does_not_propose_again() {
    let settings = Settings { keep_us: 10 * HOUR, ..Settings::DEFAULT };
    let mut play = Play::new();
    play.predictor = Predictor::new(0, 1, settings);
    play.tell(at(0), plant(), &[]);
    let commands: usize = (0..60).map(|hour| play.hour(hour, 11.0).len()).sum();
    assert_eq!(commands, 1);
    assert_eq!(play.table.proposing(), [(position(1).id, at(2))]);
    assert_eq!(play.table.0.len(), 4 * 59, "nothing is taken back because it is forgotten");
    let (hours, scores) = play.predictor.sites[&SITES[0]].held();
    assert!(hours <= 4 * 11 && scores <= 4 * 11, "{hours} hours and {scores} scores are held");
}

/// The other judge: all hours that are over, one by one, from the rows there are.
fn judge(rows: &[WatchedRollup], model: &Model) -> Vec<Prediction> {
    let mut all = Vec::new();
    for (index, site) in SITES.iter().enumerate() {
        let numbers = (1 + 4 * index as u32)..=(4 + 4 * index as u32);
        let rows: Vec<_> = rows.iter().filter(|row| numbers.contains(&row.point.0)).collect();
        let Some(reached) = rows.iter().map(|row| row.last_at).max() else { continue };
        let hours: Hours = rows
            .iter()
            .map(|row| ((row.point, row.start), HourStat { mean: row.mean.0, stddev: row.stddev.0, last_at: row.last_at }))
            .collect();
        assert_eq!(kinds(&model.features), ["inv.temp.cabinet"]);
        let places: Vec<_> = numbers.map(|n| Place { point: PointNumber(n), position: position(n).id, kind: 0 }).collect();
        let mut runs: BTreeMap<PositionId, (Moment, u32)> = BTreeMap::new();
        let starts: BTreeSet<Moment> = rows.iter().map(|row| row.start).filter(|start| start.plus(HOUR + 2 * MINUTE) <= reached).collect();
        for hour in starts {
            let members = members(&model.features, &places, &hours, hour);
            for (member, values) in members.iter().zip(features(&model.features, &members)) {
                let (probability, contributions) = score(model, &values).expect("a peer difference is always there");
                let run = runs.entry(member.position).or_insert((hour, 0));
                *run = if probability < model.threshold {
                    (hour, 0)
                } else if run.0 == hour {
                    (hour, run.1 + 1)
                } else {
                    (hour, 1)
                };
                run.0 = hour.plus(HOUR);
                all.push(Prediction {
                    id: Prediction::id_of(model.id, model.version, member.position, hour),
                    model: model.id,
                    version: model.version,
                    site: *site,
                    position: member.position,
                    window: hour,
                    probability,
                    threshold: model.threshold,
                    contributions,
                    proposes: run.1 == model.hours,
                });
            }
        }
    }
    Table(all).sorted()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn predictions_kept_current_equal_predictions_from_scratch(
        deeds in prop::collection::vec((1u32..=8, 0i64..12, proptest::option::weighted(0.9, 0u32..3)), 1..150),
        retrained in 0usize..150,
        workers in 1usize..=3,
    ) {
        let mut script = Script::default();
        let mut said: Vec<Vec<(WatchedRollup, Diff)>> = Vec::new();
        let mut there: BTreeMap<(u32, i64), WatchedRollup> = BTreeMap::new();
        let tell = |script: &mut Script, rows: Vec<Row>| script.tick(at(12), rows.into_iter().map(|row| event(1, at(0), row)).collect());
        tell(&mut script, plant());
        said.push(vec![]);
        let mut last = model(1);
        for (index, (point, hour, heat)) in deeds.into_iter().enumerate() {
            let mut rows = Vec::new();
            if let Some(before) = there.remove(&(point, hour)) {
                rows.push((before, -1));
            }
            if let Some(heat) = heat {
                let new = row(point, hour, 40.0 + 6.0 * f64::from(heat));
                rows.push((new, 1));
                there.insert((point, hour), new);
            }
            said.push(rows);
            if index == retrained {
                last = Model { version: 2, intercept: -3.0, ..model(1) };
                script.tick(at(12), vec![event(2, at(0), Row::Model(last.clone()))]);
            } else {
                tell(&mut script, vec![]);
            }
        }
        let mut table = Table::default();
        let outcomes = script.play_with(said, workers, |control, hours| predictions(hours, control, Settings::DEFAULT, &Keeper::none()));
        for (_, outcomes) in outcomes {
            outcomes.into_iter().for_each(|outcome| table.apply(outcome.predictions));
        }
        let rows: Vec<_> = there.into_values().collect();
        prop_assert_eq!(table.sorted(), judge(&rows, &last));
    }
}
