//! What is told of the tasks and chunks of a call. Of several times that one thing is told the first counts.

use super::first::is_spoiling;
use super::{Call, MOST};
use crate::event::{CpuId, Indexes, LaneId, Outcome, Ran, Way};
use crate::time::{Nanos, Time};
use crate::trace::lane::Change;
use crate::trace::task::{Of, Sent, Task};
use crate::trace::text::cut;

/// Errors that one call keeps the text of.
const MOST_ERRORS: usize = 10_000;

impl Call {
    /// Those that are kept, with room made for them.
    fn kept(&mut self, tasks: Indexes) -> Indexes {
        self.is_cut |= tasks.end > MOST;
        let kept = Indexes::new(tasks.first.min(MOST), tasks.end.min(MOST));
        if !kept.is_empty() {
            self.grow_tasks(kept.end);
        }
        kept
    }

    /// False for a task beyond what is kept.
    fn keep(&mut self, index: u32) -> bool {
        !self
            .kept(Indexes::new(index, index.saturating_add(1)))
            .is_empty()
    }

    /// As [`Self::kept`], of chunks.
    fn kept_chunks(&mut self, chunks: Indexes) -> Indexes {
        self.is_cut |= chunks.end > MOST;
        let kept = Indexes::new(chunks.first.min(MOST), chunks.end.min(MOST));
        if !kept.is_empty() {
            self.chunks.grow(kept.end as usize);
        }
        kept
    }

    pub(in crate::trace) fn set_chunk(&mut self, field: Sent, chunk: u32, number: u64) {
        self.kept_chunks(Indexes::new(chunk, chunk.saturating_add(1)));
        self.chunks.set(field, chunk, number);
    }

    /// Of several times that something of a task or a chunk is told the first counts, here as elsewhere.
    pub(in crate::trace) fn submit(&mut self, tasks: Indexes, at: Time) {
        let mut kept = self.kept(tasks);
        self.submitted.add(at, tasks.len() - kept.len());
        while let Some(new) = next_of(&mut kept, |index| !self.has(Of::Submitted, index)) {
            self.submitted.add(at, new.len());
            self.tasks.fill(Of::Submitted, new, at);
            if self.started.entries().is_empty() {
                continue;
            }
            for index in new.iter() {
                if let Some(started) = self.tasks.time(Of::Started, index).known() {
                    self.waits.forget_from(self.started.count_before(started));
                }
            }
        }
        self.queue_changed(at);
    }

    /// Returns how many were not told before.
    pub(in crate::trace) fn enqueue(&mut self, chunks: Indexes, at: Time) -> u32 {
        let mut kept = self.kept_chunks(chunks);
        let mut count = chunks.len() - kept.len();
        let was_sent = |call: &Self, chunk| call.chunks.time(Sent::Enqueued, chunk).happened();
        while let Some(new) = next_of(&mut kept, |chunk| !was_sent(self, chunk)) {
            count += new.len();
            self.chunks.fill(Sent::Enqueued, new, at);
            for chunk in new.iter() {
                self.answer_changed(chunk, None);
            }
        }
        self.enqueued.add(at, count);
        count
    }

    fn has(&self, moment: Of, index: u32) -> bool {
        self.tasks.time(moment, index).happened()
    }

    /// Returns false if a start was told before.
    pub(in crate::trace) fn start(
        &mut self,
        index: u32,
        at: Time,
        lane: LaneId,
        cpu: Option<CpuId>,
    ) -> bool {
        if !self.keep(index) {
            return true;
        }
        if self.has(Of::Started, index) {
            return false;
        }
        let tasks = &mut self.tasks;
        let finished = tasks.time(Of::Finished, index);
        tasks.set(Of::Started, index, at.0);
        tasks.set(Of::Lane, index, lane.0.into());
        tasks.set_cpu(Of::CpuStart, index, cpu);
        // As one without a start it had left the queue at its end, or when it was given up.
        if let Some(left) = finished.known().or_else(|| self.given_up(index)) {
            self.unstarted.take(left, 1);
            self.queue_changed(left);
        }
        if finished.happened() {
            self.account.changed(index);
        }
        let place = self.started.insert(at, None, index, true);
        self.waits.forget_from(place);
        self.queue_changed(at);
        true
    }

    /// When a task failed, if its end told that.
    pub(in crate::trace) fn failed_at(&self, index: u32) -> Option<Time> {
        let failed = self.tasks.told(index) == Some(Outcome::Failed);
        failed.then(|| self.tasks.time(Of::Finished, index))
    }

    /// Returns whether this tells that a task that was entered raised; `None` if an end was told before.
    pub(in crate::trace) fn finish(
        &mut self,
        index: u32,
        at: Time,
        lane: LaneId,
        outcome: Outcome,
        cpu: Option<CpuId>,
    ) -> Option<bool> {
        if !self.keep(index) || self.has(Of::Finished, index) {
            return None;
        }
        let chunk = self.chunk_of(index);
        let is_cancelled = outcome == Outcome::Cancelled;
        let answered = is_cancelled.then(|| self.answered_at(chunk)).flatten();
        let tasks = &mut self.tasks;
        tasks.set(Of::Finished, index, at.0);
        tasks.set(Of::Lane, index, lane.0.into());
        tasks.set_cpu(Of::CpuEnd, index, cpu);
        tasks.set_told(index, outcome);
        if outcome == Outcome::Failed {
            self.failures.add(at, index);
        }
        let started = tasks.time(Of::Started, index).happened();
        let ready = tasks.time(Of::Ready, index);
        if outcome == Outcome::Failed {
            self.spoil(index);
        }
        let lost = self.tasks.time(Of::Lost, index).known();
        if let Some(lost) = lost.filter(|&lost| at <= lost && outcome.is_end()) {
            self.undone.add(lost, 1);
        }
        if ready.happened() && !outcome.is_end() {
            self.passed.add(ready, 1);
        }
        if !started {
            self.unstarted.add(at, 1);
            self.queue_changed(at);
            if let Some(left) = self.given_up(index) {
                self.unstarted.take(left, 1);
                self.queue_changed(left);
            }
        }
        if is_cancelled {
            self.cancelled.add(at, 1);
            self.answer_changed(chunk, answered);
        }
        self.account.changed(index);
        let place = self.finished.insert(at, None, index, outcome.is_end());
        self.services.forget_from(place);
        if ready.happened() {
            self.ready_unended = self.ready_unended.saturating_sub(1);
            self.holds.forget_from(self.ready.count_before(ready));
        }
        Some(started && outcome == Outcome::Failed)
    }

    pub(in crate::trace) fn account(&mut self, ran: &Ran, at: Time) {
        let known = at.since(ran.since);
        let lengths = [ran.on_cpu, ran.waiting, ran.useful_wait, known];
        self.add_to_account(ran.task.index, lengths);
    }

    pub(in crate::trace) fn correct(&mut self, change: &Change) {
        let index = change.task.index;
        if self.keep(index) {
            let (before, after) = (change.before, change.after);
            for (field, before, after) in [
                (Of::OnCpu, before.on_cpu, after.on_cpu),
                (Of::Waiting, before.waiting, after.waiting),
                (Of::Known, before.known, after.known),
            ] {
                let sum = (self.tasks.sum(field, index) + after).saturating_sub(before);
                self.tasks.set(field, index, sum.0);
            }
            self.account.changed(index);
        }
    }

    pub(in crate::trace) fn copy_account(&mut self, index: u32, from: &Task) {
        let lengths = [from.on_cpu, from.waiting, from.useful_wait, from.known];
        self.add_to_account(index, lengths);
    }

    /// Time on a CPU, waiting for one, in a wait that was asked for, and all that is known of.
    fn add_to_account(&mut self, index: u32, lengths: [Nanos; 4]) {
        if self.keep(index) {
            let fields = [Of::OnCpu, Of::Waiting, Of::UsefulWait, Of::Known];
            for (field, length) in fields.into_iter().zip(lengths) {
                self.tasks.add(field, index, length);
            }
            self.account.changed(index);
        }
    }

    /// Keeps the error of a task, of the lowest indexes only if there are very many.
    pub(in crate::trace) fn raise(&mut self, index: u32, error: String) {
        self.errors.insert(index, cut(error));
        if self.errors.len() > MOST_ERRORS {
            self.errors.pop_last();
        }
    }

    pub(in crate::trace) fn carry(&mut self, chunk: u32, bytes: u32, way: Way, at: Time) {
        let field = match way {
            Way::ToWorker => Sent::BytesThere,
            Way::ToCaller => Sent::BytesBack,
        };
        let is_first = self.chunks.bytes(field, chunk).is_none();
        self.set_chunk(field, chunk, bytes.into());
        if is_first && chunk < MOST {
            self.carried[way as usize].add(at, bytes);
        }
    }

    /// Returns how many were not known to be lost before.
    pub(in crate::trace) fn lose(&mut self, tasks: Indexes, at: Time) -> u32 {
        let mut lost = 0;
        for index in self.kept(tasks).iter() {
            if self.tasks.time(Of::Lost, index).happened() {
                continue;
            }
            lost += 1;
            if self.tasks.told(index).is_some_and(is_spoiling) {
                self.hopeless = 0;
            }
            let before = self.given_up(index);
            self.tasks.set(Of::Lost, index, at.0);
            let ran = self.tasks.told(index).is_some_and(Outcome::is_end);
            if ran && self.tasks.time(Of::Finished, index) <= at {
                self.undone.add(at, 1);
            }
            if self.is_waiting(index) {
                if let Some(left) = before {
                    self.unstarted.take(left, 1);
                    self.queue_changed(left);
                }
                self.unstarted.add(at, 1);
                self.queue_changed(at);
            }
            self.account.changed(index);
        }
        self.lost.add(at, lost);
        lost
    }

    /// It neither started nor ended.
    fn is_waiting(&self, index: u32) -> bool {
        !self.has(Of::Started, index) && !self.has(Of::Finished, index)
    }

    /// When it was clear of a task that has neither started nor ended that it will not: it was lost, or its caller
    /// was given an error in its place.
    fn given_up(&self, index: u32) -> Option<Time> {
        let moment = |field| self.tasks.time(field, index).known();
        moment(Of::Lost).or_else(|| moment(Of::Ready))
    }

    pub(in crate::trace) fn make_ready(&mut self, tasks: Indexes, at: Time, lane: LaneId) {
        let mut kept = self.kept(tasks);
        while let Some(new) = next_of(&mut kept, |index| !self.has(Of::Ready, index)) {
            for index in new.iter() {
                self.ready_unended += u32::from(!self.has(Of::Finished, index));
                if self.is_waiting(index) && !self.has(Of::Lost, index) {
                    self.unstarted.add(at, 1);
                    self.queue_changed(at);
                }
            }
            let waiting = self.waiting(new, at);
            self.tasks.fill(Of::Ready, new, at);
            for index in new.iter() {
                // In what order results become ready is not compared with any other order.
                let place = self.ready.insert(at, Some(lane), index, false);
                self.hopeless = self.hopeless.min(place);
                self.holds.forget_from(place);
                self.spoil_ready(index, at);
                if self.tasks.told(index).is_some_and(|told| !told.is_end()) {
                    self.passed.add(at, 1);
                }
            }
            for (chunk, before) in waiting {
                self.answer_changed(chunk, before);
            }
        }
    }

    pub(in crate::trace) fn deliver(&mut self, tasks: Indexes, at: Time, lane: LaneId) {
        let mut kept = self.kept(tasks);
        while let Some(new) = next_of(&mut kept, |index| !self.has(Of::Delivered, index)) {
            self.tasks.fill(Of::Delivered, new, at);
            for index in new.iter() {
                self.delivered.insert(at, Some(lane), index, true);
            }
        }
    }

    /// The queue was not what it seemed from `at` on.
    fn queue_changed(&mut self, at: Time) {
        let before = self.submitted.count_before(at);
        self.longest_queues.truncate(before);
    }
}

/// Takes the next of some neighbours that are all so.
fn next_of(rest: &mut Indexes, is_so: impl Fn(u32) -> bool) -> Option<Indexes> {
    let first = rest.iter().find(|&index| is_so(index))?;
    let mut behind = first..rest.end;
    let end = behind.find(|&index| !is_so(index)).unwrap_or(rest.end);
    rest.first = end;
    Some(Indexes::new(first, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CallId;

    #[test]
    fn how_many_are_lost_or_ready_without_an_end_equals_a_recount() {
        let mut call = Call::unseen(Time::ZERO, LaneId(0), CallId(0));
        for k in 0..2_000_u32 {
            let (index, at) = (k * 37 % 90, Time(u64::from(k * 7 % 50)));
            let tasks = Indexes::new(index, index + k % 5);
            match k % 7 {
                0 => call.make_ready(tasks, at, LaneId(0)),
                1 => drop(call.lose(tasks, at)),
                2 => drop(call.finish(index, at, LaneId(1), Outcome::Ok, None)),
                _ => continue,
            }
            let has_no_end = call
                .tasks()
                .any(|task| task.ready.happened() && !task.finished.happened());
            assert_eq!(call.has_ready_unended(), has_no_end);
            for time in [0, 7, 31, 60].map(Time) {
                let lost = call.tasks().filter(|task| task.lost <= time).count();
                assert_eq!(call.lost_until(time), lost);
            }
        }
        // The rest of the ends, so that none is left.
        for index in 0..100 {
            call.finish(index, Time(99), LaneId(1), Outcome::Ok, None);
        }
        assert!(!call.has_ready_unended() && call.lost_until(Time(99)) > 20);
    }
}
