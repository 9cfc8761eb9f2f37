//! Points in time worth jumping to.

use super::text::shorter;
use crate::event::LaneId;
use crate::time::Time;

/// The most bytes of a marker's text.
const MOST_TEXT: usize = 300;

/// Failed tasks that are marked; the first ones, if there are more.
const MOST_ERRORS: usize = 10_000;

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Marker {
    pub at: Time,
    pub lane: LaneId,
    pub kind: MarkerKind,
    pub text: String,
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
    errors: usize,
}

impl Markers {
    pub(super) fn all(&self) -> &[Marker] {
        &self.all
    }

    pub(super) fn add(&mut self, at: Time, lane: LaneId, kind: MarkerKind, text: String) {
        let place = self
            .all
            .partition_point(|marker| (marker.at, marker.lane) <= (at, lane));
        let text = shorter(text, MOST_TEXT);
        self.all.insert(
            place,
            Marker {
                at,
                lane,
                kind,
                text,
            },
        );
        if kind == MarkerKind::Error {
            self.errors += 1;
            if self.errors > MOST_ERRORS {
                self.errors -= 1;
                let is_error = |marker: &Marker| marker.kind == MarkerKind::Error;
                if let Some(last) = self.all.iter().rposition(is_error) {
                    self.all.remove(last);
                }
            }
        }
    }

    /// Takes back the first of this place whose text has `part` in it.
    pub(super) fn take(&mut self, at: Time, lane: LaneId, part: &str) {
        let found = self.all.iter().position(|marker| {
            (marker.at, marker.lane) == (at, lane) && marker.text.contains(part)
        });
        if let Some(place) = found {
            self.all.remove(place);
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
