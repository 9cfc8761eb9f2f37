//! One call of the caller: its tasks, its chunks, and the orders in which things happened to them.

use crate::event::{CallBegan, CpuId, Ends, Indexes, LaneId, Outcome};
use crate::time::{Nanos, Time};
use crate::trace::order::{Order, Tally};
use crate::trace::task::{Chunk, Task};
use std::collections::BTreeMap;

/// More tasks in one call than this are not believed: sizes from outside are bounded before memory is taken.
const MOST: u32 = 1 << 27;

/// Entries of an order between two kept sums.
const BLOCK: usize = 4_096;

/// A mean whose parts come from different lanes: sums over the first entries of an order, kept every
/// few thousand entries and thrown away from where a late fact changes them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Running {
    /// `sums[k]`: sum and count over the entries of block `k` and all before it.
    sums: Vec<(u64, u32)>,
}

impl Running {
    fn settle(&mut self, order: &Order, tasks: &[Task], value: fn(&Task) -> Option<Nanos>) {
        while let Some(block) = order
            .entries()
            .get(self.sums.len() * BLOCK..(self.sums.len() + 1) * BLOCK)
        {
            let before = self.sums.last().copied().unwrap_or_default();
            self.sums.push(add(
                before,
                block.iter().map(|entry| entry.index),
                tasks,
                value,
            ));
        }
    }

    fn forget_from(&mut self, place: usize) {
        self.sums.truncate(place / BLOCK);
    }

    fn until(
        &self,
        time: Time,
        order: &Order,
        tasks: &[Task],
        value: fn(&Task) -> Option<Nanos>,
    ) -> Mean {
        let entries = order.until(time);
        let block = (entries.len() / BLOCK).min(self.sums.len());
        let base = block.checked_sub(1).map_or((0, 0), |last| self.sums[last]);
        let rest = entries[block * BLOCK..].iter().map(|entry| entry.index);
        let (sum, count) = add(base, rest, tasks, value);
        Mean {
            sum: Nanos(sum),
            count,
        }
    }
}

fn add(
    base: (u64, u32),
    indexes: impl Iterator<Item = u32>,
    tasks: &[Task],
    value: fn(&Task) -> Option<Nanos>,
) -> (u64, u32) {
    indexes
        .filter_map(|index| value(&tasks[index as usize]))
        .fold(base, |(sum, count), value| (sum + value.0, count + 1))
}

/// A sum of lengths and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean {
    pub sum: Nanos,
    pub count: u32,
}

impl Mean {
    /// The mean; `None` of nothing.
    pub fn value(self) -> Option<Nanos> {
        (self.count > 0).then(|| Nanos(self.sum.0 / u64::from(self.count)))
    }
}

/// What the tasks of a call really needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) sum: Nanos,
    pub(super) longest: Nanos,
    /// The part of the sum that was spent on a CPU.
    pub(super) on_cpu: Nanos,
}

impl Needs {
    /// Of the tasks that were entered and ended; `None` of none, and if one of them was not accounted for.
    fn of(tasks: &[Task], measured: bool) -> Option<Self> {
        let mut needs: Option<Self> = None;
        for task in tasks {
            let Some(service) = task.service() else {
                continue;
            };
            if !task.is_accounted() {
                return None;
            }
            let need = if measured {
                service.saturating_sub(task.waiting)
            } else {
                task.on_cpu + task.useful_wait
            };
            let before = needs.unwrap_or(Self {
                sum: Nanos::ZERO,
                longest: Nanos::ZERO,
                on_cpu: Nanos::ZERO,
            });
            needs = Some(Self {
                sum: before.sum + need,
                longest: before.longest.max(need),
                on_cpu: before.on_cpu + task.on_cpu,
            });
        }
        needs
    }
}

/// See the module. Indexes of tasks and chunks count from 0 in the order of submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub facts: CallBegan,
    /// The lane that called.
    pub caller: LaneId,
    pub began: Time,
    pub ended: Option<(Time, Ends)>,
    tasks: Vec<Task>,
    chunks: Vec<Chunk>,
    errors: BTreeMap<u32, String>,
    /// The index of a task is its place in the order of submission, so a count tells which.
    pub submitted: Tally,
    /// Tasks whose function was entered.
    pub started: Order,
    /// Tasks that ended. Skipped and lost ones stand in it without counting.
    pub finished: Order,
    pub ready: Order,
    pub delivered: Order,
    /// Tasks that left the queue without a start: skipped, lost, or failed before they were entered.
    unstarted: Tally,
    /// Chunks sent.
    pub enqueued: Tally,
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
        let count = facts.tasks.unwrap_or(0).min(MOST);
        let mut call = Self {
            facts,
            caller,
            began,
            ended: None,
            tasks: Vec::new(),
            chunks: Vec::new(),
            errors: BTreeMap::new(),
            submitted: Tally::default(),
            started: Order::default(),
            finished: Order::default(),
            ready: Order::default(),
            delivered: Order::default(),
            unstarted: Tally::default(),
            enqueued: Tally::default(),
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
    pub(super) fn unseen(began: Time, caller: LaneId, call: crate::event::CallId) -> Self {
        let facts = CallBegan {
            call,
            pool: None,
            method: String::new(),
            function: String::new(),
            source: None,
            tasks: None,
            chunksize: None,
        };
        Self::new(facts, caller, began)
    }

    /// What `CallBegan` tells when other lanes were heard first.
    pub(super) fn began(&mut self, facts: CallBegan, caller: LaneId, at: Time) {
        let count = facts.tasks.unwrap_or(0).min(MOST);
        (self.facts, self.caller, self.began) = (facts, caller, at);
        self.grow(count);
    }

    fn grow(&mut self, count: u32) {
        if self.tasks.len() < count as usize {
            self.tasks.resize(count as usize, Task::default());
        }
        let Some(size) = self.facts.chunksize.filter(|&size| size > 0) else {
            return;
        };
        // Chunks that were told of before the call was get their tasks now.
        let chunks = (self.tasks.len() as u32).div_ceil(size) as usize;
        if self.chunks.len() < chunks {
            self.chunks.resize(chunks, Chunk::default());
        }
        let last = self.tasks.len() as u32;
        for (chunk, first) in self.chunks.iter_mut().zip((0..last).step_by(size as usize)) {
            chunk.tasks = Indexes::new(first, first.saturating_add(size).min(last));
        }
    }

    /// The task, making room for it; `None` for an index nobody believes.
    fn task_mut(&mut self, index: u32) -> Option<&mut Task> {
        if index >= MOST {
            return None;
        }
        if index as usize >= self.tasks.len() {
            self.tasks.resize(index as usize + 1, Task::default());
        }
        self.tasks.get_mut(index as usize)
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

    /// The chunk, making room for it; `None` for an index nobody believes.
    pub(super) fn chunk_mut(&mut self, chunk: u32) -> Option<&mut Chunk> {
        if chunk >= MOST {
            return None;
        }
        if chunk as usize >= self.chunks.len() {
            self.chunks.resize(chunk as usize + 1, Chunk::default());
        }
        self.chunks.get_mut(chunk as usize)
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

    pub(super) fn start(&mut self, index: u32, at: Time, lane: LaneId, cpu: Option<CpuId>) {
        let Some(task) = self.task_mut(index) else {
            return;
        };
        (task.started, task.lane, task.cpu_start) = (at, Some(lane), cpu);
        if let (Some(lost), None) = (task.lost.known(), task.finished.known()) {
            self.unstarted.take(lost, 1);
            self.queue_changed(lost);
        }
        let place = self.started.insert(at, lane, index, true);
        self.waits.forget_from(place);
        self.queue_changed(at);
    }

    pub(super) fn finish(
        &mut self,
        index: u32,
        at: Time,
        lane: LaneId,
        outcome: Outcome,
        cpu: Option<CpuId>,
    ) {
        let Some(task) = self.task_mut(index) else {
            return;
        };
        if task.finished.happened() {
            return;
        }
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
        self.needs_are_old = true;
        let ran = matches!(outcome, Outcome::Ok | Outcome::Failed);
        let place = self.finished.insert(at, lane, index, ran);
        self.services.forget_from(place);
        if ready.happened() {
            self.holds
                .forget_from(self.ready.count_until(ready - Nanos(1)));
        }
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

    pub(super) fn raise(&mut self, index: u32, error: String) {
        self.errors.insert(index, error);
    }

    pub(super) fn lose(&mut self, tasks: Indexes, at: Time) {
        for index in tasks.iter() {
            let Some(task) = self.task_mut(index) else {
                return;
            };
            (task.lost, task.outcome) = (at, Some(Outcome::Lost));
            if !task.started.happened() && !task.finished.happened() {
                self.unstarted.add(at, 1);
                self.queue_changed(at);
            }
            self.needs_are_old = true;
        }
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
