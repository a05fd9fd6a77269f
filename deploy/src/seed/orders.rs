//! A year of work: who mended what, and when. Every failure that the simulated past shows has its order and report.

use super::crew::{crew_of, demo_id};
use crate::simulate::{
    fault::{Fault, Kind, Schedule},
    layout::SitePlan,
    random::Random,
};
use chrono::{DateTime, TimeDelta, Utc};
use dcmms_api::demo::{Failure, HoldPlan, Labour, Move, Order};
use dcmms_schemas::time::{DAY, Moment};

/// What is ordered in an ordinary year: class, type, title, what to do, mode, mechanism.
const ORDINARY: [(&str, &str, &str, &str, Option<(&str, &str)>); 12] = [
    ("inverter", "corrective", "Cooling fan fails", "Replace the fan; clean the filter mat.", Some(("OHE", "PV-FAN"))),
    ("inverter", "corrective", "Inverter does not start", "Read the event log; replace the precharge relay.", Some(("FTS", "4"))),
    ("inverter", "preventive", "Yearly inverter service", "Filters, torque, thermography.", None),
    ("string", "corrective", "String without current", "Measure, replace the fuse.", Some(("NOO", "PV-FUSE"))),
    ("block", "cleaning", "Clean the modules", "Dry brush before sunrise.", None),
    ("block", "vegetation", "Cut the grass", "Below the lower edge of the modules.", None),
    ("met_station", "calibration", "Calibrate the pyranometer", "Compare with the reference; note as found and as left.", None),
    ("turbine", "preventive", "Half-yearly turbine service", "Grease, bolts, oil sample.", None),
    ("turbine", "corrective", "Pitch fault", "Replace the battery of blade 2.", Some(("FTF", "WT-PITCH"))),
    ("rack", "inspection", "Look at the rack", "Spread, temperature, connectors.", None),
    ("pump", "corrective", "Seal leaks", "Replace the mechanical seal.", Some(("ELU", "1"))),
    ("pump", "preventive", "Grease the pump", "Twenty grams at each bearing.", None),
];

const ORDINARY_ORDERS: usize = 205;

/// All orders of the year before `now`, ordinary ones and those of the simulated faults.
pub fn orders(sites: &[SitePlan], schedule: &Schedule, now: Moment) -> Vec<Order> {
    let mut random = Random::new(11, "orders");
    let mut orders: Vec<Order> = (0..ORDINARY_ORDERS).map(|nth| ordinary(nth, sites, now, &mut random)).collect();
    orders.extend(schedule.0.iter().filter_map(|fault| mended(fault, now, &mut random)));
    orders
}

fn ordinary(nth: usize, sites: &[SitePlan], now: Moment, random: &mut Random) -> Order {
    let (class, order_type, title, what, failure) = ORDINARY[nth % ORDINARY.len()];
    let places: Vec<(&str, &str)> = sites
        .iter()
        .flat_map(|site| {
            site.positions.iter().filter(|position| position.class == class).map(|position| (site.code, position.code.as_str()))
        })
        .collect();
    let (site, position) = places[random.below(places.len())];
    // Older ones are done, the last weeks' stand anywhere between draft and closed.
    let age_days = if nth < 150 { random.between(34.0, 364.0) } else { random.between(0.2, 20.0) };
    let created = now.minus((age_days * DAY as f64) as i64).utc();
    let status = match nth {
        0..150 if nth % 14 == 13 => "cancelled",
        0..150 => "closed",
        _ => [
            "draft",
            "submitted",
            "approved",
            "scheduled",
            "assigned",
            "in_progress",
            "on_hold",
            "completed",
            "verified",
            "closed",
            "cancelled",
        ][nth % 11],
    };
    let priority = ["low", "medium", "medium", "high", "medium", "low"][random.below(6)];
    let mut plan = Plan {
        id: format!("ordinary {nth}"),
        site,
        position,
        order_type,
        title,
        what,
        priority,
        status,
        created,
        failed: created,
        restored: None,
        failure,
    };
    if random.unit() < 0.06 && order_type == "corrective" {
        plan.priority = "emergency";
    }
    plan.order(now.utc(), random)
}

/// The order that mended a fault of the simulated past.
fn mended(fault: &Fault, now: Moment, random: &mut Random) -> Option<Order> {
    let restored = fault.until.filter(|until| *until < now)?;
    let (title, what, failure) = match fault.kind {
        Kind::Fan => ("Inverter trips: cooling fan failed", "Replace the fan; clean the filter mat.", ("OHE", "PV-FAN")),
        Kind::String => ("Strings without current", "Find and replace the fuses.", ("LOO", "PV-FUSE")),
        Kind::Gearbox => ("Gearbox oil hot", "Oil cooler flushed, filter replaced.", ("OHE", "WT-GEAR")),
        Kind::Bearing => ("Pump vibrates", "Bearing replaced and aligned.", ("VIB", "1")),
        Kind::Soiling => ("Modules are dusty", "Clean the block before sunrise.", ("LOO", "PV-SOIL")),
        _ => return None,
    };
    let (site, position) = fault.target.split_once('/')?;
    // Found some hours before the machine gave up, or when it did.
    let created = fault.full.utc() + TimeDelta::minutes(20 + random.below(40) as i64);
    let plan = Plan {
        id: format!("{} {}", fault.kind.name(), fault.target),
        site,
        position,
        order_type: "corrective",
        title,
        what,
        priority: "high",
        status: "closed",
        created,
        failed: fault.full.utc(),
        restored: Some(restored.utc()),
        failure: Some(failure),
    };
    Some(plan.order(now.utc(), random))
}

/// What an order is about, before its life is told.
struct Plan<'a> {
    id: String,
    site: &'a str,
    position: &'a str,
    order_type: &'a str,
    title: &'a str,
    what: &'a str,
    priority: &'a str,
    status: &'a str,
    created: DateTime<Utc>,
    failed: DateTime<Utc>,
    restored: Option<DateTime<Utc>>,
    failure: Option<(&'a str, &'a str)>,
}

/// The usual way of an order, from its creation.
const WAY: [(&str, &str); 9] = [
    ("create", "draft"),
    ("submit", "submitted"),
    ("approve", "approved"),
    ("schedule", "scheduled"),
    ("assign", "assigned"),
    ("start", "in_progress"),
    ("complete", "completed"),
    ("verify", "verified"),
    ("close", "closed"),
];

impl Plan<'_> {
    /// The moves that lead to the status, with their times: everything happens between creation and now.
    fn moves(&self, now: DateTime<Utc>, random: &mut Random) -> Vec<Move> {
        let mut way: Vec<(&str, &str)> = match self.status {
            "on_hold" => WAY[..6].iter().copied().chain([("hold", "on_hold")]).collect(),
            "cancelled" => WAY[..3].iter().copied().chain([("cancel", "cancelled")]).collect(),
            status => {
                let last = WAY.iter().position(|(_, to)| *to == status).expect("a status of the usual way");
                WAY[..=last].to_vec()
            }
        };
        let life = (now - self.created).max(TimeDelta::minutes(30));
        let work =
            self.restored.map_or_else(|| life.min(TimeDelta::hours(20 + random.below(70) as i64)), |restored| restored - self.created);
        // By the share of the work's duration at which each step was taken.
        let shares = [0.0, 0.04, 0.10, 0.16, 0.22, 0.45, 0.98, 1.6, 1.9];
        let mut from: Option<String> = None;
        let mut moves = Vec::new();
        for (nth, (event, to)) in way.drain(..).enumerate() {
            let share = if event == "hold" { 0.7 } else { shares[nth] };
            let at = (self.created + TimeDelta::seconds((work.num_seconds() as f64 * share) as i64)).min(now);
            let by =
                ["planner", "planner", "supervisor", "planner", "planner", "technician", "technician", "supervisor", "supervisor"][nth];
            let reason = match event {
                "cancel" => Some("Not needed any more".to_owned()),
                "hold" => Some("parts".to_owned()),
                _ => None,
            };
            moves.push(Move { event: event.into(), from_status: from.take(), to_status: to.into(), by_name: by.into(), reason, at });
            from = Some(to.into());
        }
        moves
    }

    fn order(self, now: DateTime<Utc>, random: &mut Random) -> Order {
        let moves = self.moves(now, random);
        let when = |event: &str| moves.iter().find(|step| step.event == event).map(|step| step.at);
        let crew = crew_of(self.site);
        let (technician, person) = crew[random.below(crew.len())];
        let started = when("start");
        let completed = when("complete");
        let resolved = self.restored.filter(|_| completed.is_some()).or(completed);
        let planned = when("schedule").map(|at| at + TimeDelta::hours(3));
        let labour = started.map(|from_at| Labour {
            technician_id: technician,
            person: person.into(),
            activity: "work".into(),
            from_at,
            to_at: completed.or(when("hold")).unwrap_or(now).max(from_at + TimeDelta::minutes(1)),
        });
        let failure = self.failure.filter(|_| completed.is_some()).map(|(mode, mechanism)| Failure {
            mode: mode.into(),
            mechanism: mechanism.into(),
            cause: "3".into(),
            detection: "condition monitoring".into(),
            note: self.what.into(),
            failed_at: self.failed,
            detected_at: self.created,
            restored_at: resolved,
            reported_by: person.into(),
        });
        Order {
            id: demo_id("order", &self.id),
            site: self.site.into(),
            position: Some(self.position.into()),
            order_type: self.order_type.into(),
            title: self.title.into(),
            description: self.what.into(),
            priority: self.priority.into(),
            status: self.status.into(),
            onset: self.failed,
            created_at: self.created,
            estimate_cost: (random.between(80.0, 2_400.0) / 10.0).round() * 10.0,
            planned_from: planned,
            planned_to: planned.map(|from| from + TimeDelta::hours(4)),
            due_at: Some(self.created + TimeDelta::days(7)),
            assignee_id: when("assign").map(|_| technician),
            started_at: started,
            resolved_at: resolved,
            completion_note: completed.map(|_| format!("Done: {}", self.what)),
            hold: when("hold").map(|from_at| HoldPlan { from_at, to_at: None, reason: "parts".into() }),
            labour: labour.into_iter().collect(),
            failure,
            moves,
        }
    }
}
