//! What only the program itself knew, as it was told.

use super::{MarkerKind, Trace};
use crate::event::{LaneId, LaneKind, Note, NoteKind};
use crate::time::Time;

/// The quantity of what watching took of a process so far, in nanoseconds.
const WATCHING: &str = "watching";

/// Notes that are kept; the first ones, if there are more.
const MOST: usize = 10_000;

/// A note with its moment and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct TimedNote {
    pub at: Time,
    pub lane: LaneId,
    /// Its text is cut at [`MOST_TEXT`](super::MOST_TEXT).
    pub note: Note,
}

impl Trace {
    /// By time. What watching costs is no note, see [`Trace::watching_share`], nor is an error that a caller got,
    /// see [`Trace::received`].
    pub fn notes(&self) -> &[TimedNote] {
        &self.notes
    }

    /// What watching took of the overhead of all workers whose processes told it, up to `time`.
    pub fn watching_share(&self, time: Time) -> Option<f64> {
        let (mut cost, mut overhead) = (0.0, 0.0);
        for (&lane, told) in self.samples.get(WATCHING).into_iter().flatten() {
            let known = told.partition_point(|sample| sample.0 <= time);
            let lane = self.lane(lane);
            let lane = lane.filter(|lane| lane.facts.kind == LaneKind::Worker);
            if let (Some(lane), Some(&(_, value))) = (lane, told[..known].last()) {
                cost += value;
                overhead += lane.overhead_until(time).0 as f64;
            }
        }
        // Records between tasks that are not seen as overhead are its all the same.
        (cost > 0.0).then(|| cost / overhead.max(cost))
    }

    /// How many processes were not watched by then, in words, and why not the last of them.
    pub fn unwatched(&self, time: Time) -> Option<String> {
        let known = self.notes.partition_point(|note| note.at <= time);
        let is_one =
            |note: &&TimedNote| matches!(note.note.kind, NoteKind::Unwatched | NoteKind::Refused);
        let last = self.notes[..known].iter().rfind(is_one)?;
        let value = self.counts(time).unwatched.cast_signed();
        let all = Note {
            value,
            ..last.note.clone()
        };
        all.words()
    }

    pub(super) fn note(&mut self, at: Time, lane: LaneId, mut note: Note) {
        if let Some(text) = note.words() {
            self.markers.add(at, lane, MarkerKind::Note, text);
        }
        if note.kind == NoteKind::ProbeCost {
            // Told every second of every process, and asked for with every frame.
            return self.measure(WATCHING.to_owned(), lane, at, note.value as f64);
        }
        if let (NoteKind::ErrorTaken, Some(call), Ok(first)) =
            (note.kind, note.call, u32::try_from(note.value))
        {
            // There may be as many of them as tasks.
            return self.call_mut(call, at, lane).meet_error(first, at, lane);
        }
        let count = u32::try_from(note.value).unwrap_or_default();
        match note.kind {
            NoteKind::Unwatched => self.tallies.unwatched.add(at, count),
            NoteKind::Refused => {
                self.tallies.unwatched.add(at, count);
                self.tallies.refused.add(at, count);
            }
            _ => {}
        }
        if note.kind == NoteKind::ExitCode
            && let Some(lane) = self.lane_mut(lane, at)
        {
            lane.exit = i32::try_from(note.value).ok();
        }
        note.text = super::text::cut(note.text);
        let place = self
            .notes
            .partition_point(|other| (other.at, other.lane) <= (at, lane));
        self.notes.insert(place, TimedNote { at, lane, note });
        if self.notes.len() > MOST
            && let Some(last) = self.notes.pop()
        {
            self.tallies.dropped.add(last.at, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Category, Event, Kind, LaneOpened, NamedSpan};

    #[test]
    fn what_watching_took_is_a_share_of_the_overhead() {
        let told = |at: u64, kind| Event {
            at: Time(at),
            lane: LaneId(1),
            kind,
        };
        let cost = |value| {
            Kind::Noted(Box::new(Note {
                kind: NoteKind::ProbeCost,
                pool: None,
                call: None,
                text: String::new(),
                value,
            }))
        };
        let worker = LaneOpened {
            kind: LaneKind::Worker,
            pool: None,
            name: "worker 0".to_owned(),
            pid: None,
            tid: None,
        };
        let span = NamedSpan {
            name: "pickle".to_owned(),
            category: Category::Overhead,
            since: Time::ZERO,
        };
        let mut trace = Trace::default();
        trace.apply(vec![
            told(0, Kind::LaneOpened(Box::new(worker))),
            told(40, Kind::Span(Box::new(span))),
            told(50, cost(10)),
            told(60, cost(20)),
        ]);
        assert_eq!(trace.watching_share(Time(49)), None);
        assert_eq!(trace.watching_share(Time(50)), Some(0.25));
        assert_eq!(trace.watching_share(Time(60)), Some(0.5));
    }
}
