//! The calls of a run: found by their number, told in the order in which they began.
//!
//! A number from an origin is a key and never an index: it sizes nothing.

use super::Call;
use crate::event::{CallBegan, CallId, LaneId};
use crate::time::Time;
use std::collections::BTreeMap;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    /// In the order of arrival.
    all: Vec<Call>,
    /// The place of each in `all`.
    places: BTreeMap<CallId, u32>,
    /// Places, by (begin, number).
    by_begin: Vec<u32>,
    /// Places of those that changed since they were settled, each once.
    changed: Vec<u32>,
    /// Of each in `all`, whether it is among them.
    has_changed: Vec<bool>,
}

/// The order of arrival is no fact.
impl PartialEq for Calls {
    fn eq(&self, other: &Self) -> bool {
        self.by_begin.len() == other.by_begin.len() && self.iter().eq(other.iter())
    }
}

impl Calls {
    /// In the order in which they began.
    pub(super) fn iter(
        &self,
    ) -> impl ExactSizeIterator<Item = &Call> + DoubleEndedIterator + Clone {
        self.until(Time::NEVER)
    }

    /// Those that had begun at `time`, the moment itself included.
    pub(super) fn until(
        &self,
        time: Time,
    ) -> impl ExactSizeIterator<Item = &Call> + DoubleEndedIterator + Clone {
        let begun = self.by_begin[..self.begun(time)].iter();
        begun.map(|&place| &self.all[place as usize])
    }

    /// The first that began after `time`.
    pub(super) fn after(&self, time: Time) -> Option<&Call> {
        self.at(self.begun(time))
    }

    pub(super) fn first(&self) -> Option<&Call> {
        self.at(0)
    }

    /// The one that has so many before it.
    pub(super) fn at(&self, slot: usize) -> Option<&Call> {
        let place = self.by_begin.get(slot)?;
        self.all.get(*place as usize)
    }

    /// How many stand before a call of these.
    pub(super) fn before(&self, id: CallId) -> Option<usize> {
        self.get(id).map(|call| self.slot(call))
    }

    pub(super) fn get(&self, id: CallId) -> Option<&Call> {
        self.places.get(&id).map(|&place| &self.all[place as usize])
    }

    /// How many had begun at `time`, the moment itself included.
    pub(super) fn begun(&self, time: Time) -> usize {
        self.by_begin
            .partition_point(|&place| self.all[place as usize].began <= time)
    }

    /// What its `CallBegan` tells, whether or not it was heard of before.
    pub(super) fn began(&mut self, facts: CallBegan, lane: LaneId, at: Time) {
        let id = facts.call;
        match self.places.get(&id).copied() {
            None => {
                self.push(Call::new(facts, lane, at));
            }
            Some(place) => self.moved(place, |call| call.began(facts, lane, at)),
        }
    }

    /// The call that something is told of; one whose begin was not seen began when it was first heard of.
    pub(super) fn told(&mut self, id: CallId, lane: LaneId, at: Time) -> &mut Call {
        let place = match self.places.get(&id).copied() {
            None => self.push(Call::unseen(at, lane, id)),
            Some(place) => {
                let call = &self.all[place as usize];
                if !call.is_told() && (at, lane) < (call.began, call.caller) {
                    self.moved(place, |call| (call.began, call.caller) = (at, lane));
                }
                place
            }
        };
        self.change(place);
        &mut self.all[place as usize]
    }

    fn change(&mut self, place: u32) {
        if !std::mem::replace(&mut self.has_changed[place as usize], true) {
            self.changed.push(place);
        }
    }

    /// What tasks needed is to be reckoned anew.
    pub(super) fn doubt(&mut self) {
        for call in &mut self.all {
            call.doubt();
        }
    }

    /// Brings the kept sums of those that changed up to date; of all at the end of the run.
    pub(super) fn settle(&mut self, measured: bool, ended: bool, all: bool) {
        if all {
            for call in &mut self.all {
                call.settle(measured, ended);
            }
        }
        for place in self.changed.drain(..) {
            self.has_changed[place as usize] = false;
            self.all[place as usize].settle(measured, ended);
        }
    }

    fn push(&mut self, call: Call) -> u32 {
        let place = self.all.len() as u32;
        self.changed.push(place);
        self.has_changed.push(true);
        self.places.insert(call.facts.call, place);
        let slot = self.slot(&call);
        self.all.push(call);
        self.by_begin.insert(slot, place);
        place
    }

    /// Changes a call in a way that may change when it began.
    fn moved(&mut self, place: u32, change: impl FnOnce(&mut Call)) {
        let slot = self.slot(&self.all[place as usize]);
        self.by_begin.remove(slot);
        change(&mut self.all[place as usize]);
        let slot = self.slot(&self.all[place as usize]);
        self.by_begin.insert(slot, place);
        self.change(place);
    }

    /// Where a call stands in `by_begin`, or belongs.
    fn slot(&self, call: &Call) -> usize {
        let key = |call: &Call| (call.began, call.facts.call);
        self.by_begin
            .partition_point(|&place| key(&self.all[place as usize]) < key(call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_found_by_its_place_and_has_the_place_where_it_is_found() {
        let mut calls = Calls::default();
        for k in 0..500_u32 {
            // In no order, several at one moment, and some of them heard of before they are told.
            let (id, at) = (k * 7 % 500, Time(u64::from(k * 13 % 90)));
            if k % 3 == 0 {
                calls.told(CallId(id), LaneId(0), Time(at.0 + 40));
            }
            let facts = Call::unseen(at, LaneId(0), CallId(id)).facts;
            calls.began(facts, LaneId(0), at);
        }
        assert_eq!(calls.iter().len(), 500);
        for (place, call) in calls.iter().enumerate() {
            assert_eq!(calls.before(call.facts.call), Some(place));
            assert_eq!(
                calls.at(place).map(|at| at.facts.call),
                Some(call.facts.call)
            );
        }
        assert!(calls.at(500).is_none() && calls.before(CallId(500)).is_none());
    }
}
