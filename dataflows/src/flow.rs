//! The whole flow of a job, as one worker builds it.

use crate::worker::{Shared, domain_event};
use dcmms_operators::{
    chunk::Chunk,
    compliance::compliance,
    control::Control,
    decode::{DecodeOptions, decode},
    keep::{Keeper, keep_domain},
    plant_rows::plant_rows,
    points::{PointsOptions, points},
    predictions::{Settings, predictions},
    seal::seal,
    sla::sla,
};
use dcmms_schemas::{
    checkpoint::KeptPart,
    time::{DAY, MILLISECOND, Tick},
};
use std::sync::Arc;
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        InputHandle, ProbeHandle,
        operators::{Concatenate, Input, Probe, vec::Broadcast},
    },
    worker::Worker,
};

/// What the flow is, for the job's fingerprint: a start on tables that another flow wrote is refused. Its number grows when
/// what the same input leads to changes.
pub const FINGERPRINT: &str = "decode, points (samples, rollups, alarms, scores), predictions, compliance, sla; 2";

type Handle<D> = InputHandle<Tick, CapacityContainerBuilder<Vec<D>>>;

/// The ends of the flow that a worker holds.
pub(crate) struct Flow {
    /// Domain changes and bindings; what one worker sends, all get.
    pub(crate) control: Handle<Control>,
    /// Raw messages, decoded where they were read.
    pub(crate) raw: Handle<Chunk>,
    /// Behind the seal: what is past it has been handed to the outlet.
    pub(crate) probe: ProbeHandle<Tick>,
}

impl Flow {
    /// Moves both inputs on to `tick`.
    pub(crate) fn at(&mut self, tick: Tick) {
        self.control.advance_to(tick);
        self.raw.advance_to(tick);
    }

    /// Tells all workers what a chunk of the domain's topic says. Only our relay writes there, so what cannot be read
    /// is a fault of ours: it is said loudly and passed over, because stopping would stop the readings too.
    pub(crate) fn domain(&mut self, chunk: &Chunk) {
        for message in chunk.iter() {
            match domain_event(message.bytes) {
                Ok(event) => self.control.send(Control::Domain(Arc::new(event))),
                Err(error) => tracing::error!(offset = message.offset, %error, "a message on the domain topic cannot be read"),
            }
        }
    }

    /// Says that no more ticks will come; what is under way is finished.
    pub(crate) fn close(self) {
        self.control.close();
        self.raw.close();
    }
}

/// Orders that were resolved this long ago keep no clocks in memory.
const SLA_FORGET_AFTER: i64 = 400 * DAY;

/// Builds the flow on this worker. Every worker builds the same one.
pub(crate) fn build(worker: &mut Worker, shared: &Arc<Shared>) -> Flow {
    let keeper = keeper(worker, shared);
    let mut control = Handle::new();
    let mut raw = Handle::new();
    let probe = ProbeHandle::new();
    let place = (worker.index(), worker.peers());
    let outlet = Arc::clone(&shared.outlet);
    let after = shared.base.tick;
    worker.dataflow_named("job", |scope| {
        let told = scope.input_from(&mut control).container::<Vec<Control>>().broadcast();
        keep_domain(told.clone(), &keeper);
        let messages = scope.input_from(&mut raw).container::<Vec<Chunk>>();
        let options =
            DecodeOptions { future_max: shared.options.future_max_ms * MILLISECOND, ..DecodeOptions::new(Arc::clone(&shared.seen)) };
        let decoded = decode(told.clone(), messages, options, &keeper);
        let clocks = sla(told.clone(), SLA_FORGET_AFTER, &keeper);
        let options = PointsOptions {
            dedupe: shared.options.dedupe,
            action_age_max: shared.options.action_age_max_ms.map(|ms| ms * MILLISECOND),
            ..PointsOptions::default()
        };
        let settings = Settings { act_within_us: options.action_age_max.unwrap_or(i64::MAX), ..Settings::DEFAULT };
        let points = points(told.clone(), decoded.columns, options, &keeper);
        let figures = compliance(points.watched.clone(), plant_rows(told.clone(), &keeper), told.clone(), &keeper);
        let scored = predictions(points.watched, told.clone(), settings, &keeper);
        let outcomes = scope.concatenate([decoded.outcome, points.outcome, clocks, figures, scored]);
        seal(told, outcomes, place, after, move |part| outlet.part(part)).probe_with(&probe);
    });
    Flow { control, raw, probe }
}

/// The worker's desk: gives operators what they held, and hands their shares of a checkpoint to the outlet.
fn keeper(worker: &Worker, shared: &Arc<Shared>) -> Keeper {
    let (index, workers) = (worker.index(), worker.peers());
    let outlet = Arc::clone(&shared.outlet);
    Keeper::new(shared.base.restored.clone(), move |cut, blocks| outlet.kept(KeptPart { cut, worker: index, workers, blocks }))
}
