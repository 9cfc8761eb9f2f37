//! A call that was made again and again from one line: its members, each a call of its own.

use super::order::{ahead, not_ahead};
use super::packed::Row;
use super::task::Sent;
use super::{Call, Task, Trace};
use crate::event::{CallBegan, Ends, Indexes, LaneId, NoteKind, Outcome, Way};
use crate::time::Time;

/// One call of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub began: Time,
    /// The lane that called.
    pub caller: LaneId,
    pub tasks: Indexes,
}

impl Row for Member {
    type Numbers = [u64; 4];

    fn numbers(&self, place: usize) -> [u64; 4] {
        let tasks = self.tasks;
        [
            self.began.0,
            self.caller.0.into(),
            ahead(tasks.first, place),
            tasks.len().into(),
        ]
    }

    fn from_numbers([began, caller, first, count]: [u64; 4], place: usize) -> Self {
        let first = not_ahead(first, place);
        Self {
            began: Time(began),
            caller: LaneId(caller as u32),
            tasks: Indexes::new(first, first.saturating_add(count as u32)),
        }
    }
}

impl Trace {
    /// A member as a call of its own; what its executor gave up ends with that.
    #[must_use]
    pub fn part(&self, call: &Call, member: Member) -> Call {
        let mut part = call.part(member);
        part.ended = part.ended.map(|ended| self.given_up(&part, ended));
        part
    }

    /// How a call ended that seems to have returned: not so if its executor had given up tasks of it by then.
    pub(super) fn given_up(&self, call: &Call, ended: (Time, Ends)) -> (Time, Ends) {
        let (at, ends) = ended;
        let gave_up = ends == Ends::Returned
            && call.has_ready_unended()
            && self.notes().iter().any(|note| {
                note.note.kind == NoteKind::Broken
                    && note.note.pool == call.facts.pool
                    && note.at <= at
            });
        (
            at,
            if gave_up {
                Ends::BrokenProcessPool
            } else {
                ends
            },
        )
    }
}

impl Call {
    /// The calls that are shown as this one, in the order of their tasks: one, unless it is a series.
    pub fn members(&self) -> impl Iterator<Item = Member> + '_ {
        let end = self
            .again
            .all()
            .first()
            .map_or(self.tasks().len() as u32, |next| next.tasks.first);
        let first = Member {
            began: self.began,
            caller: self.caller,
            tasks: Indexes::new(0, end),
        };
        std::iter::once(first).chain(self.again.all().iter())
    }

    /// How many calls are shown as this one.
    pub fn member_count(&self) -> usize {
        1 + self.again.len()
    }

    /// How many of them had begun by `time`.
    pub fn members_until(&self, time: Time) -> usize {
        usize::from(self.began <= time) + self.begun_again(time)
    }

    /// The same without the first.
    fn begun_again(&self, time: Time) -> usize {
        self.again.partition_point(|member| member.began <= time)
    }

    /// The lanes that called, some perhaps twice.
    pub fn callers(&self) -> impl Iterator<Item = LaneId> + '_ {
        std::iter::once(self.caller).chain(self.again_by.iter().copied())
    }

    /// It was made more than once.
    pub fn is_series(&self) -> bool {
        !self.again.is_empty()
    }

    pub(super) fn begin_again(&mut self, tasks: Indexes, at: Time, caller: LaneId) {
        let place = self
            .again
            .partition_point(|member| member.tasks.first <= tasks.first);
        let member = Member {
            began: at,
            caller,
            tasks,
        };
        self.again.insert(place, member);
        self.again_by.insert(caller);
        self.expect(tasks.end);
    }

    /// Tasks that were told of by `time`: of a series, those of the members that had begun.
    pub(super) fn told_until(&self, time: Time) -> usize {
        let Some(next) = self.again.all().first() else {
            return self.tasks().len();
        };
        let last = self.begun_again(time).checked_sub(1);
        let last = last.and_then(|last| self.again.get(last));
        last.map_or(next.tasks.first, |last| last.tasks.end) as usize
    }

    /// A member as a call of its own, made anew from what is known of its tasks, so that its numbers
    /// are those of any other call. Its tasks and chunks count from 0.
    #[must_use]
    pub fn part(&self, member: Member) -> Self {
        if !self.is_series() {
            return self.clone();
        }
        let tasks = member.tasks;
        let facts = CallBegan {
            tasks: Some(tasks.len()),
            ..self.facts.clone()
        };
        let mut part = Self::new(facts, member.caller, member.began);
        let told = tasks
            .iter()
            .filter_map(|index| Some((index, self.task(index)?)));
        let told: Vec<(u32, Task)> = told.collect();
        let sorted = |moment: fn(&Task) -> Time| {
            let mut moments: Vec<(Time, u32, &Task)> = told
                .iter()
                .map(|(index, task)| (moment(task), *index, task))
                .filter(|(at, ..)| at.happened())
                .collect();
            moments.sort_unstable_by_key(|&(at, index, _)| (at, index));
            moments
        };
        let one = |index: u32| Indexes::one(index - tasks.first);
        for (at, index, _) in sorted(|task| task.submitted) {
            part.submit(one(index), at);
        }
        if !tasks.is_empty() {
            self.copy_chunks(tasks, &mut part);
        }
        for (at, index, task) in sorted(|task| task.started) {
            let lane = task.lane.unwrap_or(member.caller);
            part.start(index - tasks.first, at, lane, task.cpu_start);
        }
        for (at, index, task) in sorted(|task| task.finished) {
            let lane = task.lane.unwrap_or(member.caller);
            let outcome = task.told.unwrap_or(Outcome::Ok);
            part.finish(index - tasks.first, at, lane, outcome, task.cpu_end);
            part.copy_account(index - tasks.first, task);
        }
        for (at, index, _) in sorted(|task| task.lost) {
            part.lose(one(index), at);
        }
        for (at, index, _) in sorted(|task| task.ready) {
            part.make_ready(one(index), at, member.caller);
        }
        for (at, index, _) in sorted(|task| task.delivered) {
            part.deliver(one(index), at, member.caller);
        }
        for index in tasks.iter() {
            if let Some(error) = self.error(index) {
                part.raise(index - tasks.first, error.to_owned());
            }
            if let Some(at) = self.error_met_at(index) {
                part.meet_error(index - tasks.first, at, member.caller);
            }
        }
        part.ended = part.own_end();
        // Only programs make series, and they are measured.
        part.settle(true, part.ended.is_some());
        part
    }

    fn copy_chunks(&self, tasks: Indexes, part: &mut Self) {
        let first = self.chunk_of(tasks.first);
        for index in first..=self.chunk_of(tasks.end - 1) {
            let Some(chunk) = self.chunk(index) else {
                break;
            };
            let own = index - first;
            if chunk.enqueued.happened() {
                part.enqueue(Indexes::one(own), chunk.enqueued);
            }
            part.set_chunk(Sent::Dequeued, own, chunk.dequeued.0);
            if chunk.returned.happened() {
                part.answer(own, chunk.returned);
            }
            for (bytes, way, at) in [
                (chunk.bytes_there, Way::ToWorker, chunk.enqueued),
                (chunk.bytes_back, Way::ToCaller, chunk.returned),
            ] {
                if let Some(bytes) = bytes {
                    part.carry(own, bytes, way, at);
                }
            }
        }
    }

    /// When and how it ended, from its tasks alone.
    fn own_end(&self) -> Option<(Time, Ends)> {
        let is_cancelled = |task: &Task| task.outcome == Some(Outcome::Cancelled);
        let over = |task: Task| {
            if is_cancelled(&task) {
                task.finished
            } else {
                task.ready
            }
        };
        let ready = self.tasks().map(over).max()?.known()?;
        let any = |is_so: fn(&Task) -> bool| self.tasks().any(|task| is_so(&task));
        let ends = if self.tasks().all(|task| is_cancelled(&task)) {
            Ends::Cancelled
        } else if any(|task| task.lost.happened()) {
            Ends::BrokenProcessPool
        } else if any(|task| task.told == Some(Outcome::Failed)) {
            Ends::Error
        } else {
            Ends::Returned
        };
        Some((ready, ends))
    }
}
