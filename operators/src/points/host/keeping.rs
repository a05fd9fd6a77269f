//! A worker's points in a checkpoint: written in slices at a cut, put back in their places and on their lists at a start.

use super::Host;
use crate::{
    keep::{Keep, Keeper, Pages, Restored},
    points::{
        kept::Known,
        plant::Touched,
        state::{Listed, State},
    },
};
use dcmms_schemas::{checkpoint::Cut, id::PointNumber, time::Moment};

impl Keep for Host {
    const NAME: &'static str = "points";

    fn save(&mut self, pages: &mut Pages) {
        let cut = pages.cut();
        self.begin(Pages::new(Self::NAME, cut));
        *pages = self.cuts.finish(&mut self.states).expect("a cut that has begun can be finished");
    }

    fn load(&mut self, restored: &Restored) {
        restored.domain.iter().for_each(|event| self.plant.apply(event, &mut Touched::default()));
        let clock = restored.binding.clock;
        [&mut self.latest, &mut self.minutes, &mut self.coarse].into_iter().for_each(|wheel| wheel.begin(clock));
        let (worker, peers) = (self.worker, self.peers);
        let mine = |number: &PointNumber| number.0 as usize % peers == worker;
        restored.entries(Self::NAME, mine, |number: PointNumber, records| {
            let timelines = self.plant.timelines(number);
            let point = self.plant.point(number).unwrap_or_else(|| panic!("point {number} was kept, so the domain tells of it"));
            let known = Known { zone: self.zones.index(self.plant.zone(point)), horizon: point.horizon(), timelines };
            let state = State::restore(number, known, records, &|rule, version| self.plant.judge(rule, version));
            self.place(state);
        });
    }
}

impl Host {
    /// Begins the cut of this tick, if it is one, and goes on with the one under way.
    pub(crate) fn cut(&mut self, cut: Option<Cut>, keeper: &Keeper) {
        if let Some(cut) = cut {
            self.cuts.finish(&mut self.states).into_iter().for_each(|pages| keeper.hand_in(pages));
            self.begin(Pages::new(Self::NAME, cut));
        }
        self.cuts.go_on(&mut self.states).into_iter().for_each(|pages| keeper.hand_in(pages));
    }

    fn begin(&mut self, pages: Pages) {
        let (worker, peers) = (self.worker as u32, self.peers as u32);
        self.cuts.begin(pages, &mut self.states, |index| index * peers + worker);
    }

    /// Puts a point that was kept in its place and on its lists.
    fn place(&mut self, state: State) {
        let (number, index) = (state.number.0, state.number.0 as usize / self.peers);
        let Listed { latest, minutes, coarse, .. } = state.listed;
        for (wheel, listed) in [(&mut self.latest, latest), (&mut self.minutes, minutes), (&mut self.coarse, coarse)] {
            if listed {
                wheel.list(number, index as u32);
            }
        }
        if state.deadline < Moment::MAX {
            self.deadlines.entry(state.deadline_source).or_default().entry(state.deadline).or_default().push(index as u32);
        }
        if self.states.len() <= index {
            self.states.resize_with(index + 1, || None);
        }
        self.states[index] = Some(Box::new(state));
    }
}
