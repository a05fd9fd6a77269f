//! What the engine asks of the domain. A command is written in the sink's transaction under an id that is a hash
//! of its cause, and carried out once by the domain service with all its guards.

use crate::{
    id::{AlarmId, CommandId, PointNumber, PositionId, PredictionId, RuleId, SiteId, derived_id},
    rule::OrderTemplate,
    time::Moment,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Raise an order for an alarm whose rule asks for one.
    RaiseOrder {
        alarm: AlarmId,
        rule: RuleId,
        rule_version: i64,
        point: PointNumber,
        site: SiteId,
        position: Option<PositionId>,
        onset: Moment,
        template: OrderTemplate,
    },
    /// Propose a predictive order.
    ProposeOrder {
        prediction: PredictionId,
        site: SiteId,
        position: PositionId,
        /// The start of the run of windows above the threshold.
        onset: Moment,
        probability: f64,
        /// What spoke for it, strongest first, as a sentence for the order's description.
        because: String,
        title: String,
    },
    /// The cause was disproved: an untouched order is cancelled with the reason, a touched one gets a notice.
    WithdrawAlarm {
        alarm: AlarmId,
        reason: String,
    },
    WithdrawPrediction {
        prediction: PredictionId,
        reason: String,
    },
    /// The alarm has a new onset and so a new id: what people did to it follows.
    MoveAlarm {
        from: AlarmId,
        to: AlarmId,
        onset: Moment,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    pub id: CommandId,
    /// The clock of the tick that caused it.
    pub at: Moment,
    pub request: Request,
}

impl Command {
    /// Gives the command its deterministic id.
    pub fn new(at: Moment, request: Request) -> Command {
        let id = CommandId(match &request {
            Request::RaiseOrder { alarm, .. } => derived_id("raise_order", &[alarm.0.as_bytes()]),
            Request::ProposeOrder { prediction, .. } => derived_id("propose_order", &[prediction.0.as_bytes()]),
            // The moment is part of it: an alarm can be withdrawn, proved again by later data, and withdrawn again.
            Request::WithdrawAlarm { alarm, .. } => derived_id("withdraw_alarm", &[alarm.0.as_bytes(), &at.0.to_be_bytes()]),
            Request::WithdrawPrediction { prediction, .. } => {
                derived_id("withdraw_prediction", &[prediction.0.as_bytes(), &at.0.to_be_bytes()])
            }
            Request::MoveAlarm { from, to, .. } => derived_id("move_alarm", &[from.0.as_bytes(), to.0.as_bytes(), &at.0.to_be_bytes()]),
        });
        Command { id, at, request }
    }
}
