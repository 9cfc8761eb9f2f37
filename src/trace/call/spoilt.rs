//! What the caller of a call can take: results, and one error of each chunk that failed.
//!
//! With a chunk that fails all its tasks are ready, and nothing comes of them but the error of the one that raised.

use crate::event::Outcome;
use crate::time::Time;
use crate::trace::Call;
use crate::trace::tally::Tally;
use crate::trace::task::Of;
use std::collections::BTreeMap;

/// Ready tasks that nothing comes of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Spoilt {
    /// The first task that failed, of each chunk of several in which one did.
    failed: BTreeMap<u32, u32>,
    tasks: Tally,
}

impl Call {
    /// How many results and errors the caller could have taken by `time`, each on its own.
    pub(in crate::trace) fn takeable_until(&self, time: Time) -> usize {
        let spoilt = self.spoilt.tasks.count_until(time) as usize;
        self.ready.count_until(time).saturating_sub(spoilt)
    }

    /// A task was told to have failed.
    pub(super) fn spoil(&mut self, index: u32) {
        let chunk = self.chunk_of(index);
        let tasks = self.tasks_of(chunk);
        if self.size().is_none_or(|size| size == 1) {
            return;
        }
        let moment = |index| self.tasks.time(Of::Ready, index).known();
        match self.spoilt.failed.get(&chunk).copied() {
            None => {
                let others = tasks.iter().filter(|&other| other != index);
                others
                    .filter_map(moment)
                    .for_each(|at| self.spoilt.tasks.add(at, 1));
            }
            Some(before) if index < before => {
                if let Some(at) = moment(index) {
                    self.spoilt.tasks.take(at, 1);
                }
                if let Some(at) = moment(before) {
                    self.spoilt.tasks.add(at, 1);
                }
            }
            Some(_) => return,
        }
        self.spoilt.failed.insert(chunk, index);
    }

    /// A task became ready.
    pub(super) fn spoil_ready(&mut self, index: u32, at: Time) {
        if self.spoilt.failed.is_empty() {
            return;
        }
        let failed = self.spoilt.failed.get(&self.chunk_of(index));
        if failed.is_some_and(|&failed| failed != index) {
            self.spoilt.tasks.add(at, 1);
        }
    }

    /// Which tasks are in which chunk is known anew.
    pub(super) fn spoil_anew(&mut self) {
        self.spoilt = Spoilt::default();
        let ended = self.finished.entries().iter().map(|entry| entry.index);
        let failed = ended.filter(|&index| self.tasks.told(index) == Some(Outcome::Failed));
        for index in failed.collect::<Vec<_>>() {
            self.spoil(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{CallBegan, CallId, Indexes, LaneId};
    use proptest::prelude::*;

    const LANE: LaneId = LaneId(0);

    /// Counted one by one.
    fn recount(call: &Call, time: Time) -> usize {
        let size = call.facts.chunksize.unwrap_or(1);
        let failed = |index: u32| call.tasks.told(index) == Some(Outcome::Failed);
        let comes = |index: u32| {
            let first = index - index % size;
            let error = (first..first + size).find(|&index| failed(index));
            error.is_none_or(|error| error == index)
        };
        let ready = (0..)
            .zip(call.tasks())
            .filter(|(_, task)| task.ready <= time);
        ready.filter(|&(index, _)| comes(index)).count()
    }

    proptest! {
        #[test]
        fn of_a_chunk_that_failed_one_error_can_be_taken_in_whatever_order_it_is_told(
            all in proptest::collection::vec((0_u32..14, 0_u64..20, 0_usize..4), 1..60),
            chunksize in proptest::option::of(1_u32..5),
            begins in 0_usize..60,
        ) {
            let mut call = Call::unseen(Time(0), LANE, CallId(0));
            for (place, (index, at, what)) in all.into_iter().enumerate() {
                if place == begins {
                    let facts = CallBegan {
                        call: CallId(0),
                        pool: None,
                        method: "imap".to_owned(),
                        function: "f".to_owned(),
                        source: None,
                        tasks: Some(12),
                        chunksize,
                    };
                    call.began(facts, LANE, Time(0));
                }
                let outcome = [Outcome::Failed, Outcome::Ok, Outcome::Skipped].get(what).copied();
                match outcome {
                    Some(outcome) => drop(call.finish(index, Time(at), LANE, outcome, None)),
                    None => call.make_ready(Indexes::one(index), Time(at), LANE),
                }
                for time in (0..21).map(Time) {
                    prop_assert_eq!(call.takeable_until(time), recount(&call, time));
                }
            }
        }
    }
}
