//! The tasks of a call that failed: how many, and which of them its main program hears of.
//!
//! One that failed later than another, and stands behind it, is never the first in any sense. So few are kept,
//! however many failed, and to find the first as of any moment is a binary search.

use super::tally::Tally;
use crate::time::Time;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Failures {
    count: Tally,
    /// By time, and the later the lower the index.
    firsts: Vec<(Time, u32)>,
}

impl Failures {
    pub(super) fn add(&mut self, at: Time, index: u32) {
        self.count.add(at, 1);
        let place = self.firsts.partition_point(|&first| first < (at, index));
        let before = place.checked_sub(1).map(|place| self.firsts[place].1);
        if before.is_some_and(|before| before < index) {
            return;
        }
        let behind = self.firsts[place..].iter();
        let passed = behind.take_while(|first| first.1 > index).count();
        self.firsts.splice(place..place + passed, [(at, index)]);
    }

    /// How many had failed at `time`.
    pub(super) fn count_until(&self, time: Time) -> u32 {
        self.count.count_until(time)
    }

    /// The first that failed, of those that had at `time`; of several at one moment the first submitted.
    pub(super) fn first_to_fail(&self, time: Time) -> Option<u32> {
        let first = self.firsts.first().filter(|first| first.0 <= time);
        first.map(|first| first.1)
    }

    /// The first that was submitted, of those that had failed at `time`.
    pub(super) fn first_submitted(&self, time: Time) -> Option<u32> {
        let failed = self.firsts.partition_point(|first| first.0 <= time);
        self.firsts[..failed].last().map(|first| first.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failures_are_those_of_a_look_at_all_in_whatever_order_they_are_told() {
        let told = [
            (7, 4),
            (3, 9),
            (5, 6),
            (3, 8),
            (9, 0),
            (6, 7),
            (1, 9),
            (9, 2),
        ];
        for turn in 0..told.len() {
            let mut failures = Failures::default();
            let order = told.iter().cycle().skip(turn).take(told.len());
            for &(at, index) in order {
                failures.add(Time(at), index);
            }
            for time in 0..11 {
                let failed = || told.iter().filter(|failed| failed.0 <= time);
                let now = Time(time);
                assert_eq!(failures.count_until(now) as usize, failed().count());
                let first = failed().min().map(|first| first.1);
                assert_eq!(failures.first_to_fail(now), first);
                let lowest = failed().map(|failed| failed.1).min();
                assert_eq!(failures.first_submitted(now), lowest);
            }
        }
    }
}
