//! What is known of a run, folded from its events.
//!
//! The same events give the same trace, in whatever batches they come and however the lanes are mixed,
//! as long as each lane tells its own in order. Everything is kept sorted with running sums, so that the
//! state as of any moment is a few binary searches: the cursor may stand anywhere at any time.
//! A trace may begin and end anywhere: a missing start or end is ordinary.

mod call;
mod caller;
mod cpu;
mod fold;
mod lane;
mod numbers;
mod order;
mod outcome;
mod shares;
mod task;

pub use call::{Call, Mean};
pub use caller::CallerTrace;
pub use cpu::{CpuLane, CpuPiece};
pub use lane::{Lane, OtherSpan, Piece, Sums};
pub use numbers::Numbers;
pub use order::{Entry, Order, Tally, pairs};
pub use outcome::RunOutcome;
pub use shares::Shares;
pub use task::{Chunk, Task};

use crate::event::{Ends, Indexes, LaneId, LaneKind, RunBegan, Sample};
use crate::time::{Nanos, Time};

/// The lanes of one place in a pool: a worker, and those that replaced it.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub name: String,
    pub lanes: Vec<LaneId>,
}

/// A point in time worth jumping to.
#[derive(Clone, Debug, PartialEq)]
pub struct Marker {
    pub at: Time,
    pub lane: LaneId,
    pub kind: MarkerKind,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkerKind {
    Call,
    Error,
    Death,
    Note,
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    run: Option<RunBegan>,
    ended: Option<(Time, Ends)>,
    lanes: Vec<Option<Lane>>,
    rows: Vec<Row>,
    callers: Vec<CallerTrace>,
    cpus: Vec<CpuLane>,
    calls: Vec<Call>,
    markers: Vec<Marker>,
    samples: Vec<(Time, LaneId, Sample)>,
    dropped: u64,
    end: Time,
    loop_time: Option<Nanos>,
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

    pub fn lanes(&self) -> impl Iterator<Item = &Lane> {
        self.lanes.iter().flatten()
    }

    pub fn lane(&self, id: LaneId) -> Option<&Lane> {
        self.lanes.get(id.0 as usize).and_then(Option::as_ref)
    }

    /// The places of the workers, in the order in which they opened.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Time that a row's workers spent in tasks up to `time`.
    pub fn row_busy(&self, row: &Row, time: Time) -> Nanos {
        row.lanes
            .iter()
            .filter_map(|&id| self.lane(id))
            .map(|lane| lane.busy_until(time))
            .sum()
    }

    /// The dispatcher's lane, where dispatch costs something.
    pub fn dispatcher(&self) -> Option<&Lane> {
        self.lanes()
            .find(|lane| lane.facts.kind == LaneKind::Dispatcher)
    }

    /// The main program.
    pub fn caller(&self) -> Option<&CallerTrace> {
        self.callers.first()
    }

    /// CPUs that some task is known to have been on, by number.
    pub fn cpus(&self) -> &[CpuLane] {
        &self.cpus
    }

    /// The call that is shown.
    pub fn call(&self) -> Option<&Call> {
        self.calls.first()
    }

    /// By time.
    pub fn markers(&self) -> &[Marker] {
        &self.markers
    }

    /// The last value of a quantity up to `time`.
    pub fn sample(&self, quantity: &str, time: Time) -> Option<f64> {
        let told = self
            .samples
            .iter()
            .filter(|(at, _, sample)| *at <= time && sample.quantity == quantity);
        told.max_by_key(|(at, lane, _)| (*at, *lane))
            .map(|(_, _, sample)| sample.value)
    }

    /// What a plain loop of the same tasks was seen to take: from now on that is the serial time, in the
    /// place of an estimate. The one thing here that is not folded from events.
    pub fn know_loop(&mut self, time: Option<Nanos>) {
        self.loop_time = time;
    }

    /// Events that were not seen.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The next moment after `time` at which something happened: a start, an end, a result, a change of the caller.
    pub fn moment_after(&self, time: Time) -> Option<Time> {
        let submitted = self
            .calls
            .iter()
            .filter_map(|call| call.submitted.moment_after(time));
        let orders = self.calls.iter().flat_map(Call::orders);
        let next = orders
            .filter_map(|order| order.entries().get(order.count_until(time)))
            .map(|entry| entry.at);
        let changes = self
            .callers
            .iter()
            .flat_map(CallerTrace::changes)
            .map(|(at, _)| at)
            .filter(|&at| at > time);
        let marked = self
            .markers
            .iter()
            .map(|marker| marker.at)
            .filter(|&at| at > time);
        let ended = self.ended.map(|(at, _)| at).filter(|&at| at > time);
        next.chain(submitted)
            .chain(changes)
            .chain(marked)
            .chain(ended)
            .min()
    }

    /// The last moment before `time` at which something happened.
    pub fn moment_before(&self, time: Time) -> Option<Time> {
        let just_before = Time(time.0.checked_sub(1)?);
        let submitted = self
            .calls
            .iter()
            .filter_map(|call| call.submitted.until(just_before).last())
            .map(|step| step.0);
        let orders = self.calls.iter().flat_map(Call::orders);
        let last = orders
            .filter_map(|order| order.until(just_before).last())
            .map(|entry| entry.at);
        let changes = self
            .callers
            .iter()
            .flat_map(CallerTrace::changes)
            .map(|(at, _)| at)
            .filter(|&at| at < time);
        let marked = self
            .markers
            .iter()
            .map(|marker| marker.at)
            .filter(|&at| at < time);
        last.chain(submitted).chain(changes).chain(marked).max()
    }
}

impl Call {
    fn orders(&self) -> [&Order; 4] {
        [&self.started, &self.finished, &self.ready, &self.delivered]
    }

    /// Neighbouring indexes as one word: `3`, `3-5`.
    pub fn words(tasks: Indexes) -> String {
        match tasks.len() {
            1 => tasks.first.to_string(),
            _ => format!("{}-{}", tasks.first, tasks.end.saturating_sub(1)),
        }
    }
}
