//! One call as its process counts them, and where it stands among the calls that are shown.

use crate::event::{CallId, CallKind, Ends, Indexes, LaneId, PoolId};
use crate::method::{Delivery, Method};
use crate::origin::python::wire::StringId;
use std::collections::{BTreeMap, BTreeSet};

/// More tasks in one call than this are told of only as they are sent: a number from outside never sizes memory.
pub(super) const BELIEVED: u32 = 1 << 20;
/// No more tasks than this are followed in one call.
pub(super) const MOST: u32 = 1 << 26;

/// Who sends a chunk says this of one that has as many tasks, or more.
pub(super) const MANY: u32 = u16::MAX as u32;

/// A part of a call that is one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) call: CallId,
    /// Of the call that is shown.
    pub(super) chunk: u32,
    pub(super) tasks: Indexes,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct RawCall {
    pub(super) shown: CallId,
    /// Its first task, and its first chunk, in the call that is shown.
    pub(super) base: u32,
    pub(super) pool: PoolId,
    pub(super) caller: LaneId,
    /// The thread that called.
    pub(super) thread: u16,
    /// The line from which it is one of a series.
    pub(super) series: Option<StringId>,
    pub(super) delivery: Delivery,
    pub(super) chunksize: u32,
    /// `None`: as many as its chunks have.
    pub(super) tasks: Option<u32>,
    /// Tasks that were told as submitted.
    pub(super) submitted: u32,
    /// Tasks whose results are back, or that will have none.
    pub(super) back: u32,
    pub(super) delivered: u32,
    pub(super) is_ready: bool,
    pub(super) has_lost: bool,
    /// What it is once every result has been taken: an error if its input raised.
    pub(super) becomes: Ends,
    pub(super) ended: bool,
    /// Chunks that were sent so far.
    pub(super) sent: u32,
    /// All chunks have been sent; so many.
    pub(super) chunks: Option<u32>,
    pub(super) chunks_delivered: u32,
    /// Chunks with fewer tasks than usual, where the number of tasks is not known.
    short: BTreeMap<u32, u32>,
    /// The first chunk whose turn has not come, and those that came back before theirs.
    turn: u32,
    early: BTreeSet<u32>,
}

impl RawCall {
    pub(super) fn new(shown: CallId, base: u32, pool: PoolId, caller: LaneId, thread: u16) -> Self {
        Self {
            shown,
            base,
            pool,
            caller,
            thread,
            series: None,
            delivery: Delivery::Value,
            chunksize: 1,
            tasks: None,
            submitted: 0,
            back: 0,
            delivered: 0,
            is_ready: false,
            has_lost: false,
            becomes: Ends::Returned,
            ended: false,
            sent: 0,
            chunks: None,
            chunks_delivered: 0,
            short: BTreeMap::new(),
            turn: 0,
            early: BTreeSet::new(),
        }
    }

    /// All its tasks, as far as is known.
    pub(super) fn all(&self) -> Indexes {
        let tasks = self.tasks.unwrap_or(self.submitted);
        Indexes::new(self.base, self.base.saturating_add(tasks))
    }

    /// What a chunk is among the tasks that are shown; `None` for a number nobody believes.
    pub(super) fn place(&self, chunk: u32) -> Option<Place> {
        let first = chunk.checked_mul(self.chunksize)?;
        let size = self.short.get(&chunk).copied().unwrap_or(self.chunksize);
        let end = first.checked_add(size)?;
        let end = self.tasks.map_or(end, |tasks| end.min(tasks));
        let tasks = Indexes::new(self.base.checked_add(first)?, self.base.checked_add(end)?);
        (tasks.end <= MOST).then_some(Place {
            call: self.shown,
            chunk: self.base.checked_add(chunk)?,
            tasks,
        })
    }

    /// A chunk that is sent has so many tasks, or [`MANY`] or more. Only the last one is short, so the one before
    /// it is as long as usual.
    pub(super) fn sized(&mut self, chunk: u32, items: u32) {
        let before = chunk.checked_sub(1);
        if let Some(before) = before.filter(|before| self.short.get(before) == Some(&MANY)) {
            self.short.remove(&before);
        }
        if self.tasks.is_none() && items < self.chunksize && self.short.len() < BELIEVED as usize {
            self.short.insert(chunk, items);
        }
    }

    /// Who took a chunk counted its tasks; true if it has more than was known.
    pub(super) fn counted(&mut self, chunk: u32, items: u32) -> bool {
        let is_more = items > MANY && self.short.get(&chunk) == Some(&MANY);
        if is_more {
            self.short.insert(chunk, items.min(self.chunksize));
        }
        is_more
    }

    /// The tasks of this chunk that were not told as submitted before; they are now.
    pub(super) fn submit(&mut self, place: Place) -> Option<Indexes> {
        self.sent = self.sent.max(place.chunk.saturating_sub(self.base) + 1);
        let end = place.tasks.end.saturating_sub(self.base);
        if end <= self.submitted {
            return None;
        }
        let new = Indexes::new(self.base + self.submitted, place.tasks.end);
        self.submitted = end;
        Some(new)
    }

    /// A chunk is back: the tasks that an iterator can hand over from now on.
    pub(super) fn returned(&mut self, chunk: u32, place: Place) -> Option<Indexes> {
        self.back = self.back.saturating_add(place.tasks.len());
        match self.delivery {
            Delivery::AsFinished => Some(place.tasks),
            Delivery::InOrder => {
                if chunk != self.turn {
                    if chunk > self.turn && self.early.len() < BELIEVED as usize {
                        self.early.insert(chunk);
                    }
                    return None;
                }
                let mut end = place.tasks.end;
                self.turn += 1;
                while self.early.remove(&self.turn) {
                    end = self.place(self.turn).map_or(end, |place| place.tasks.end);
                    self.turn += 1;
                }
                Some(Indexes::new(place.tasks.first, end))
            }
            Delivery::List | Delivery::Callback | Delivery::Value => None,
        }
    }

    /// The tasks of an iterator from the first one on whose turn has not come.
    pub(super) fn rest(&self) -> Indexes {
        let all = self.all();
        let first = self
            .place(self.turn)
            .map_or(all.end, |place| place.tasks.first);
        Indexes::new(first.min(all.end), all.end)
    }

    /// Every result has been taken.
    pub(super) fn is_collected(&self) -> bool {
        match (self.tasks, self.chunks) {
            (Some(tasks), _) => self.delivered >= tasks,
            (None, Some(chunks)) => self.chunks_delivered >= chunks,
            (None, None) => false,
        }
    }

    /// How it ended, if every result has been taken.
    pub(super) fn collected(&self) -> Option<Ends> {
        self.is_collected().then_some(self.becomes)
    }

    pub(super) fn is_iterator(&self) -> bool {
        matches!(self.delivery, Delivery::InOrder | Delivery::AsFinished)
    }
}

/// How the results of a method reach the caller.
pub(super) fn delivery(kind: CallKind, method: &str) -> Delivery {
    match kind {
        CallKind::MapOfExecutor => Delivery::InOrder,
        _ => Method::named(method).map_or(Delivery::Value, |known| known.rules().delivery),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(tasks: Option<u32>, chunksize: u32) -> RawCall {
        let mut call = RawCall::new(CallId(0), 0, PoolId(0), LaneId(0), 0);
        (call.tasks, call.chunksize) = (tasks, chunksize);
        call.delivery = Delivery::InOrder;
        call
    }

    #[test]
    fn the_last_chunk_ends_with_the_tasks() {
        let place = |chunk| call(Some(10), 4).place(chunk).map(|place| place.tasks);
        assert_eq!(place(0), Some(Indexes::new(0, 4)));
        assert_eq!(place(2), Some(Indexes::new(8, 10)));
        let mut open = call(None, 4);
        open.sized(1, 3);
        assert_eq!(open.place(1).unwrap().tasks, Indexes::new(4, 7));
    }

    #[test]
    fn a_chunk_of_very_many_tasks_is_counted_by_who_takes_it() {
        let mut open = call(None, 100_000);
        let place = |open: &RawCall, chunk| open.place(chunk).unwrap().tasks;
        open.sized(0, MANY);
        assert_eq!(place(&open, 0), Indexes::new(0, 65_535));
        // There is another one, so the first is as long as usual.
        open.sized(1, MANY);
        assert_eq!(place(&open, 0), Indexes::new(0, 100_000));
        assert!(!open.counted(0, 100_000) && open.counted(1, 70_000));
        assert_eq!(place(&open, 1), Indexes::new(100_000, 170_000));
        assert!(!open.counted(1, 90_000));
    }

    #[test]
    fn a_chunk_that_cannot_be_is_nowhere() {
        for chunk in [u32::MAX, MOST, 1 << 31] {
            assert_eq!(call(None, 4).place(chunk), None);
        }
    }

    #[test]
    fn results_of_an_iterator_wait_for_their_turn() {
        let mut call = call(Some(6), 2);
        let mut back = |chunk| {
            let place = call.place(chunk).unwrap();
            call.returned(chunk, place)
        };
        assert_eq!(back(2), None);
        assert_eq!(back(0), Some(Indexes::new(0, 2)));
        assert_eq!(back(1), Some(Indexes::new(2, 6)));
        assert_eq!(call.back, 6);
    }
}
