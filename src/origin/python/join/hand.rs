//! What a worker has in hand: the chunk it took, and how far it is with it.
//!
//! Short items are told many at a time, and the running one may be seen in the page of the ring before any
//! record tells of it. Whatever comes first, each item starts once and ends once, in its order. Items that
//! were told together are spread evenly over the time they took.

use super::call::Place;
use crate::event::{CpuId, Kind, LaneId, Outcome, TaskId};
use crate::origin::python::tell::Tell;
use crate::origin::python::wire::Chunk;

/// A stretch of items longer than this is not believed.
const FAR: u32 = 1 << 20;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Hand {
    pub(super) raw: Chunk,
    pub(super) place: Place,
    lane: LaneId,
    /// Items of the chunk, as far as is known.
    items: u32,
    /// Items before this one have ended.
    next: u32,
    /// The next one has started.
    running: bool,
    /// When the last thing that is known happened, on the clock of all processes.
    last: u64,
}

impl Hand {
    pub(super) fn new(raw: Chunk, place: Place, lane: LaneId, items: u32, at: u64) -> Self {
        Self {
            raw,
            place,
            lane,
            items,
            next: 0,
            running: false,
            last: at,
        }
    }

    /// The item that runs, and since when.
    pub(super) fn running(&self) -> Option<(TaskId, u64)> {
        self.running.then_some((self.task(self.next), self.last))
    }

    fn task(&self, item: u32) -> TaskId {
        TaskId {
            call: self.place.call,
            index: self.place.tasks.first.saturating_add(item),
        }
    }

    /// Whether an item can be one of this chunk, not absurdly far on.
    fn believes(&self, item: u32) -> bool {
        item <= self.place.tasks.len().max(self.items) && item < self.next.saturating_add(FAR)
    }

    pub(super) fn start(&mut self, item: u32, at: u64, cpu: Option<CpuId>, tell: &mut Tell) {
        if !self.believes(item) || item < self.next || (item == self.next && self.running) {
            return;
        }
        self.all_before(item, at, cpu, tell);
        let task = self.task(item);
        tell.say(self.lane, tell.time(at), Kind::Started { task, cpu });
        (self.running, self.last) = (true, at.max(self.last));
    }

    pub(super) fn end(
        &mut self,
        item: u32,
        at: u64,
        ok: bool,
        cpu: Option<CpuId>,
        tell: &mut Tell,
    ) {
        if !self.believes(item) || item < self.next {
            return;
        }
        self.all_before(item, self.last, cpu, tell);
        self.finish(item, at, ok, cpu, tell);
        self.last = at.max(self.last);
    }

    /// Every item before this one has ended well by now.
    pub(super) fn all_before(&mut self, item: u32, at: u64, cpu: Option<CpuId>, tell: &mut Tell) {
        if item <= self.next || !self.believes(item) {
            return;
        }
        let at = at.max(self.last);
        let (since, count) = (self.last, u64::from(item - self.next));
        let moment = |k: u64| {
            let part = u128::from(at - since) * u128::from(k) / u128::from(count);
            since + part as u64
        };
        for k in 0..count {
            if !self.running {
                let task = self.task(self.next);
                tell.say(self.lane, tell.time(moment(k)), Kind::Started { task, cpu });
            }
            self.finish(self.next, moment(k + 1), true, cpu, tell);
        }
        self.last = at;
    }

    fn finish(&mut self, item: u32, at: u64, ok: bool, cpu: Option<CpuId>, tell: &mut Tell) {
        let (task, outcome) = (
            self.task(item),
            if ok { Outcome::Ok } else { Outcome::Failed },
        );
        tell.say(
            self.lane,
            tell.time(at),
            Kind::Finished { task, outcome, cpu },
        );
        (self.next, self.running) = (item + 1, false);
    }

    /// The items that were not entered will not be any more.
    pub(super) fn skip_rest(&mut self, at: u64, tell: &mut Tell) {
        let end = self.place.tasks.len().min(self.items);
        for item in self.next..end.min(self.next.saturating_add(FAR)) {
            let task = self.task(item);
            let outcome = Outcome::Skipped;
            let cpu = None;
            tell.say(
                self.lane,
                tell.time(at),
                Kind::Finished { task, outcome, cpu },
            );
        }
    }

    /// The task that an item is; the one that ended last if it is not said which.
    pub(super) fn raised(&self, item: Option<u16>) -> TaskId {
        let last = self.next.saturating_sub(1);
        self.task(item.map_or(last, u32::from))
    }
}
