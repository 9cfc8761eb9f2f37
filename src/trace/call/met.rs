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
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct AllMet {
    all: Vec<ErrorMet>,
    /// When that of the chunk which begins with a task was met.
    moments: BTreeMap<u32, (Time, LaneId)>,
}

impl Call {
    /// The caller got the error of the chunk that begins with this task.
    pub(in crate::trace) fn meet_error(&mut self, first: u32, at: Time, lane: LaneId) {
        let AllMet { all, moments } = &mut self.met;
        if let Some(known) = moments.get(&first).copied() {
            if known <= (at, lane) {
                return;
            }
            all.retain(|other| other.first != first);
        }
        moments.insert(first, (at, lane));
        let place = all.partition_point(|other| (other.at, other.lane) <= (at, lane));
        all.insert(place, ErrorMet { at, lane, first });
    }

    /// What callers met by `time`, by time.
    pub(in crate::trace) fn errors_met_until(&self, time: Time) -> &[ErrorMet] {
        let all = &self.met.all;
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
}
