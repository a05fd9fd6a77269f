//! Who speaks when: each point once per period at most, their turns spread evenly over it.

use dcmms_schemas::time::Moment;

/// Points that have something to say, by the phase in which their turn comes.
#[derive(Debug)]
pub(crate) struct Wheel {
    period: i64,
    phases: Vec<Vec<u32>>,
    last: Option<Moment>,
}

/// Turns per period.
const PHASES: usize = 64;

impl Wheel {
    /// A period of 0 gives everyone a turn at each tick.
    pub(crate) fn new(period: i64) -> Wheel {
        Wheel { period, phases: vec![Vec::new(); PHASES], last: None }
    }

    /// Lists a point under the phase of its number; the caller lists a point once until its turn has come.
    #[inline]
    pub(crate) fn list(&mut self, number: u32, index: u32) {
        self.phases[number as usize % PHASES].push(index);
    }

    /// Goes on as if turns had been asked for up to `clock`.
    pub(crate) fn begin(&mut self, clock: Moment) {
        self.last = Some(clock);
    }

    /// Everyone whose turn has come by `clock`. The first time, that is everyone.
    pub(crate) fn due(&mut self, clock: Moment) -> Vec<u32> {
        let last = self.last.replace(clock);
        let mut due = Vec::new();
        for (phase, listed) in self.phases.iter_mut().enumerate() {
            let comes = match last {
                Some(last) if self.period > 0 => {
                    let offset = self.period * phase as i64 / PHASES as i64;
                    clock.minus(offset).floor(self.period) > last.minus(offset).floor(self.period)
                }
                _ => true,
            };
            if comes {
                due.append(listed);
            }
        }
        due
    }
}
