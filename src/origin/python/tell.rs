//! Says events: gives lanes their numbers, keeps each lane in the order of its times, and puts what comes a
//! little late into its place among the other lanes. Whoever folds the events need not go back then.

use crate::control::is_control;
use crate::event::{Event, Kind, LaneId, LaneOpened};
use crate::time::Time;

/// Longest name that is passed on, in characters.
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

/// A name from outside without what a terminal would act on, and not too long.
pub(super) fn harmless(text: &str) -> String {
    let mut name: String = text
        .chars()
        .map(|letter| {
            if letter == '\n' || letter == '\t' {
                ' '
            } else {
                letter
            }
        })
        .filter(|&letter| !is_control(letter))
        .take(LONGEST + 1)
        .collect();
    if let Some((end, _)) = name.char_indices().nth(LONGEST) {
        name.truncate(end);
        name.push_str("...");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_are_harmless() {
        assert_eq!(
            harmless("\u{feff}f\u{1b}[2J\u{7}\u{9b}31m\u{202e}x"),
            "f[2J31mx"
        );
        assert_eq!(harmless("a\nb"), "a b");
        assert_eq!(harmless(&"x".repeat(10_000_000)).len(), LONGEST + 3);
        assert_eq!(harmless("größer 長い"), "größer 長い");
    }
}
