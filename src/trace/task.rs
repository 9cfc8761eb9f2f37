//! What is known of one task and of one chunk.

use super::bits::NONE;
use super::table::Table;
use crate::event::{CpuId, Indexes, LaneId, Outcome};
use crate::time::{Nanos, Time};

/// The story of a task. A moment that has not come, or was not seen, is [`Time::NEVER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    pub submitted: Time,
    pub started: Time,
    pub finished: Time,
    pub ready: Time,
    pub delivered: Time,
    /// When its result was found to be lost.
    pub lost: Time,
    /// Sums over the stretches that were accounted for, `known` being their length.
    pub on_cpu: Nanos,
    pub waiting: Nanos,
    pub useful_wait: Nanos,
    pub known: Nanos,
    /// The worker that ran it.
    pub lane: Option<LaneId>,
    pub cpu_start: Option<CpuId>,
    pub cpu_end: Option<CpuId>,
    /// How it ended, if it did; `Lost` also for one that had ended before its worker died.
    pub outcome: Option<Outcome>,
    /// How its end told that it ended, whatever became of it.
    pub(super) told: Option<Outcome>,
}

impl Task {
    /// Between start and end, if it had both.
    pub fn service(&self) -> Option<Nanos> {
        (self.started.happened() && self.finished.happened())
            .then(|| self.finished.since(self.started))
    }

    /// Between submission and start.
    pub fn wait(&self) -> Option<Nanos> {
        (self.submitted.happened() && self.started.happened())
            .then(|| self.started.since(self.submitted))
    }

    /// Between its end and the moment when only the caller stood before its use.
    pub fn hold(&self) -> Option<Nanos> {
        let ended = self.finished.happened() && self.told.is_none_or(Outcome::is_end);
        (ended && self.ready.happened()).then(|| self.ready.since(self.finished))
    }

    /// All of its service time is accounted for.
    pub fn is_accounted(&self) -> bool {
        self.service().is_some_and(|service| self.known >= service)
    }

    /// Time inside the task that was neither on a CPU, nor waiting for one, nor an asked-for wait.
    pub fn blocked(&self) -> Nanos {
        self.known
            .saturating_sub(self.on_cpu)
            .saturating_sub(self.waiting)
            .saturating_sub(self.useful_wait)
    }

    /// How it had ended as of `time`; `None` while it had not.
    pub fn outcome_at(&self, time: Time) -> Option<Outcome> {
        outcome(self.told, (self.finished, self.lost), time)
    }
}

/// How a task had ended as of `time` whose end told this, and that finished and was lost at these moments.
fn outcome(told: Option<Outcome>, (finished, lost): (Time, Time), time: Time) -> Option<Outcome> {
    if lost.happened() && lost <= time {
        return Some(Outcome::Lost);
    }
    told.filter(|_| finished <= time)
}

/// Tasks that were sent as one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub tasks: Indexes,
    pub enqueued: Time,
    pub dequeued: Time,
    pub returned: Time,
    /// The size of its message as pickled, where that was measured; and that of its results.
    pub bytes_there: Option<u32>,
    pub bytes_back: Option<u32>,
}

/// A field of a task as a number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Submitted,
    Started,
    Finished,
    Ready,
    Delivered,
    Lost,
    OnCpu,
    Waiting,
    UsefulWait,
    Known,
    Lane,
    CpuStart,
    CpuEnd,
    /// How its end told that it ended, as in [`Outcome::ALL`].
    Told,
}

/// The tasks of a call, by index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tasks(Table<14>);

impl Tasks {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn grow(&mut self, len: usize) {
        self.0.grow(len);
    }

    pub(super) fn get(&self, index: u32) -> Task {
        Task {
            submitted: self.time(Of::Submitted, index),
            started: self.time(Of::Started, index),
            finished: self.time(Of::Finished, index),
            ready: self.time(Of::Ready, index),
            delivered: self.time(Of::Delivered, index),
            lost: self.time(Of::Lost, index),
            on_cpu: self.sum(Of::OnCpu, index),
            waiting: self.sum(Of::Waiting, index),
            useful_wait: self.sum(Of::UsefulWait, index),
            known: self.sum(Of::Known, index),
            lane: self.known(Of::Lane, index).map(|lane| LaneId(lane as u32)),
            cpu_start: self.cpu(Of::CpuStart, index),
            cpu_end: self.cpu(Of::CpuEnd, index),
            outcome: self.outcome_at(index, Time::NEVER),
            told: self.told(index),
        }
    }

    pub(super) fn time(&self, field: Of, index: u32) -> Time {
        Time(self.0.get(field as usize, index))
    }

    /// As [`Task::told`].
    pub(super) fn told(&self, index: u32) -> Option<Outcome> {
        let outcome = self.known(Of::Told, index)?;
        Outcome::ALL.get(outcome as usize).copied()
    }

    /// As [`Task::outcome_at`].
    pub(super) fn outcome_at(&self, index: u32, time: Time) -> Option<Outcome> {
        let moments = (self.time(Of::Finished, index), self.time(Of::Lost, index));
        outcome(self.told(index), moments, time)
    }

    pub(super) fn cpu(&self, field: Of, index: u32) -> Option<CpuId> {
        self.known(field, index).map(|cpu| CpuId(cpu as u16))
    }

    fn known(&self, field: Of, index: u32) -> Option<u64> {
        let number = self.0.get(field as usize, index);
        (number != NONE).then_some(number)
    }

    pub(super) fn sum(&self, field: Of, index: u32) -> Nanos {
        self.known(field, index).map_or(Nanos::ZERO, Nanos)
    }

    pub(super) fn set(&mut self, field: Of, index: u32, number: u64) {
        self.0.set(field as usize, index, number);
    }

    pub(super) fn set_cpu(&mut self, field: Of, index: u32, cpu: Option<CpuId>) {
        self.set(field, index, cpu.map_or(NONE, |cpu| u64::from(cpu.0)));
    }

    pub(super) fn set_told(&mut self, index: u32, outcome: Outcome) {
        self.set(Of::Told, index, outcome as u64);
    }

    pub(super) fn add(&mut self, field: Of, index: u32, length: Nanos) {
        if length > Nanos::ZERO {
            self.set(field, index, (self.sum(field, index) + length).0);
        }
    }

    /// The same of neighbours.
    pub(super) fn fill(&mut self, field: Of, tasks: Indexes, at: Time) {
        self.0.fill(field as usize, tasks, at.0);
    }

    /// Between two moments of a task, if it had both. Nothing is counted from the moment at which it was skipped.
    pub(super) fn between(&self, from: Of, to: Of, index: u32) -> Option<Nanos> {
        let is_end = || self.told(index).is_none_or(Outcome::is_end);
        if from == Of::Finished && !is_end() {
            return None;
        }
        let (from, to) = (self.time(from, index), self.time(to, index));
        (from.happened() && to.happened()).then(|| to.since(from))
    }
}

/// A field of a chunk as a number.
#[derive(Clone, Copy)]
pub(super) enum Sent {
    Enqueued,
    Dequeued,
    Returned,
    BytesThere,
    BytesBack,
}

/// The chunks of a call, by index; which tasks are in one follows from its size.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chunks(Table<5>);

impl Chunks {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn grow(&mut self, len: usize) {
        self.0.grow(len);
    }

    pub(super) fn get(&self, chunk: u32, tasks: Indexes) -> Chunk {
        let time = |field| self.time(field, chunk);
        let bytes = |field| self.bytes(field, chunk);
        Chunk {
            tasks,
            enqueued: time(Sent::Enqueued),
            dequeued: time(Sent::Dequeued),
            returned: time(Sent::Returned),
            bytes_there: bytes(Sent::BytesThere),
            bytes_back: bytes(Sent::BytesBack),
        }
    }

    pub(super) fn time(&self, field: Sent, chunk: u32) -> Time {
        Time(self.0.get(field as usize, chunk))
    }

    pub(super) fn bytes(&self, field: Sent, chunk: u32) -> Option<u32> {
        u32::try_from(self.0.get(field as usize, chunk)).ok()
    }

    pub(super) fn set(&mut self, field: Sent, chunk: u32, number: u64) {
        self.0.set(field as usize, chunk, number);
    }

    /// The same of neighbours.
    pub(super) fn fill(&mut self, field: Sent, chunks: Indexes, at: Time) {
        self.0.fill(field as usize, chunks, at.0);
    }

    /// The moments of a field that came, by chunk.
    pub(super) fn moments(&self, field: Sent) -> impl Iterator<Item = (u32, Time)> + '_ {
        let known = self.0.known(field as usize);
        known.map(|(chunk, at)| (chunk, Time(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_what_its_end_told_until_it_is_lost() {
        let mut tasks = Tasks::default();
        tasks.grow(Outcome::ALL.len());
        for (index, &told) in (0..).zip(&Outcome::ALL) {
            tasks.set(Of::Finished, index, 10);
            tasks.set_told(index, told);
            let at = |tasks: &Tasks, time| tasks.get(index).outcome_at(Time(time));
            assert_eq!(at(&tasks, 9), None);
            assert_eq!(at(&tasks, 30), Some(told));
            tasks.set(Of::Lost, index, 20);
            assert_eq!(at(&tasks, 9), None);
            assert_eq!(at(&tasks, 19), Some(told));
            assert_eq!(at(&tasks, 20), Some(Outcome::Lost));
            assert_eq!(tasks.get(index).outcome, Some(Outcome::Lost));
        }
        // One that never ended.
        tasks.grow(6);
        tasks.set(Of::Lost, 5, 20);
        let outcomes = [19, 20].map(|time| tasks.outcome_at(5, Time(time)));
        assert_eq!(outcomes, [None, Some(Outcome::Lost)]);
    }
}
