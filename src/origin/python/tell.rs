//! Says events: gives lanes their numbers, keeps each lane in the order of its times, and puts what comes a
//! little late into its place among the other lanes. Whoever folds the events need not go back then.

use crate::control;
use crate::event::{Event, Kind, LaneId, LaneOpened};
use crate::time::Time;

/// Longest name or error that is passed on, in letters: it is kept once for each call or task.
const LONGEST: usize = 300;

/// See the module.
#[derive(Debug)]
pub(super) struct Tell {
    /// When the run began, on the clock of all processes.
    began: u64,
    /// The last moment told of each lane.
    last: Vec<Time>,
    events: Vec<Event>,
}

impl Tell {
    pub(super) fn new(began: u64) -> Self {
        Self {
            began,
            last: Vec::new(),
            events: Vec::new(),
        }
    }

    /// A moment on the clock of all processes as one of the run.
    pub(super) fn time(&self, clock: u64) -> Time {
        Time(clock.saturating_sub(self.began))
    }

    pub(super) fn open(&mut self, at: Time, facts: LaneOpened) -> LaneId {
        let lane = LaneId(self.last.len() as u32);
        self.last.push(Time::ZERO);
        self.say(lane, at, Kind::LaneOpened(Box::new(facts)));
        lane
    }

    /// Tells what happened; what comes late is told as of the last moment that was told of its lane.
    pub(super) fn say(&mut self, lane: LaneId, at: Time, kind: Kind) {
        let Some(last) = self.last.get_mut(lane.0 as usize) else {
            return;
        };
        *last = at.max(*last);
        let at = *last;
        self.events.push(Event { at, lane, kind });
    }

    /// What happened up to this moment and was not taken before, in the order of time.
    pub(super) fn take(&mut self, until: Time) -> Vec<Event> {
        let events = std::mem::take(&mut self.events);
        let (mut taken, rest): (Vec<Event>, Vec<Event>) =
            events.into_iter().partition(|event| event.at <= until);
        self.events = rest;
        // Stable: a lane stays in its order.
        taken.sort_by_key(|event| event.at);
        taken
    }
}

/// A name or an error from outside, as it is passed on.
pub(super) fn harmless(text: &str) -> String {
    control::harmless(text, LONGEST)
}
