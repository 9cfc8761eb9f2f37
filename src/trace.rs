//! What is known of a run, folded from its events.
//!
//! The same events give the same trace, in whatever batches they come and however the lanes are mixed,
//! as long as each lane tells its own in order. Everything is kept sorted with running sums, so that the
//! state as of any moment is a few binary searches: the cursor may stand anywhere at any time.
//! A trace may begin and end anywhere: a missing start or end is ordinary.

mod bits;
mod call;
mod caller;
mod calls;
mod counts;
mod cpu;
mod failures;
mod fold;
mod lane;
mod losses;
mod marker;
mod moment;
mod note;
mod numbers;
mod order;
mod outcome;
mod packed;
mod past;
mod pool;
mod received;
mod rows;
mod samples;
mod scope;
mod series;
mod shares;
mod stretches;
mod sums;
mod table;
mod tally;
mod task;
mod text;
mod walk;

pub use call::{Call, ErrorMet};
pub use caller::CallerTrace;
pub use counts::Counts;
pub use cpu::{CpuLane, CpuPiece};
pub use lane::{Lane, OtherSpan, Piece, Sums};
pub use losses::Loss;
pub use marker::{Marker, MarkerKind};
pub use note::TimedNote;
pub use numbers::{ENOUGH, MainProgram, Numbers};
pub use order::{Entry, Order, pairs};
pub use outcome::RunOutcome;
pub use packed::{List, Row as Packable};
pub use pool::Pool;
pub use received::Received;
pub use rows::Row;
pub use series::Member;
pub use shares::Shares;
pub use stretches::Held;
pub use sums::Mean;
pub use tally::Tally;
pub use task::{Chunk, Task};
pub use text::MOST_TEXT;
pub use walk::Walk;

use crate::event::{CallId, Ends, Indexes, LaneId, NoteKind, PoolId, RunBegan};
use crate::time::{Nanos, Time};
use calls::Calls;
use counts::Tallies;
use losses::Losses;
use marker::Markers;
use rows::Rows;
use samples::Samples;
use std::collections::BTreeSet;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    run: Option<RunBegan>,
    ended: Option<(Time, Ends)>,
    /// By number.
    pools: Vec<Pool>,
    lanes: Vec<Option<Box<Lane>>>,
    dispatcher: Option<LaneId>,
    /// With the moments at which they opened.
    processes: BTreeSet<(Time, LaneId)>,
    rows: Rows,
    /// By lane.
    callers: Vec<CallerTrace>,
    cpus: Vec<CpuLane>,
    calls: Calls,
    markers: Markers,
    /// By time.
    notes: Vec<TimedNote>,
    losses: Losses,
    samples: Samples,
    tallies: Tallies,
    end: Time,
    /// What was told last changes the sums of every call.
    all_changed: bool,
    /// Lanes that are over and of which something was told since the rows were settled.
    over_changed: Vec<LaneId>,
    loop_time: Option<Nanos>,
    shown: Option<CallId>,
}

impl Trace {
    pub fn run(&self) -> Option<&RunBegan> {
        self.run.as_ref()
    }

    /// When and how the run ended, if it did.
    pub fn ended(&self) -> Option<(Time, Ends)> {
        self.ended
    }

    /// The latest moment any event told of.
    pub fn end(&self) -> Time {
        self.end
    }

    /// By number, which is the order in which an origin heard of them.
    pub fn pools(&self) -> impl ExactSizeIterator<Item = &Pool> {
        self.pools.iter()
    }

    pub fn pool(&self, id: PoolId) -> Option<&Pool> {
        Some(&self.pools[self.place_of_pool(id).ok()?])
    }

    /// Which of them a pool is, counted from 1.
    pub fn pool_number(&self, id: PoolId) -> Option<usize> {
        self.place_of_pool(id).ok().map(|place| place + 1)
    }

    /// Its place, or where it would stand.
    fn place_of_pool(&self, id: PoolId) -> Result<usize, usize> {
        self.pools.binary_search_by_key(&id, |pool| pool.facts.pool)
    }

    pub fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().flatten().map(Box::as_ref)
    }

    /// The processes of a program whose use of the CPUs is told, in the order in which they came.
    pub fn processes(&self) -> impl Iterator<Item = &Lane> {
        self.processes.iter().filter_map(|&(_, id)| self.lane(id))
    }

    pub fn lane(&self, id: LaneId) -> Option<&Lane> {
        self.lanes.get(id.0 as usize).and_then(Option::as_deref)
    }

    /// The places of the workers of all pools, in the order in which they opened.
    pub fn rows(&self) -> &[Row] {
        self.rows.all()
    }

    /// Those of one pool; of none: of the workers whose pool is not known.
    pub fn rows_of(&self, pool: Option<PoolId>) -> impl ExactSizeIterator<Item = &Row> {
        self.rows.of(pool)
    }

    /// The place of a worker where those of a pool stand together, and pools in the order in which they opened.
    pub fn row_by_pool(&self, index: usize) -> Option<&Row> {
        self.rows.by_pool(index)
    }

    /// How many places there are before those of a pool.
    pub fn rows_before(&self, pool: Option<PoolId>) -> usize {
        self.rows.before(pool)
    }

    /// The dispatcher's lane, where dispatch costs something.
    pub fn dispatcher(&self) -> Option<&Lane> {
        self.lane(self.dispatcher?)
    }

    /// Who made the call that is shown; where that one told nothing of itself, the first caller.
    pub fn caller(&self) -> Option<&CallerTrace> {
        let shown = self.call().and_then(|call| self.caller_of(call.caller));
        shown.or(self.callers.first())
    }

    /// Every main program and thread that called a pool, by lane.
    pub fn callers(&self) -> &[CallerTrace] {
        &self.callers
    }

    /// The caller of this lane.
    pub fn caller_of(&self, lane: LaneId) -> Option<&CallerTrace> {
        let place = self
            .callers
            .binary_search_by_key(&lane, |caller| caller.lane);
        place.ok().map(|place| &self.callers[place])
    }

    /// The CPUs that tasks can be on, if they are few and known, and those that some task was on; by number.
    pub fn cpus(&self) -> &[CpuLane] {
        &self.cpus
    }

    /// The call that is shown: numbers, shares and outcome are those of this one.
    pub fn call(&self) -> Option<&Call> {
        let shown = self.shown.and_then(|id| self.calls.get(id));
        shown.or_else(|| self.calls.first())
    }

    /// Chooses the call that is shown; `None`, and one that is not known: the first. How a trace is
    /// looked at, and not folded from events, as what [`Trace::know_loop`] is told.
    pub fn show(&mut self, call: Option<CallId>) {
        self.shown = call;
    }

    /// In the order in which they began.
    pub fn calls(&self) -> impl ExactSizeIterator<Item = &Call> + DoubleEndedIterator {
        self.calls.iter()
    }

    /// The call that has so many before it.
    pub fn call_at(&self, place: usize) -> Option<&Call> {
        self.calls.at(place)
    }

    /// How many calls stand before this one.
    pub fn calls_before(&self, id: CallId) -> Option<usize> {
        self.calls.before(id)
    }

    pub fn call_by(&self, id: CallId) -> Option<&Call> {
        self.calls.get(id)
    }

    /// The latest call begun by `time` that has tasks; if none has, the latest begun.
    pub fn latest_call(&self, time: Time) -> Option<CallId> {
        let begun = self.calls.until(time).rev();
        let with_tasks = begun.clone().find(|call| call.has_tasks());
        with_tasks
            .or_else(|| begun.clone().next())
            .map(|call| call.facts.call)
    }

    /// The call whose tasks took the most time, all in all, with those that never ended; of several the latest.
    pub fn largest_call(&self) -> Option<CallId> {
        let time = |call: &&Call| call.took_until(self.end());
        self.calls
            .iter()
            .filter(|call| call.has_tasks())
            .max_by_key(time)
            .map(|call| call.facts.call)
    }

    /// By time.
    pub fn markers(&self) -> &[Marker] {
        self.markers.all()
    }

    /// Why a run of the lab could not be made, or could not go on, if that is how it ended.
    pub fn failure(&self) -> Option<&str> {
        // Markers and notes may be many: they are read only where there is something to be told.
        self.ended.filter(|&(_, ends)| ends == Ends::Error)?;
        let mut notes = self.markers().iter().rev();
        let why =
            notes.find(|marker| marker.kind == MarkerKind::Note && !self.is_by_the_way(marker));
        why.map(|marker| marker.text.as_str())
    }

    /// It marks a note that is no reason why a run could not be made.
    fn is_by_the_way(&self, marker: &Marker) -> bool {
        let here = |note: &&TimedNote| (note.at, note.lane) == (marker.at, marker.lane);
        let other = |note: &TimedNote| {
            let words = note.note.words();
            note.note.kind != NoteKind::NoProbe && words.as_deref() == Some(&marker.text)
        };
        self.notes.iter().filter(here).any(other)
    }

    /// What a plain loop of the same tasks was seen to take: from now on that is the serial time, in the
    /// place of an estimate. This and the call that is shown are all here that is not folded from events.
    pub fn know_loop(&mut self, time: Option<Nanos>) {
        self.loop_time = time;
    }

    /// Events that were not seen.
    pub fn dropped(&self) -> u64 {
        self.tallies.dropped.sum_until(Time::NEVER)
    }
}

impl Call {
    /// Neighbouring indexes as one word: `3`, `3-5`.
    pub fn words(tasks: Indexes) -> String {
        match tasks.len() {
            1 => tasks.first.to_string(),
            _ => format!("{}-{}", tasks.first, tasks.end.saturating_sub(1)),
        }
    }
}
