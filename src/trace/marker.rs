//! Points in time worth jumping to.

use super::Trace;
use super::text::shorter;
use crate::event::{CallId, Ends, LaneId};
use crate::time::Time;
use std::borrow::Cow;

/// The most bytes of a marker's text.
const MOST_TEXT: usize = 300;

/// Markers of one kind; the first ones, if there are more.
const MOST: usize = 10_000;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Marker {
    pub at: Time,
    pub lane: LaneId,
    pub kind: MarkerKind,
    pub(super) text: String,
    /// It is the end of this call, whose words depend on what else is known of it by whoever reads them.
    ends: Option<(CallId, Ends)>,
    turn: Turn,
}

/// What comes first at one moment, as one follows from the other; errors in the order of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    Begin,
    /// That of the task with this index.
    Error(u32),
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkerKind {
    Call,
    Error,
    Death,
    Note,
}

/// Markers by time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Markers {
    all: Vec<Marker>,
    /// Of each kind.
    counts: [usize; 4],
}

impl Markers {
    pub(super) fn all(&self) -> &[Marker] {
        &self.all
    }

    pub(super) fn add(&mut self, at: Time, lane: LaneId, kind: MarkerKind, text: String) {
        self.add_in_turn(at, lane, kind, Turn::Other, text);
    }

    pub(super) fn add_in_turn(
        &mut self,
        at: Time,
        lane: LaneId,
        kind: MarkerKind,
        turn: Turn,
        text: String,
    ) {
        self.insert(Marker {
            at,
            lane,
            kind,
            text: shorter(text, MOST_TEXT),
            ends: None,
            turn,
        });
    }

    pub(super) fn add_end(&mut self, at: Time, lane: LaneId, call: CallId, ends: Ends) {
        self.insert(Marker {
            at,
            lane,
            kind: MarkerKind::Call,
            text: String::new(),
            ends: Some((call, ends)),
            turn: Turn::Other,
        });
    }

    fn insert(&mut self, new: Marker) {
        let key = |marker: &Marker| (marker.at, marker.turn, marker.lane);
        let place = self.all.partition_point(|marker| key(marker) <= key(&new));
        let kind = new.kind;
        self.all.insert(place, new);
        self.counts[kind as usize] += 1;
        if self.counts[kind as usize] > MOST
            && let Some(last) = self.all.iter().rposition(|marker| marker.kind == kind)
        {
            self.remove(last);
        }
    }

    fn remove(&mut self, place: usize) {
        let marker = self.all.remove(place);
        self.counts[marker.kind as usize] -= 1;
    }

    /// Takes back the end of a call at this place.
    pub(super) fn take_end(&mut self, at: Time, lane: LaneId, call: CallId) {
        let is_its_end = |marker: &Marker| marker.ends.is_some_and(|ended| ended.0 == call);
        let found = self
            .all
            .iter()
            .position(|marker| (marker.at, marker.lane) == (at, lane) && is_its_end(marker));
        if let Some(place) = found {
            self.remove(place);
        }
    }

    /// The first moment after `time` that is marked.
    pub(super) fn moment_after(&self, time: Time) -> Option<Time> {
        let place = self.all.partition_point(|marker| marker.at <= time);
        self.all.get(place).map(|marker| marker.at)
    }

    /// The last moment before `time` that is marked.
    pub(super) fn moment_before(&self, time: Time) -> Option<Time> {
        let place = self.all.partition_point(|marker| marker.at < time);
        self.all[..place].last().map(|marker| marker.at)
    }
}

impl Trace {
    /// What a marker says.
    pub fn marker_words<'a>(&self, marker: &'a Marker) -> Cow<'a, str> {
        let lane = self.lane(marker.lane);
        let lane = lane.filter(|_| marker.kind == MarkerKind::Death);
        if let Some(lane) = lane.filter(|lane| self.is_ended_by_pool(lane)) {
            return Cow::Owned(format!("{} ended: the executor broke", lane.facts.name));
        }
        let Some((id, ends)) = marker.ends else {
            return Cow::Borrowed(&marker.text);
        };
        let call = self.call_by(id);
        let method = call.map_or("", |call| call.facts.method.as_str());
        let word = self.ends_word(call, ends);
        Cow::Owned(shorter(format!("{method} ends: {word}"), MOST_TEXT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_of_a_kind_the_first_are_kept() {
        let mut markers = Markers::default();
        let lane = LaneId(0);
        markers.add(Time(5), lane, MarkerKind::Death, String::new());
        for at in (0..12_000).rev() {
            markers.add(Time(at), lane, MarkerKind::Note, at.to_string());
        }
        assert_eq!(markers.all().len(), MOST + 1);
        assert_eq!(markers.moment_before(Time::NEVER), Some(Time(9_999)));
        let call = CallId(0);
        markers.add_end(Time(7), lane, call, Ends::Returned);
        markers.take_end(Time(7), lane, call);
        markers.take_end(Time(8), lane, call);
        assert_eq!(markers.all().len(), MOST + 1);
        markers.remove(7);
        markers.add(Time(20_000), lane, MarkerKind::Note, String::new());
        assert_eq!(markers.moment_before(Time::NEVER), Some(Time(20_000)));
    }
}
