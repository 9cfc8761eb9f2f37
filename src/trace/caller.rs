//! What the main program did, from moment to moment.

use super::packed::{Packed, Row};
use crate::event::{BlockedIn, CallerState, LaneId};
use crate::time::{Nanos, Span, Time};

/// The states of one caller, in order of time.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerTrace {
    pub lane: LaneId,
    /// Each state with its begin and the time blocked before it.
    changes: Packed<(Time, CallerState, Nanos)>,
}

const STATES: [CallerState; 15] = [
    CallerState::Starting,
    CallerState::OwnWork,
    CallerState::RunsTasks,
    CallerState::Submitting,
    CallerState::Collecting,
    CallerState::Done,
    CallerState::Blocked(BlockedIn::Map),
    CallerState::Blocked(BlockedIn::Starmap),
    CallerState::Blocked(BlockedIn::Apply),
    CallerState::Blocked(BlockedIn::Get),
    CallerState::Blocked(BlockedIn::Next),
    CallerState::Blocked(BlockedIn::Result),
    CallerState::Blocked(BlockedIn::Futures),
    CallerState::Blocked(BlockedIn::Join),
    CallerState::Blocked(BlockedIn::Shutdown),
];

/// Its place in [`STATES`].
fn place_of(state: CallerState) -> u64 {
    match state {
        CallerState::Starting => 0,
        CallerState::OwnWork => 1,
        CallerState::RunsTasks => 2,
        CallerState::Submitting => 3,
        CallerState::Collecting => 4,
        CallerState::Done => 5,
        CallerState::Blocked(BlockedIn::Map) => 6,
        CallerState::Blocked(BlockedIn::Starmap) => 7,
        CallerState::Blocked(BlockedIn::Apply) => 8,
        CallerState::Blocked(BlockedIn::Get) => 9,
        CallerState::Blocked(BlockedIn::Next) => 10,
        CallerState::Blocked(BlockedIn::Result) => 11,
        CallerState::Blocked(BlockedIn::Futures) => 12,
        CallerState::Blocked(BlockedIn::Join) => 13,
        CallerState::Blocked(BlockedIn::Shutdown) => 14,
    }
}

/// A state by its place among all.
impl Row for (Time, CallerState, Nanos) {
    type Numbers = [u64; 3];

    fn numbers(&self, _: usize) -> [u64; 3] {
        [self.0.0, place_of(self.1), self.2.0]
    }

    fn from_numbers([at, state, blocked]: [u64; 3], _: usize) -> Self {
        (Time(at), STATES[state as usize], Nanos(blocked))
    }
}

impl CallerTrace {
    pub(super) fn new(lane: LaneId) -> Self {
        Self {
            lane,
            changes: Packed::default(),
        }
    }

    pub(super) fn change(&mut self, at: Time, state: CallerState) {
        let blocked = self
            .changes
            .last()
            .map_or(Nanos::ZERO, |(since, before, blocked)| match before {
                CallerState::Blocked(_) => blocked + at.since(since),
                _ => blocked,
            });
        self.changes.push((at, state, blocked));
    }

    /// Every change of state with its moment.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = (Time, CallerState)> + '_ {
        let changes = self.changes.all().iter();
        changes.map(|(at, state, _)| (at, state))
    }

    /// The states that touch a span, cut at nothing.
    pub fn states_in(&self, span: Span) -> impl Iterator<Item = (Span, CallerState)> + '_ {
        let first = self
            .changes
            .partition_point(|change| change.0 <= span.start())
            .saturating_sub(1);
        self.changes
            .part(first..self.changes.len())
            .iter()
            .enumerate()
            .take_while(move |(_, change)| change.0 < span.end())
            .map(move |(k, (at, state, _))| {
                let end = self
                    .changes
                    .get(first + k + 1)
                    .map_or(Time::NEVER, |next| next.0);
                (Span::new(at, end), state)
            })
    }

    pub fn state_at(&self, time: Time) -> Option<CallerState> {
        self.last_until(time).map(|change| change.1)
    }

    /// The first change after `time`.
    pub(super) fn change_after(&self, time: Time) -> Option<Time> {
        self.changes.get(self.begun(time)).map(|change| change.0)
    }

    /// The last change up to `time`.
    pub(super) fn change_until(&self, time: Time) -> Option<Time> {
        self.last_until(time).map(|change| change.0)
    }

    fn last_until(&self, time: Time) -> Option<(Time, CallerState, Nanos)> {
        self.changes.part(0..self.begun(time)).last()
    }

    fn begun(&self, time: Time) -> usize {
        self.changes.partition_point(|change| change.0 <= time)
    }

    /// When the own work began that it did before what it does at `time`.
    pub(super) fn own_work_before(&self, time: Time) -> Option<Time> {
        let begun = self.begun(time);
        let mut last = self.changes.part(begun.saturating_sub(2)..begun).iter();
        let own = last.rfind(|change| change.1 == CallerState::OwnWork);
        own.map(|change| change.0)
    }

    /// Time spent in blocking calls up to `time`.
    pub fn blocked_until(&self, time: Time) -> Nanos {
        match self.last_until(time) {
            Some((since, CallerState::Blocked(_), blocked)) => blocked + time.since(since),
            Some((_, _, blocked)) => blocked,
            None => Nanos::ZERO,
        }
    }

    /// The same of a stretch.
    pub fn blocked_in(&self, span: Span) -> Nanos {
        let before = self.blocked_until(span.start());
        self.blocked_until(span.end()).saturating_sub(before)
    }

    /// The last moment that was told.
    pub(super) fn told_until(&self) -> Option<Time> {
        self.changes.last().map(|change| change.0)
    }

    /// When the program was done, if it was.
    pub fn done(&self) -> Option<Time> {
        self.changes
            .last()
            .filter(|change| change.1 == CallerState::Done)
            .map(|change| change.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_its_own_place() {
        for (place, &state) in (0..).zip(&STATES) {
            assert_eq!(place_of(state), place, "{state:?}");
            let row = (Time(5), state, Nanos(3));
            assert_eq!(
                <(Time, CallerState, Nanos)>::from_numbers(row.numbers(0), 0),
                row
            );
        }
    }
}
