//! One call of the caller: its tasks, its chunks, and the orders in which things happened to them.

use super::series::Member;
use super::sums::{Mean, Needs, Running};
use super::text::cut;
use crate::event::{CallBegan, CallId, CpuId, Ends, Indexes, LaneId, Outcome, Way};
use crate::time::{Nanos, Time};
use crate::trace::order::{Order, Tally};
use crate::trace::task::{Chunk, Task};
use std::collections::BTreeMap;

/// More tasks in one call than this are not kept: sizes from outside are bounded before memory is taken.
const MOST: u32 = 1 << 24;

/// Errors that one call keeps the text of.
const MOST_ERRORS: usize = 10_000;

/// See the module. Indexes of tasks and chunks count from 0 in the order of submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Names are cut at [`MOST_TEXT`](super::MOST_TEXT). Of a series, `tasks` is the sum.
    pub facts: CallBegan,
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
    pub(super) again: Vec<Member>,
    tasks: Vec<Task>,
    chunks: Vec<Chunk>,
    errors: BTreeMap<u32, String>,
    /// The index of a task is its place in the order of submission, so a count tells which.
    pub submitted: Tally,
    /// Tasks whose function was entered.
    pub started: Order,
    /// Tasks that ended. Skipped, cancelled and lost ones stand in it without counting.
    pub finished: Order,
    pub ready: Order,
    pub delivered: Order,
    /// Tasks that left the queue without a start: skipped, cancelled, lost, or failed before they were entered.
    unstarted: Tally,
    /// Tasks that the program took back before they were started.
    pub cancelled: Tally,
    /// Chunks sent.
    pub enqueued: Tally,
    /// Bytes to the workers and back.
    carried: [Tally; 2],
    /// The longest queue right after each submission and all before it.
    longest_queues: Vec<u32>,
    needs: Option<Needs>,
    needs_are_old: bool,
    waits: Running,
    services: Running,
    holds: Running,
}

impl Call {
    pub(super) fn new(facts: CallBegan, caller: LaneId, began: Time) -> Self {
        let facts = named_shortly(facts);
        let count = facts.tasks.unwrap_or(0);
        let mut call = Self {
            facts,
            caller,
            began,
            ended: None,
            ends: None,
            told: true,
            is_cut: false,
            again: Vec::new(),
            tasks: Vec::new(),
            chunks: Vec::new(),
            errors: BTreeMap::new(),
            submitted: Tally::default(),
            started: Order::default(),
            finished: Order::default(),
            ready: Order::default(),
            delivered: Order::default(),
            unstarted: Tally::default(),
            cancelled: Tally::default(),
            enqueued: Tally::default(),
            carried: <[Tally; 2]>::default(),
            longest_queues: Vec::new(),
            needs: None,
            needs_are_old: false,
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
        (self.facts, self.caller, self.began) = (named_shortly(facts), caller, at);
        self.told = true;
        let again = self.again.last().map(|member| member.tasks.end);
        match again {
            Some(end) => self.expect(end),
            None => self.grow(self.facts.tasks.unwrap_or(0)),
        }
        // Chunks that were told of before the call was get their tasks now.
        self.divide(0);
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
        let (before, count) = (self.tasks.len(), count.min(MOST) as usize);
        if before < count {
            self.tasks.resize(count, Task::default());
        }
        if let Some(size) = self.size() {
            let chunks = self.tasks.len().div_ceil(size);
            if self.chunks.len() < chunks {
                self.chunks.resize(chunks, Chunk::default());
            }
        }
        self.divide(before);
    }

    fn size(&self) -> Option<usize> {
        let size = self.facts.chunksize.filter(|&size| size > 0);
        size.map(|size| size as usize)
    }

    /// Gives the chunks their tasks, from the one that has this task on.
    fn divide(&mut self, task: usize) {
        let Some(size) = self.size() else { return };
        let (first, last) = (task / size, self.tasks.len());
        let starts = (first * size..last).step_by(size);
        for (chunk, start) in self.chunks.iter_mut().skip(first).zip(starts) {
            chunk.tasks = Indexes::new(start as u32, (start + size).min(last) as u32);
        }
    }

    /// The task, making room for it; `None` for an index beyond what is kept.
    fn task_mut(&mut self, index: u32) -> Option<&mut Task> {
        if index >= MOST {
            self.is_cut = true;
            return None;
        }
        let before = self.tasks.len();
        if index as usize >= before {
            self.tasks.resize(index as usize + 1, Task::default());
            self.divide(before);
        }
        self.tasks.get_mut(index as usize)
    }

    /// The chunk, making room for it; `None` for an index beyond what is kept.
    pub(super) fn chunk_mut(&mut self, chunk: u32) -> Option<&mut Chunk> {
        if chunk >= MOST {
            self.is_cut = true;
            return None;
        }
        let before = self.chunks.len();
        if chunk as usize >= before {
            self.chunks.resize(chunk as usize + 1, Chunk::default());
            self.divide(before * self.size().unwrap_or(1));
        }
        self.chunks.get_mut(chunk as usize)
    }

    pub(super) fn submit(&mut self, tasks: Indexes, at: Time) {
        self.submitted.add(at, tasks.len());
        self.queue_changed(at);
        for index in tasks.iter() {
            let Some(task) = self.task_mut(index) else {
                return;
            };
            task.submitted = at;
            let started = task.started;
            if started.happened() {
                self.waits
                    .forget_from(self.started.count_until(started - Nanos(1)));
            }
        }
    }

    pub(super) fn enqueue(&mut self, chunks: Indexes, at: Time) {
        for chunk in chunks.iter() {
            let Some(chunk) = self.chunk_mut(chunk) else {
                return;
            };
            chunk.enqueued = at;
        }
        self.enqueued.add(at, chunks.len());
    }

    /// Returns when it had failed, if that was told before.
    pub(super) fn start(
        &mut self,
        index: u32,
        at: Time,
        lane: LaneId,
        cpu: Option<CpuId>,
    ) -> Option<Time> {
        let task = self.task_mut(index)?;
        let is_first = !task.started.happened();
        let failed = task.failed.then_some(task.finished).filter(|_| is_first);
        (task.started, task.lane, task.cpu_start) = (at, Some(lane), cpu);
        if let (Some(lost), None) = (task.lost.known(), task.finished.known()) {
            self.unstarted.take(lost, 1);
            self.queue_changed(lost);
        }
        let place = self.started.insert(at, lane, index, true);
        self.waits.forget_from(place);
        self.queue_changed(at);
        failed
    }

    /// Returns true if this tells that a task that was entered raised.
    pub(super) fn finish(
        &mut self,
        index: u32,
        at: Time,
        lane: LaneId,
        outcome: Outcome,
        cpu: Option<CpuId>,
    ) -> bool {
        let Some(task) = self.task_mut(index) else {
            return false;
        };
        if task.finished.happened() {
            return false;
        }
        task.failed = outcome == Outcome::Failed;
        (task.finished, task.lane, task.cpu_end) = (at, Some(lane), cpu);
        // A loss that was told by another lane stays.
        task.outcome = task.outcome.or(Some(outcome));
        let (started, ready, lost) = (task.started.happened(), task.ready, task.lost.known());
        if !started {
            self.unstarted.add(at, 1);
            self.queue_changed(at);
            if let Some(lost) = lost {
                self.unstarted.take(lost, 1);
                self.queue_changed(lost);
            }
        }
        if outcome == Outcome::Cancelled {
            self.cancelled.add(at, 1);
        }
        self.needs_are_old = true;
        let ran = matches!(outcome, Outcome::Ok | Outcome::Failed);
        let place = self.finished.insert(at, lane, index, ran);
        self.services.forget_from(place);
        if ready.happened() {
            self.holds
                .forget_from(self.ready.count_until(ready - Nanos(1)));
        }
        started && outcome == Outcome::Failed
    }

    pub(super) fn account(&mut self, ran: &crate::event::Ran, at: Time) {
        if let Some(task) = self.task_mut(ran.task.index) {
            task.on_cpu += ran.on_cpu;
            task.waiting += ran.waiting;
            task.useful_wait += ran.useful_wait;
            task.known += at.since(ran.since);
            self.needs_are_old = true;
        }
    }

    pub(super) fn copy_account(&mut self, index: u32, from: &Task) {
        if let Some(task) = self.task_mut(index) {
            (task.on_cpu, task.waiting) = (from.on_cpu, from.waiting);
            (task.useful_wait, task.known) = (from.useful_wait, from.known);
            self.needs_are_old = true;
        }
    }

    /// Keeps the error of a task, of the lowest indexes only if there are very many.
    pub(super) fn raise(&mut self, index: u32, error: String) {
        self.errors.insert(index, cut(error));
        if self.errors.len() > MOST_ERRORS {
            self.errors.pop_last();
        }
    }

    pub(super) fn carry(&mut self, chunk: u32, bytes: u32, way: Way, at: Time) {
        let Some(chunk) = self.chunk_mut(chunk) else {
            return;
        };
        let known = match way {
            Way::ToWorker => &mut chunk.bytes_there,
            Way::ToCaller => &mut chunk.bytes_back,
        };
        if known.replace(bytes).is_none() {
            self.carried[way as usize].add(at, bytes);
        }
    }

    /// Bytes of the messages that had been sent this way at `time`, as pickled; `None` while none was measured.
    pub fn bytes_until(&self, time: Time, way: Way) -> Option<u64> {
        let tally = &self.carried[way as usize];
        let some = !tally.until(time).is_empty();
        some.then(|| tally.sum_until(time))
    }

    /// Returns how many were not known to be lost before.
    pub(super) fn lose(&mut self, tasks: Indexes, at: Time) -> u32 {
        let mut lost = 0;
        for index in tasks.iter() {
            let Some(task) = self.task_mut(index) else {
                return lost;
            };
            if task.lost.happened() {
                continue;
            }
            lost += 1;
            (task.lost, task.outcome) = (at, Some(Outcome::Lost));
            if !task.started.happened() && !task.finished.happened() {
                self.unstarted.add(at, 1);
                self.queue_changed(at);
            }
            self.needs_are_old = true;
        }
        lost
    }

    pub(super) fn make_ready(&mut self, tasks: Indexes, at: Time, lane: LaneId) {
        for index in tasks.iter() {
            let Some(task) = self.task_mut(index) else {
                return;
            };
            task.ready = at;
            let place = self.ready.insert(at, lane, index, true);
            self.holds.forget_from(place);
        }
    }

    pub(super) fn deliver(&mut self, tasks: Indexes, at: Time, lane: LaneId) {
        for index in tasks.iter() {
            let Some(task) = self.task_mut(index) else {
                return;
            };
            task.delivered = at;
            self.delivered.insert(at, lane, index, true);
        }
    }

    /// The account of its tasks is to be made anew.
    pub(super) fn doubt(&mut self) {
        self.needs_are_old = true;
    }

    /// Brings the kept sums up to date; after every batch.
    pub(super) fn settle(&mut self, measured: bool, ended: bool) {
        self.measure_queue();
        let complete = ended || self.ready.entries().len() == self.tasks.len();
        if complete && self.needs_are_old {
            self.needs_are_old = false;
            self.needs = Needs::of(&self.tasks, measured);
        }
        self.waits.settle(&self.started, &self.tasks, Task::wait);
        self.services
            .settle(&self.finished, &self.tasks, Task::service);
        self.holds.settle(&self.ready, &self.tasks, Task::hold);
    }

    fn measure_queue(&mut self) {
        let submissions = self.submitted.until(Time::NEVER);
        let mut longest = self.longest_queues.last().copied().unwrap_or(0);
        let new: Vec<u32> = submissions[self.longest_queues.len()..]
            .iter()
            .map(|&(at, _)| {
                longest = longest.max(self.queue_at(at));
                longest
            })
            .collect();
        self.longest_queues.extend(new);
    }

    /// The queue was not what it seemed from `at` on.
    fn queue_changed(&mut self, at: Time) {
        let before = self.submitted.until(Time(at.0.saturating_sub(1))).len();
        self.longest_queues
            .truncate(if at == Time::ZERO { 0 } else { before });
    }

    /// What the tasks that ended needed, once no other will end; `None` also if that is not known of one.
    pub(super) fn needs(&self) -> Option<Needs> {
        self.needs
    }

    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    pub fn task(&self, index: u32) -> Option<&Task> {
        self.tasks.get(index as usize)
    }

    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The chunk that holds a task.
    pub fn chunk_of(&self, index: u32) -> u32 {
        index / self.facts.chunksize.unwrap_or(1).max(1)
    }

    /// The error text of a task that failed.
    pub fn error(&self, index: u32) -> Option<&str> {
        self.errors.get(&index).map(String::as_str)
    }

    /// Tasks submitted and neither started nor passed over, as of `time`.
    pub fn queue_at(&self, time: Time) -> u32 {
        let left = self.started.count_until(time) as u32 + self.unstarted.count_until(time);
        self.submitted.count_until(time).saturating_sub(left)
    }

    /// The longest the queue was up to `time`; it is longest right after a submission.
    pub fn longest_queue_until(&self, time: Time) -> u32 {
        let submissions = self.submitted.until(time).len();
        let last = submissions.checked_sub(1);
        last.and_then(|last| self.longest_queues.get(last))
            .copied()
            .unwrap_or(0)
    }

    /// Tasks that ended but whose results nobody can use yet, as of `time`.
    pub fn held_at(&self, time: Time) -> u32 {
        self.finished
            .counted_until(time)
            .saturating_sub(self.ready.count_until(time) as u32)
    }

    /// Mean time from submission to start of the tasks that had started.
    pub fn waits_until(&self, time: Time) -> Mean {
        self.waits
            .until(time, &self.started, &self.tasks, Task::wait)
    }

    /// Mean service time of the tasks that had ended.
    pub fn services_until(&self, time: Time) -> Mean {
        self.services
            .until(time, &self.finished, &self.tasks, Task::service)
    }

    /// Mean time that results were held back, of those that were ready.
    pub fn holds_until(&self, time: Time) -> Mean {
        self.holds.until(time, &self.ready, &self.tasks, Task::hold)
    }

    /// Up to when tasks were still to be dispatched, as of `time`: `time` itself while some are.
    pub fn dispatching_until(&self, time: Time) -> Time {
        match self.enqueued.until(time).last() {
            Some(&(at, sent)) if sent as usize == self.chunks.len() => at,
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
