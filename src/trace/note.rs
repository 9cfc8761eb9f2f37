//! What only the program itself knew, as it was told.

use super::Trace;
use crate::event::{LaneId, LaneKind, Note, NoteKind};
use crate::time::Time;
use std::collections::BTreeMap;

/// A note with its moment and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedNote {
    pub at: Time,
    pub lane: LaneId,
    /// Its text is cut at [`MOST_TEXT`](super::MOST_TEXT).
    pub note: Note,
}

/// Events of a lane that were not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// They happened between these two moments; the first is the last that is known of the lane.
    pub since: Time,
    pub at: Time,
    pub lane: LaneId,
    pub count: u32,
}

impl Trace {
    /// By time.
    pub fn notes(&self) -> &[TimedNote] {
        &self.notes
    }

    /// By time.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// What watching took of the overhead of all workers whose processes told it, up to `time`.
    pub fn watching_share(&self, time: Time) -> Option<f64> {
        let told = self.notes.partition_point(|note| note.at <= time);
        let costs: BTreeMap<LaneId, i64> = self.notes[..told]
            .iter()
            .filter(|note| note.note.kind == NoteKind::ProbeCost)
            .map(|note| (note.lane, note.note.value))
            .collect();
        let (mut cost, mut overhead) = (0.0, 0.0);
        for (&lane, &value) in &costs {
            let lane = self.lane(lane);
            if let Some(lane) = lane.filter(|lane| lane.facts.kind == LaneKind::Worker) {
                cost += value as f64;
                overhead += lane.overhead_until(time).0 as f64;
            }
        }
        // Records between tasks that are not seen as overhead are its all the same.
        (cost > 0.0).then(|| cost / overhead.max(cost))
    }

    pub(super) fn note(&mut self, at: Time, lane: LaneId, mut note: Note) {
        note.text = super::text::cut(note.text);
        let place = self
            .notes
            .partition_point(|other| (other.at, other.lane) <= (at, lane));
        self.notes.insert(place, TimedNote { at, lane, note });
    }

    pub(super) fn lose_events(&mut self, at: Time, lane: LaneId, count: u32) {
        self.tallies.dropped.add(at, count);
        let since = self
            .lane(lane)
            .map(super::Lane::told_until)
            .max(
                self.caller_of(lane)
                    .and_then(super::CallerTrace::told_until),
            )
            .unwrap_or(Time::ZERO);
        let place = self
            .losses
            .partition_point(|other| (other.at, other.lane) <= (at, lane));
        self.losses.insert(
            place,
            Loss {
                since,
                at,
                lane,
                count,
            },
        );
    }
}
