//! The states of an alarm as people see them: ISA-18.2 letters, out of three axes that move on their own.

use crate::order::kinds::names;
use serde::{Deserialize, Serialize};

names!(
    /// What the plant says.
    Condition { Inactive = "inactive", Active = "active", Latched = "latched" }
);
names!(
    /// Whether somebody has seen it.
    Acknowledgement { Unacked = "unacked", Acked = "acked" }
);
names!(
    /// Whether it is among those that call for attention.
    Visibility { Annunciated = "annunciated", Shelved = "shelved", Suppressed = "suppressed", OutOfService = "out_of_service" }
);
names!(
    /// The letters of ISA-18.2.
    Letter { A = "A", B = "B", C = "C", D = "D", E = "E", F = "F", G = "G", H = "H", I = "I" }
);

/// One line of the table. `None` stands for any.
#[derive(Clone, Copy, Debug)]
pub struct State {
    pub letter: Letter,
    pub name: &'static str,
    pub condition: Option<Condition>,
    pub acknowledgement: Option<Acknowledgement>,
    pub visibility: Visibility,
    /// Whether it is in the list that calls for attention.
    pub listed: bool,
}

const fn annunciated(letter: Letter, name: &'static str, condition: Condition, acknowledgement: Acknowledgement, listed: bool) -> State {
    State { letter, name, condition: Some(condition), acknowledgement: Some(acknowledgement), visibility: Visibility::Annunciated, listed }
}

const fn apart(letter: Letter, name: &'static str, visibility: Visibility) -> State {
    State { letter, name, condition: None, acknowledgement: None, visibility, listed: false }
}

/// The whole table. Every combination of the three axes is in exactly one line.
pub static STATES: [State; 9] = [
    annunciated(Letter::A, "normal", Condition::Inactive, Acknowledgement::Acked, false),
    annunciated(Letter::B, "unacknowledged", Condition::Active, Acknowledgement::Unacked, true),
    annunciated(Letter::C, "acknowledged", Condition::Active, Acknowledgement::Acked, true),
    annunciated(Letter::D, "returned, unacknowledged", Condition::Inactive, Acknowledgement::Unacked, true),
    annunciated(Letter::E, "latched, unacknowledged", Condition::Latched, Acknowledgement::Unacked, true),
    annunciated(Letter::F, "latched, acknowledged", Condition::Latched, Acknowledgement::Acked, true),
    apart(Letter::G, "shelved", Visibility::Shelved),
    apart(Letter::H, "suppressed by design", Visibility::Suppressed),
    apart(Letter::I, "out of service", Visibility::OutOfService),
];

impl State {
    fn covers(&self, condition: Condition, acknowledgement: Acknowledgement, visibility: Visibility) -> bool {
        self.visibility == visibility
            && self.condition.is_none_or(|own| own == condition)
            && self.acknowledgement.is_none_or(|own| own == acknowledgement)
    }

    /// The state of an alarm.
    pub fn of(condition: Condition, acknowledgement: Acknowledgement, visibility: Visibility) -> &'static State {
        STATES
            .iter()
            .find(|state| state.covers(condition, acknowledgement, visibility))
            .expect("every combination is in one line of the table, as the test shows")
    }

    /// Every combination of the axes that one of these letters covers, so that a query can look for them.
    pub fn combinations(letters: &[Letter]) -> Vec<(Condition, Acknowledgement, Visibility)> {
        let axes = Condition::ALL.iter().flat_map(|condition| {
            Acknowledgement::ALL.iter().flat_map(|ack| Visibility::ALL.iter().map(|visibility| (*condition, *ack, *visibility)))
        });
        axes.filter(|(condition, ack, visibility)| letters.contains(&State::of(*condition, *ack, *visibility).letter)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_is_in_exactly_one_line() {
        for condition in Condition::ALL {
            for ack in Acknowledgement::ALL {
                for visibility in Visibility::ALL {
                    let lines = STATES.iter().filter(|state| state.covers(*condition, *ack, *visibility)).count();
                    assert_eq!(lines, 1, "{condition} {ack} {visibility}");
                }
            }
        }
    }

    /// The table a second time, from the requirement.
    #[test]
    fn the_letters_are_those_of_the_standard() {
        use Acknowledgement::{Acked, Unacked};
        use Condition::{Active, Inactive, Latched};
        let seen = |condition, ack| State::of(condition, ack, Visibility::Annunciated).letter;
        assert_eq!([seen(Inactive, Acked), seen(Active, Unacked), seen(Active, Acked)], [Letter::A, Letter::B, Letter::C]);
        assert_eq!([seen(Inactive, Unacked), seen(Latched, Unacked), seen(Latched, Acked)], [Letter::D, Letter::E, Letter::F]);
        let apart = |visibility| State::of(Active, Unacked, visibility).letter;
        assert_eq!(
            [apart(Visibility::Shelved), apart(Visibility::Suppressed), apart(Visibility::OutOfService)],
            [Letter::G, Letter::H, Letter::I]
        );
    }

    #[test]
    fn the_combinations_of_all_letters_are_all_combinations() {
        let all = State::combinations(Letter::ALL);
        assert_eq!(all.len(), Condition::ALL.len() * Acknowledgement::ALL.len() * Visibility::ALL.len());
        assert_eq!(State::combinations(&[Letter::B]), [(Condition::Active, Acknowledgement::Unacked, Visibility::Annunciated)]);
    }
}
