//! What the domain is asked to do about what happened to alarms.

use dcmms_schemas::{
    alarm::{Alarm, AlarmEvent},
    command::{Command, Request},
    id::{PointNumber, PositionId, RuleId, SiteId},
    rule::OrderTemplate,
    time::Moment,
};

/// Where points are and what rules ask for, as far as the engine was told.
pub trait Places {
    fn place(&self, point: PointNumber) -> Option<(SiteId, Option<PositionId>)>;
    fn order(&self, rule: RuleId, version: i64) -> Option<&OrderTemplate>;
}

/// Turns events into commands: an order for each alarm whose rule version asks for one, and that people's doings follow
/// a moved alarm or that a disproved one is withdrawn.
///
/// An alarm that is first seen more than `action_age_max` microseconds after its onset (default 24 h, as in a replay of
/// old files) raises no order; `None` is for a job that says `--with-actions`. A move or withdrawal is always said: it
/// undoes what may have been asked for when the alarm was young, and nothing hangs on it otherwise.
pub fn commands(events: &[AlarmEvent], places: &impl Places, clock: Moment, action_age_max: Option<i64>) -> Vec<Command> {
    let requests = events.iter().filter_map(|event| match event {
        AlarmEvent::Raised(alarm) => raise(alarm, places, clock, action_age_max),
        AlarmEvent::Moved { from, to } => Some(Request::MoveAlarm { from: *from, to: to.id, onset: to.onset }),
        AlarmEvent::Retracted(alarm) => Some(Request::WithdrawAlarm { alarm: alarm.id, reason: withdrawn(alarm) }),
    });
    requests.map(|request| Command::new(clock, request)).collect()
}

fn raise(alarm: &Alarm, places: &impl Places, clock: Moment, action_age_max: Option<i64>) -> Option<Request> {
    if action_age_max.is_some_and(|age| clock.minus(age) > alarm.onset) {
        return None;
    }
    let template = places.order(alarm.rule, alarm.version)?.clone();
    let (site, position) = places.place(alarm.point)?;
    Some(Request::RaiseOrder {
        alarm: alarm.id,
        rule: alarm.rule,
        rule_version: alarm.version,
        point: alarm.point,
        site,
        position,
        onset: alarm.onset,
        template,
    })
}

fn withdrawn(alarm: &Alarm) -> String {
    format!("readings that arrived late, corrections or a changed rule show that the alarm of {} did not take place", alarm.onset)
}
