//! Errors of a call that its caller met where it asked for a result.

use crate::event::LaneId;
use crate::time::Time;
use crate::trace::Call;
use std::collections::BTreeMap;

/// A caller got the error of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorMet {
    pub at: Time,
    lane: LaneId,
    /// The first task of the chunk.
    pub(in crate::trace) first: u32,
}

/// By the moment and the lane, and within a lane as they were told. One that is asked for again counts as of
/// the first time.
#[derive(Clone, Debug, Default)]
pub(super) struct AllMet {
    /// Before them there may be room, so that those who are told backwards need not move.
    all: Vec<ErrorMet>,
    /// Where they begin.
    begin: usize,
    /// When that of the chunk which begins with a task was met.
    moments: BTreeMap<u32, (Time, LaneId)>,
}

/// How much room there is, is no fact.
impl PartialEq for AllMet {
    fn eq(&self, other: &Self) -> bool {
        (self.all(), &self.moments) == (other.all(), &other.moments)
    }
}

impl AllMet {
    fn all(&self) -> &[ErrorMet] {
        &self.all[self.begin..]
    }

    /// Puts one in its place. Answers how many others were moved: those before it, or those behind it if they are
    /// fewer.
    fn insert(&mut self, new: ErrorMet) -> usize {
        let key = |met: &ErrorMet| (met.at, met.lane);
        let all = self.all();
        let before = all.partition_point(|other| key(other) <= key(&new));
        let behind = all.len() - before;
        if behind <= before {
            self.all.insert(self.begin + before, new);
            return behind;
        }
        let made = if self.begin == 0 { self.make_room() } else { 0 };
        self.all
            .copy_within(self.begin..self.begin + before, self.begin - 1);
        self.begin -= 1;
        self.all[self.begin + before] = new;
        made + before
    }

    /// As much room before them as they take themselves.
    fn make_room(&mut self) -> usize {
        let count = self.all.len();
        if let Some(&first) = self.all.first() {
            self.all.splice(0..0, std::iter::repeat_n(first, count));
            self.begin = count;
        }
        count
    }

    /// Takes the error of a chunk away, which was met at this moment.
    fn take(&mut self, first: u32, (at, lane): (Time, LaneId)) {
        let before = self
            .all()
            .partition_point(|other| (other.at, other.lane) < (at, lane));
        let same = self.all()[before..].iter();
        if let Some(nth) = same.clone().position(|other| other.first == first) {
            self.all.remove(self.begin + before + nth);
        }
    }
}

impl Call {
    /// The caller got the error of the chunk that begins with this task.
    pub(in crate::trace) fn meet_error(&mut self, first: u32, at: Time, lane: LaneId) {
        let met = &mut self.met;
        if let Some(known) = met.moments.get(&first).copied() {
            if known <= (at, lane) {
                return;
            }
            met.take(first, known);
        }
        met.moments.insert(first, (at, lane));
        met.insert(ErrorMet { at, lane, first });
    }

    /// What callers met by `time`, by time.
    pub(in crate::trace) fn errors_met_until(&self, time: Time) -> &[ErrorMet] {
        let all = self.met.all();
        &all[..all.partition_point(|met| met.at <= time)]
    }

    /// When a caller got the error of the chunk that begins with this task; of a call that raises as a whole, that
    /// of its first task.
    pub fn error_met_at(&self, first: u32) -> Option<Time> {
        let (at, _) = self.met.moments.get(&first)?;
        Some(*at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::CallId;

    #[test]
    fn an_error_counts_as_of_the_first_time_in_whatever_order_it_is_told() {
        let told = [(3, 5, 0), (1, 5, 0), (3, 9, 1), (2, 4, 1), (1, 2, 1)];
        let call = |told: &mut dyn Iterator<Item = &(u32, u64, u32)>| {
            let mut call = Call::unseen(Time(0), LaneId(0), CallId(0));
            told.for_each(|&(first, at, lane)| call.meet_error(first, Time(at), LaneId(lane)));
            call
        };
        let one = call(&mut told.iter());
        let seen: Vec<_> = one.errors_met_until(Time(5)).iter().collect();
        let seen: Vec<_> = seen.iter().map(|met| (met.at.0, met.first)).collect();
        assert_eq!(seen, [(2, 1), (4, 2), (5, 3)]);
        assert_eq!(one.error_met_at(1), Some(Time(2)));
        assert_eq!(one.error_met_at(7), None);
        assert_eq!(one.met, call(&mut told.iter().rev()).met);
    }

    #[test]
    fn errors_told_backwards_hardly_move_each_other() {
        let error = |at| ErrorMet {
            at: Time(at),
            lane: LaneId(0),
            first: at as u32,
        };
        let told = |all: &mut dyn Iterator<Item = u64>| {
            let mut met = AllMet::default();
            let moved: usize = all.map(|at| met.insert(error(at))).sum();
            (met, moved)
        };
        let count = 10_000;
        let (forth, moved) = told(&mut (0..count));
        assert_eq!(moved, 0);
        let (back, moved) = told(&mut (0..count).rev());
        assert!(moved < 2 * count as usize, "{moved}");
        // Both ends in turn.
        let mut mixed = (0..count / 2).flat_map(|k| [count / 2 - 1 - k, count / 2 + k]);
        let (mixed, moved) = told(&mut mixed);
        assert!(moved < 2 * count as usize, "{moved}");
        assert_eq!(forth.all(), (0..count).map(error).collect::<Vec<_>>());
        assert!(forth == back && forth == mixed);
    }
}
