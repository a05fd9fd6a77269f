//! Bytes become readings: what can be read goes to the worker that owns the point, the rest is a reject with its
//! reason. Nothing vanishes, and nothing stops.

mod arrow;
mod decoder;
mod directory;
mod json;
mod kept;
mod number;
mod reading;
mod scan;

use crate::{Flow, chunk::Chunk, columns::Columns, control::Control, control::Told, keep::Keeper, seen::Seen};
use dcmms_schemas::{
    outcome::Outcome,
    time::{SECOND, Tick},
};
use decoder::Decoder;
use std::{collections::BTreeMap, sync::Arc};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        channels::pact::Pipeline,
        operators::{
            Capability,
            generic::{OutputBuilder, builder_rc::OperatorBuilder},
        },
    },
};

/// A point's key is at most this long.
pub const KEY_BYTES_MAX: usize = 512;

/// What the decoder may be told.
#[derive(Clone, Debug)]
pub struct DecodeOptions {
    /// How far ahead of the binding's clock a reading may be, in microseconds.
    pub future_max: i64,
    /// How many unknown names are told apart per worker and tick; the others are counted as [`Unknown::OTHERS`].
    ///
    /// [`Unknown::OTHERS`]: dcmms_schemas::outcome::Unknown::OTHERS
    pub unknown_max: usize,
    /// Where the greatest moment of each source is told to whoever mints watermarks.
    pub seen: Arc<Seen>,
}

impl DecodeOptions {
    /// A minute ahead, and 10,000 unknown names.
    pub fn new(seen: Arc<Seen>) -> DecodeOptions {
        DecodeOptions { future_max: 60 * SECOND, unknown_max: 10_000, seen }
    }
}

/// What becomes of messages.
#[derive(Clone, Debug)]
pub struct Decoded<'s> {
    /// For `points`; each batch names the worker that owns its points.
    pub columns: Flow<'s, Columns>,
    /// Rejects, unknown points, and the books' side of messages and rejected readings: at most one per worker and tick.
    pub outcome: Flow<'s, Outcome>,
}

/// What has come for a tick that is not complete yet, and the right to answer it.
struct Pending {
    told: Told,
    chunks: Vec<Chunk>,
    columns: Capability<Tick>,
    outcome: Capability<Tick>,
}

/// Decodes each worker's own chunks once all of a tick is there: first the tick's domain events are taken in, so a point
/// that is created at a tick is known to the readings of that tick; then the binding's clock says what lies in the
/// future. A reading is counted once, as rejected here or as something else by `points`. Holds the raw bytes of the
/// ticks in flight, and some 100 bytes per point of the plant.
///
/// # Panics
/// When chunks of a tick arrive without its binding.
pub fn decode<'s>(control: Flow<'s, Control>, raw: Flow<'s, Chunk>, options: DecodeOptions, keeper: &Keeper) -> Decoded<'s> {
    let scope = raw.scope();
    let mut builder = OperatorBuilder::new("Decode".to_owned(), scope);
    let mut control = builder.new_input(control, Pipeline);
    let mut raw = builder.new_input(raw, Pipeline);
    let (columns_output, columns_stream) = builder.new_output();
    let (outcome_output, outcome_stream) = builder.new_output();
    let mut columns_output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Columns>>>::from(columns_output);
    let mut outcome_output = OutputBuilder::<_, CapacityContainerBuilder<Vec<Outcome>>>::from(outcome_output);
    let keeper = keeper.clone();
    let mut decoder = keeper.enter(Decoder::new(options, scope.peers()));
    builder.build(move |_| {
        let mut pending: BTreeMap<Tick, Pending> = BTreeMap::new();
        move |frontiers| {
            control.for_each_time(|time, data| {
                let tick = pending.entry(*time.time()).or_insert_with(|| Pending::new(time.retain(0), time.retain(1)));
                data.flat_map(|batch| batch.drain(..)).for_each(|control| tick.told.push(control));
            });
            raw.for_each_time(|time, data| {
                let tick = pending.entry(*time.time()).or_insert_with(|| Pending::new(time.retain(0), time.retain(1)));
                tick.chunks.extend(data.flat_map(|batch| batch.drain(..)));
            });
            let (mut columns_output, mut outcome_output) = (columns_output.activate(), outcome_output.activate());
            while let Some(first) = pending.first_entry().filter(|tick| frontiers.iter().all(|frontier| !frontier.less_equal(tick.key()))) {
                let Pending { told, mut chunks, columns, outcome } = first.remove();
                decoder.told(&told.events);
                if !chunks.is_empty() {
                    let clock = told.binding.expect("every tick with readings has its binding").clock;
                    let mut sheet = decoder.chunks(&mut chunks, clock);
                    outcome_output.session(&outcome).give(sheet.outcome());
                    columns_output.session(&columns).give_container(&mut sheet.columns);
                }
                if let Some(cut) = told.cut {
                    keeper.save(&mut decoder, cut);
                }
            }
        }
    });
    Decoded { columns: columns_stream, outcome: outcome_stream }
}

impl Pending {
    fn new(columns: Capability<Tick>, outcome: Capability<Tick>) -> Pending {
        Pending { told: Told::default(), chunks: Vec::new(), columns, outcome }
    }
}
