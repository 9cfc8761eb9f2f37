//! The first result of a call.
//!
//! Tasks without a result are ready as well: each with its error. Where very many of them fail, those at the
//! begin of the order that can have no result any more are passed over once and for all.

use crate::event::Outcome;
use crate::time::Time;
use crate::trace::Call;

impl Call {
    /// When the first task was ready that came to a result, as of `time`.
    pub(in crate::trace) fn first_result(&self, time: Time) -> Option<Time> {
        let ready = self.ready.until(time);
        let mut rest = ready.part(self.hopeless..ready.len()).iter();
        let first = rest.find(|entry| self.has_result(entry.index, time))?;
        Some(first.at)
    }

    /// The task came to a result, as of `time`. The end of its chunk tells too: one that raises spoils it all.
    fn has_result(&self, index: u32, time: Time) -> bool {
        let last = self.last_of_chunk(index);
        let last = last.and_then(|last| self.outcome_at(last, time));
        if last.is_some_and(is_spoiling) {
            return false;
        }
        match self.outcome_at(index, time) {
            Some(outcome) => outcome == Outcome::Ok,
            // Its end was not seen.
            None => self
                .task(index)
                .is_some_and(|task| task.delivered.happened()),
        }
    }

    fn last_of_chunk(&self, index: u32) -> Option<u32> {
        self.tasks_of(self.chunk_of(index)).end.checked_sub(1)
    }

    /// Passes over those that have no result as of any moment from their own on. Of what may be told yet only
    /// three things can change that, and they count anew: what comes before them in the order, which task is
    /// the last of their chunk, and that this one was lost.
    pub(super) fn pass_hopeless(&mut self) {
        while let Some(entry) = self.ready.entries().get(self.hopeless)
            && self.is_hopeless(entry.index, entry.at)
        {
            self.hopeless += 1;
        }
    }

    fn is_hopeless(&self, index: u32, at: Time) -> bool {
        let own = self.outcome_at(index, at);
        own.is_some_and(|outcome| outcome != Outcome::Ok)
            || self.last_of_chunk(index).is_some_and(|last| {
                let spoilt = self.outcome_at(last, at).is_some_and(is_spoiling);
                spoilt && self.outcome_at(last, Time::NEVER) != Some(Outcome::Lost)
            })
    }
}

/// The last task of a chunk that ended so tells that its chunk has no results.
pub(super) fn is_spoiling(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed | Outcome::Skipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallBegan, CallId, Indexes, LaneId};
    use proptest::prelude::*;

    const LANE: LaneId = LaneId(0);

    /// Something that is told of a task at a moment.
    #[derive(Clone, Copy, Debug)]
    enum Told {
        Finished(Outcome),
        Ready,
        Delivered,
        Lost,
    }

    fn facts(chunksize: Option<u32>, tasks: Option<u32>) -> CallBegan {
        CallBegan {
            call: CallId(0),
            pool: None,
            method: "imap".to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks,
            chunksize,
        }
    }

    fn told() -> impl Strategy<Value = Told> {
        prop_oneof![
            2 => Just(Told::Finished(Outcome::Failed)),
            2 => Just(Told::Finished(Outcome::Skipped)),
            2 => Just(Told::Finished(Outcome::Ok)),
            1 => Just(Told::Finished(Outcome::Cancelled)),
            6 => Just(Told::Ready),
            1 => Just(Told::Delivered),
            1 => Just(Told::Lost),
        ]
    }

    proptest! {
        #[test]
        fn the_first_result_is_that_of_a_search_through_all_in_any_batches(
            all in proptest::collection::vec((0_u32..14, 0_u64..20, told(), any::<bool>()), 1..60),
            chunksize in proptest::option::of(1_u32..5),
            begins in 0_usize..60,
        ) {
            let mut call = Call::unseen(Time(0), LANE, CallId(0));
            for (place, (index, at, told, is_last)) in all.into_iter().enumerate() {
                let (one, at) = (Indexes::one(index), Time(at));
                if place == begins {
                    call.began(facts(chunksize, Some(12)), LANE, Time(0));
                }
                match told {
                    Told::Finished(outcome) => drop(call.finish(index, at, LANE, outcome, None)),
                    Told::Ready => call.make_ready(one, at, LANE),
                    Told::Delivered => call.deliver(one, at, LANE),
                    Told::Lost => drop(call.lose(one, at)),
                }
                // A batch ends here.
                if is_last {
                    call.settle(true, false);
                    for time in (0..21).map(Time) {
                        let ready = call.ready.until(time);
                        let mut all = ready.iter();
                        let first = all.find(|entry| call.has_result(entry.index, time));
                        prop_assert_eq!(call.first_result(time), first.map(|entry| entry.at));
                    }
                }
            }
        }
    }

    /// The first two tasks of a chunk are ready as it has failed with the second.
    fn spoilt(chunksize: u32) -> Call {
        let mut call = Call::new(facts(Some(chunksize), None), LANE, Time(0));
        call.finish(0, Time(5), LANE, Outcome::Ok, None);
        call.finish(1, Time(5), LANE, Outcome::Failed, None);
        call.make_ready(Indexes::new(0, 2), Time(6), LANE);
        call.settle(true, false);
        assert_eq!((call.hopeless, call.first_result(Time(9))), (2, None));
        call
    }

    #[test]
    fn another_task_may_be_the_last_of_a_chunk() {
        let mut call = spoilt(3);
        call.submit(Indexes::one(2), Time(7));
        call.settle(true, false);
        assert_eq!(call.first_result(Time(9)), Some(Time(6)));
        call.finish(2, Time(5), LANE, Outcome::Skipped, None);
        call.settle(true, false);
        assert_eq!((call.hopeless, call.first_result(Time(9))), (2, None));
    }

    #[test]
    fn a_chunk_that_failed_may_be_lost_as_well() {
        let mut call = spoilt(2);
        call.lose(Indexes::one(1), Time(8));
        call.settle(true, false);
        let firsts = [7, 8].map(|time| call.first_result(Time(time)));
        assert_eq!(firsts, [None, Some(Time(6))]);
    }

    #[test]
    fn tasks_that_failed_are_not_searched_again() {
        let mut call = Call::new(facts(Some(1), Some(3_000)), LANE, Time(0));
        for index in 0..2_000 {
            call.finish(index, Time(5), LANE, Outcome::Failed, None);
            call.make_ready(Indexes::one(index), Time(6), LANE);
        }
        call.settle(true, false);
        assert_eq!((call.hopeless, call.first_result(Time(9))), (2_000, None));
        call.finish(2_500, Time(2), LANE, Outcome::Ok, None);
        call.make_ready(Indexes::one(2_500), Time(3), LANE);
        call.settle(true, false);
        assert_eq!(
            (call.hopeless, call.first_result(Time(9))),
            (0, Some(Time(3)))
        );
    }
}
