//! One call of the caller: its tasks, its chunks, and the orders in which things happened to them.

mod answers;
mod first;
mod met;
mod spoilt;
mod told;

use met::AllMet;
pub use met::ErrorMet;
use spoilt::Spoilt;

use super::failures::Failures;
use super::packed::Packed;
use super::series::Member;
use super::sums::{Account, Mean, Needs, Running, Stretch};
use super::task::{Chunk, Chunks, Of, Task, Tasks};
use super::text::cut;
use crate::event::{CallBegan, CallId, CallKind, CpuId, Ends, Indexes, LaneId, Outcome, Way};
use crate::time::{Nanos, Span, Time};
use crate::trace::order::Order;
use crate::trace::tally::Tally;
use std::collections::{BTreeMap, BTreeSet};

/// More tasks in one call than this are not kept: sizes from outside are bounded before memory is taken.
const MOST: u32 = 1 << 24;

const WAIT: Stretch = (Of::Submitted, Of::Started);
const SERVICE: Stretch = (Of::Started, Of::Finished);
const HOLD: Stretch = (Of::Finished, Of::Ready);

/// See the module. Indexes of tasks and chunks count from 0 in the order of submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Names are cut at [`MOST_TEXT`](super::MOST_TEXT). Of a series, `tasks` is the sum.
    pub facts: CallBegan,
    /// By the name of its method alone, see [`Trace::call_kind`](super::Trace::call_kind).
    pub(super) kind: CallKind,
    /// The lane that called.
    pub caller: LaneId,
    pub began: Time,
    /// The last end that was told, if one was; the members of a series may tell one each.
    pub ended: Option<(Time, Ends)>,
    /// The first end and the last, with their lanes.
    ends: Option<[(Time, LaneId); 2]>,
    /// Its begin was seen.
    told: bool,
    /// It has more tasks or chunks than are kept.
    pub(super) is_cut: bool,
    /// All but the first of a series, by their tasks.
    pub(super) again: Packed<Member>,
    /// Who made those.
    pub(super) again_by: BTreeSet<LaneId>,
    tasks: Tasks,
    chunks: Chunks,
    errors: BTreeMap<u32, String>,
    /// The index of a task is its place in the order of submission, so a count tells which.
    pub submitted: Tally,
    /// Tasks whose function was entered.
    pub started: Order,
    /// Tasks that ended. Skipped, cancelled and lost ones stand in it without counting.
    pub finished: Order,
    pub ready: Order,
    pub delivered: Order,
    met: AllMet,
    /// As many at the begin of `ready` have no result, whatever else is told.
    hopeless: usize,
    spoilt: Spoilt,
    /// Tasks that left the queue without a start: skipped, cancelled, lost, failed before they were entered, or
    /// given up with their executor.
    unstarted: Tally,
    /// Tasks that had ended when they were lost.
    undone: Tally,
    /// Tasks that became ready without having run: their chunk did.
    passed: Tally,
    /// Tasks that the program took back before they were started.
    pub cancelled: Tally,
    /// Tasks whose results were found to be lost.
    lost: Tally,
    /// How many tasks have a result, or an error in its place, and no end.
    ready_unended: u32,
    /// Tasks that raised.
    pub(super) failures: Failures,
    /// Chunks sent.
    pub enqueued: Tally,
    /// Those of them that were answered.
    answered: Tally,
    /// Bytes to the workers and back.
    carried: [Tally; 2],
    /// The longest queue right after each submission and all before it.
    longest_queues: Packed<u32>,
    account: Account,
    waits: Running,
    services: Running,
    holds: Running,
}

impl Call {
    pub(super) fn new(facts: CallBegan, caller: LaneId, began: Time) -> Self {
        let kind = CallKind::named(&facts.method);
        let facts = named_shortly(facts);
        let count = facts.tasks.unwrap_or(0);
        let mut call = Self {
            facts,
            kind,
            caller,
            began,
            ended: None,
            ends: None,
            told: true,
            is_cut: false,
            again: Packed::default(),
            again_by: BTreeSet::new(),
            tasks: Tasks::default(),
            chunks: Chunks::default(),
            errors: BTreeMap::new(),
            submitted: Tally::default(),
            started: Order::default(),
            finished: Order::default(),
            ready: Order::default(),
            delivered: Order::default(),
            met: AllMet::default(),
            hopeless: 0,
            spoilt: Spoilt::default(),
            unstarted: Tally::default(),
            undone: Tally::default(),
            passed: Tally::default(),
            cancelled: Tally::default(),
            lost: Tally::default(),
            ready_unended: 0,
            failures: Failures::default(),
            enqueued: Tally::default(),
            answered: Tally::default(),
            carried: <[Tally; 2]>::default(),
            longest_queues: Packed::default(),
            account: Account::default(),
            waits: Running::default(),
            services: Running::default(),
            holds: Running::default(),
        };
        call.grow(count);
        call
    }

    /// A call of which only what it did is known.
    pub(super) fn unseen(began: Time, caller: LaneId, call: CallId) -> Self {
        let facts = CallBegan {
            call,
            pool: None,
            method: String::new(),
            function: String::new(),
            source: None,
            tasks: None,
            chunksize: None,
        };
        Self {
            told: false,
            ..Self::new(facts, caller, began)
        }
    }

    /// False if all that is known of it is what it did.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// What `CallBegan` tells when other lanes were heard first.
    pub(super) fn began(&mut self, facts: CallBegan, caller: LaneId, at: Time) {
        let size = self.size();
        self.kind = CallKind::named(&facts.method);
        (self.facts, self.caller, self.began) = (named_shortly(facts), caller, at);
        self.told = true;
        if self.size() != size {
            self.recount_answers();
            self.spoil_anew();
            self.hopeless = 0;
        }
        let again = self.again.last().map(|member| member.tasks.end);
        match again {
            Some(end) => self.expect(end),
            None => self.grow(self.facts.tasks.unwrap_or(0)),
        }
    }

    /// There will be at least this many tasks.
    pub(super) fn expect(&mut self, tasks: u32) {
        if self.told {
            self.facts.tasks = self.facts.tasks.max(Some(tasks));
        }
        self.grow(tasks);
    }

    /// An end was told; true if it is the first of all, and `Some` moment at which another was taken for that.
    pub(super) fn end(
        &mut self,
        at: Time,
        lane: LaneId,
        ends: Ends,
    ) -> (bool, Option<(Time, LaneId)>) {
        let new = (at, lane);
        let Some([first, last]) = self.ends else {
            (self.ends, self.ended) = (Some([new, new]), Some((at, ends)));
            return (true, None);
        };
        if new >= last {
            self.ended = Some((at, ends));
        }
        self.ends = Some([first.min(new), last.max(new)]);
        (new < first, (new < first).then_some(first))
    }

    fn grow(&mut self, count: u32) {
        self.is_cut |= count > MOST;
        self.grow_tasks(count.min(MOST));
        if let Some(size) = self.size() {
            self.chunks.grow(self.tasks.len().div_ceil(size as usize));
        }
    }

    fn grow_tasks(&mut self, count: u32) {
        let before = self.tasks.len() as u32;
        let size = self.size().unwrap_or(1);
        if count > before && !before.is_multiple_of(size) {
            // Another task is the last of its chunk now, and how that ended is to be told.
            self.hopeless = 0;
        }
        self.tasks.grow(count as usize);
    }

    fn size(&self) -> Option<u32> {
        self.facts.chunksize.filter(|&size| size > 0)
    }

    /// The account of its tasks is to be made anew.
    pub(super) fn doubt(&mut self) {
        self.account.doubt();
    }

    /// Brings the kept sums up to date; after every batch.
    pub(super) fn settle(&mut self, measured: bool, ended: bool) {
        self.measure_queue();
        self.pass_hopeless();
        let complete = ended || self.ready.entries().len() == self.tasks.len();
        if complete {
            self.account.settle(&self.tasks, measured);
        } else {
            // It may have seemed complete before a series went on.
            self.account.forget();
        }
        self.waits.settle(&self.started, &self.tasks, WAIT);
        self.services.settle(&self.finished, &self.tasks, SERVICE);
        self.holds.settle(&self.ready, &self.tasks, HOLD);
    }

    fn measure_queue(&mut self) {
        let mut longest = self.longest_queues.last().unwrap_or(0);
        for place in self.longest_queues.len()..self.submitted.steps().len() {
            if let Some((at, _)) = self.submitted.steps().get(place) {
                longest = longest.max(self.waiting_at(at));
                self.longest_queues.push(longest);
            }
        }
    }

    /// What the tasks that ended needed, once no other will end; `None` also if that is not known of one.
    pub(super) fn needs(&self) -> Option<Needs> {
        self.account.needs()
    }

    /// By index.
    pub fn tasks(&self) -> impl ExactSizeIterator<Item = Task> + '_ {
        (0..self.tasks.len() as u32).map(|index| self.tasks.get(index))
    }

    pub fn has_tasks(&self) -> bool {
        self.tasks.len() > 0
    }

    pub fn task(&self, index: u32) -> Option<Task> {
        ((index as usize) < self.tasks.len()).then(|| self.tasks.get(index))
    }

    /// When a task started and when it ended.
    pub fn ran(&self, index: u32) -> (Time, Time) {
        let time = |field| self.tasks.time(field, index);
        (time(Of::Started), time(Of::Finished))
    }

    /// As [`Task::outcome_at`].
    pub fn outcome_at(&self, index: u32, time: Time) -> Option<Outcome> {
        self.tasks.outcome_at(index, time)
    }

    /// As [`Task::wait`], without reading the rest of its story.
    pub fn wait(&self, index: u32) -> Option<Nanos> {
        self.tasks.between(WAIT.0, WAIT.1, index)
    }

    /// As [`Task::service`].
    pub fn service(&self, index: u32) -> Option<Nanos> {
        self.tasks.between(SERVICE.0, SERVICE.1, index)
    }

    /// As [`Task::hold`].
    pub fn hold(&self, index: u32) -> Option<Nanos> {
        self.tasks.between(HOLD.0, HOLD.1, index)
    }

    /// Where and when a task ran that ended without an account of its stretches: the CPU it started on, and
    /// the one it ended on.
    pub(super) fn unaccounted(&self, index: u32) -> Option<(CpuId, Span, Option<CpuId>)> {
        let tasks = &self.tasks;
        let cpu = tasks.cpu(Of::CpuStart, index)?;
        let (start, end) = (
            tasks.time(Of::Started, index),
            tasks.time(Of::Finished, index),
        );
        let both = start.happened() && end.happened();
        // As far as it was told, an end is not before its start.
        let span = Span::new(start, end.max(start));
        (both && tasks.sum(Of::Known, index) == Nanos::ZERO)
            .then(|| (cpu, span, tasks.cpu(Of::CpuEnd, index)))
    }

    /// The last moment at which something of its tasks happened, or its begin.
    pub(super) fn last_told(&self) -> Time {
        let orders = [&self.started, &self.finished, &self.ready, &self.delivered];
        let tasks = orders.map(|order| order.entries().last().map(|entry| entry.at));
        let submitted = self.submitted.steps().last().map(|step| step.0);
        let met = self.errors_met_until(Time::NEVER).last().map(|met| met.at);
        let all = tasks.into_iter().chain([submitted, met]).flatten();
        all.fold(self.began, Time::max)
    }

    /// How many of its tasks were known to be lost at `time`.
    pub fn lost_until(&self, time: Time) -> usize {
        self.lost.sum_until(time) as usize
    }

    /// A task has a result, or an error in its place, and never ended.
    pub(super) fn has_ready_unended(&self) -> bool {
        self.ready_unended > 0
    }

    /// By index.
    pub fn chunks(&self) -> impl ExactSizeIterator<Item = Chunk> + '_ {
        let all = 0..self.chunks.len() as u32;
        all.map(|chunk| self.chunks.get(chunk, self.tasks_of(chunk)))
    }

    pub fn chunk(&self, chunk: u32) -> Option<Chunk> {
        let known = (chunk as usize) < self.chunks.len();
        known.then(|| self.chunks.get(chunk, self.tasks_of(chunk)))
    }

    /// The tasks of a chunk; none where its size is not known.
    fn tasks_of(&self, chunk: u32) -> Indexes {
        let last = self.tasks.len() as u32;
        self.size().map_or_else(Indexes::default, |size| {
            let first = chunk.saturating_mul(size).min(last);
            Indexes::new(first, first.saturating_add(size).min(last))
        })
    }

    /// The tasks of the chunk that begins with this one.
    pub(super) fn chunk_from(&self, first: u32) -> Indexes {
        let last = self.tasks.len() as u32;
        Indexes::new(
            first,
            first
                .saturating_add(self.size().unwrap_or(1))
                .min(last)
                .max(first),
        )
    }

    /// The chunk that holds a task.
    pub fn chunk_of(&self, index: u32) -> u32 {
        index / self.facts.chunksize.unwrap_or(1).max(1)
    }

    /// The error text of a task that failed.
    pub fn error(&self, index: u32) -> Option<&str> {
        self.errors.get(&index).map(String::as_str)
    }

    /// The tasks whose error texts are kept, by index.
    pub fn errors(&self) -> impl Iterator<Item = (u32, &str)> {
        let errors = self.errors.iter();
        errors.map(|(&index, error)| (index, error.as_str()))
    }

    /// The executor gave up, as of `time`: everything that was outstanding became ready at once, as an error.
    fn is_given_up(&self, time: Time) -> bool {
        let broken = matches!(self.ended, Some((_, Ends::BrokenProcessPool)));
        let last = self.ready.entries().last();
        broken && last.is_some_and(|last| last.at <= time)
    }

    /// Bytes of the messages that had been sent this way at `time`, as pickled; `None` while none was measured.
    pub fn bytes_until(&self, time: Time, way: Way) -> Option<u64> {
        let tally = &self.carried[way as usize];
        let some = !tally.until(time).is_empty();
        some.then(|| tally.sum_until(time))
    }

    /// Tasks submitted and neither started nor passed over, as of `time`.
    pub fn queue_at(&self, time: Time) -> u32 {
        if self.is_given_up(time) {
            return 0;
        }
        self.waiting_at(time)
    }

    fn waiting_at(&self, time: Time) -> u32 {
        let left = self.started.count_until(time) as u32 + self.unstarted.count_until(time);
        self.submitted.count_until(time).saturating_sub(left)
    }

    /// The longest the queue was up to `time`; it is longest right after a submission.
    pub fn longest_queue_until(&self, time: Time) -> u32 {
        let submissions = self.submitted.until(time).len();
        let last = submissions.checked_sub(1);
        last.and_then(|last| self.longest_queues.get(last))
            .unwrap_or(0)
    }

    /// Tasks that ended but whose results nobody can use yet, as of `time`: not those that are lost with their
    /// worker, which nobody ever can.
    pub fn held_at(&self, time: Time) -> u32 {
        let ready = self.ready.count_until(time) as u32;
        self.finished
            .counted_until(time)
            .saturating_sub(ready.saturating_sub(self.passed.count_until(time)))
            .saturating_sub(self.undone.count_until(time))
    }

    /// Mean time from submission to start of the tasks that had started.
    pub fn waits_until(&self, time: Time) -> Mean {
        self.waits.until(time, &self.started, &self.tasks, WAIT)
    }

    /// Mean service time of the tasks that had ended.
    pub fn services_until(&self, time: Time) -> Mean {
        self.services
            .until(time, &self.finished, &self.tasks, SERVICE)
    }

    /// How long all its tasks took until then, with those that had not ended. Reads every task.
    pub fn took_until(&self, time: Time) -> Nanos {
        let started = self.started.until(time);
        let took = started.iter().map(|entry| {
            let ended = self.tasks.time(Of::Finished, entry.index);
            let lost = self.tasks.time(Of::Lost, entry.index);
            ended.min(lost).min(time).since(entry.at)
        });
        took.sum()
    }

    /// Mean time that results were held back, of those that were ready.
    pub fn holds_until(&self, time: Time) -> Mean {
        self.holds.until(time, &self.ready, &self.tasks, HOLD)
    }

    /// Up to when tasks were still to be dispatched, as of `time`: `time` itself while some are.
    pub fn dispatching_until(&self, time: Time) -> Time {
        match self.enqueued.until(time).last() {
            Some((at, sent)) if sent as usize == self.chunks.len() => at,
            _ => time,
        }
    }
}

/// A name may be as long as the program likes.
fn named_shortly(mut facts: CallBegan) -> CallBegan {
    facts.method = cut(facts.method);
    facts.function = cut(facts.function);
    facts.source = facts.source.map(|(file, line)| (cut(file), line));
    facts
}
