//! Which messages were answered, and when: running sums, as of any moment.

use crate::event::{Indexes, Outcome};
use crate::time::Time;
use crate::trace::Call;
use crate::trace::task::{Of, Sent};

impl Call {
    /// Chunks that were sent by `time`, and that no answer had come for.
    pub(in crate::trace) fn unanswered_at(&self, time: Time) -> u32 {
        let sent = self.enqueued.count_until(time);
        sent.saturating_sub(self.answered.count_until(time))
    }

    /// The results of a chunk came back. Of several answers the first that is told counts.
    pub(in crate::trace) fn answer(&mut self, chunk: u32, at: Time) {
        if self.chunks.time(Sent::Returned, chunk).happened() {
            return;
        }
        let before = self.answered_at(chunk);
        self.set_chunk(Sent::Returned, chunk, at.0);
        self.answer_changed(chunk, before);
    }

    /// When a chunk that was sent had its answer: no earlier than it was sent.
    pub(super) fn answered_at(&self, chunk: u32) -> Option<Time> {
        let sent = self.chunks.time(Sent::Enqueued, chunk).known()?;
        let returned = self.chunks.time(Sent::Returned, chunk);
        // Where workers die with their executor, every task gets an answer all the same.
        let first = self.tasks_of(chunk).iter().next();
        let other = first.map_or(Time::NEVER, |first| {
            let cancelled = self.tasks.told(first) == Some(Outcome::Cancelled);
            let ready = self.tasks.time(Of::Ready, first);
            match self.tasks.time(Of::Finished, first) {
                finished if cancelled => ready.min(finished),
                _ => ready,
            }
        });
        returned.min(other).known().map(|at| at.max(sent))
    }

    /// What is known of a chunk changed: it had been answered at `before`.
    pub(super) fn answer_changed(&mut self, chunk: u32, before: Option<Time>) {
        let after = self.answered_at(chunk);
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.answered.take(before, 1);
        }
        if let Some(after) = after {
            self.answered.add(after, 1);
        }
    }

    /// The chunks whose first task is among these and that were not answered before `at`, with when they were.
    pub(super) fn waiting(&self, tasks: Indexes, at: Time) -> Vec<(u32, Option<Time>)> {
        let size = self.size().unwrap_or(u32::MAX);
        let chunks = tasks.first.div_ceil(size)..tasks.end.div_ceil(size);
        chunks
            .filter(|&chunk| self.chunks.time(Sent::Returned, chunk) > at)
            .map(|chunk| (chunk, self.answered_at(chunk)))
            .collect()
    }

    /// Which tasks are in which chunk is known anew.
    pub(super) fn recount_answers(&mut self) {
        let sent = self.chunks.moments(Sent::Enqueued);
        let mut answers: Vec<Time> = sent
            .filter_map(|(chunk, _)| self.answered_at(chunk))
            .collect();
        answers.sort_unstable();
        self.answered = answers.into_iter().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallBegan, CallId, LaneId};
    use crate::trace::task::Chunk;

    const LANE: LaneId = LaneId(0);

    /// 12 tasks in chunks of 3, sent at 5, 6, 7 and 8.
    fn call(chunksize: Option<u32>) -> Call {
        let facts = CallBegan {
            call: CallId(0),
            pool: None,
            method: "map".to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: Some(12),
            chunksize,
        };
        let mut call = Call::new(facts, LANE, Time(0));
        for chunk in 0..4 {
            call.enqueue(Indexes::one(chunk), Time(5 + u64::from(chunk)));
        }
        call
    }

    /// Counted one by one.
    fn recount(call: &Call, time: Time) -> u32 {
        let unanswered = |chunk: &Chunk| {
            let first = call.task(chunk.tasks.first).unwrap();
            let is_taken_back = first.told == Some(Outcome::Cancelled) && first.finished <= time;
            let other = first.ready <= time || is_taken_back;
            chunk.enqueued <= time && chunk.returned > time && !other
        };
        call.chunks().filter(unanswered).count() as u32
    }

    fn is_exact(call: &Call) {
        for time in (0..30).map(Time) {
            assert_eq!(call.unanswered_at(time), recount(call, time), "{time:?}");
        }
    }

    #[test]
    fn a_message_is_answered_by_results_or_errors_or_when_it_is_taken_back() {
        let mut call = call(Some(3));
        is_exact(&call);
        call.make_ready(Indexes::new(3, 6), Time(12), LANE);
        call.make_ready(Indexes::new(7, 9), Time(13), LANE);
        call.answer(0, Time(10));
        call.answer(0, Time(11));
        call.answer(1, Time(9));
        is_exact(&call);
        call.finish(9, Time(14), LANE, Outcome::Cancelled, None);
        is_exact(&call);
        assert_eq!(call.unanswered_at(Time(20)), 1);
        call.lose(Indexes::new(9, 12), Time(15));
        call.make_ready(Indexes::new(6, 7), Time(16), LANE);
        is_exact(&call);
    }

    #[test]
    fn what_is_sent_after_its_answer_was_told_counts_as_of_both() {
        let mut call = call(Some(3));
        call.expect(18);
        call.answer(4, Time(10));
        call.answer(5, Time(20));
        call.enqueue(Indexes::new(4, 6), Time(15));
        is_exact(&call);
        assert_eq!([15, 20].map(|at| call.unanswered_at(Time(at))), [5, 4]);
    }

    #[test]
    fn the_size_of_a_chunk_may_be_told_last() {
        let mut late = call(None);
        late.make_ready(Indexes::new(0, 9), Time(12), LANE);
        let facts = call(Some(3)).facts;
        late.began(facts, LANE, Time(0));
        is_exact(&late);
        assert_eq!(late.unanswered_at(Time(12)), 1);
    }
}
