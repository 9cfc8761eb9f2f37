//! How many there were of something, from moment to moment; for what needs no identity.

use super::packed::{List, Packed, Row};
use crate::time::Time;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Sorted by time; each with the sum up to and including it.
    steps: Packed<(Time, u64)>,
}

impl Row for (Time, u64) {
    type Numbers = [u64; 2];

    fn numbers(&self, _: usize) -> [u64; 2] {
        [self.0.0, self.1]
    }

    fn from_numbers([at, sum]: [u64; 2], _: usize) -> Self {
        (Time(at), sum)
    }
}

/// One at each of these moments, which are in order.
impl FromIterator<Time> for Tally {
    fn from_iter<I: IntoIterator<Item = Time>>(moments: I) -> Self {
        let mut tally = Self::default();
        moments.into_iter().for_each(|at| tally.add(at, 1));
        tally
    }
}

impl Tally {
    /// Nothing at all leaves no step.
    pub(super) fn add(&mut self, at: Time, count: u32) {
        let count = u64::from(count);
        match self.steps.last_mut() {
            _ if count == 0 => {}
            Some(last) if last.0 == at => last.1 += count,
            Some(&mut (last, sum)) if last < at => self.steps.push((at, sum + count)),
            None => self.steps.push((at, count)),
            Some(_) => self.add_late(at, count),
        }
    }

    fn add_late(&mut self, at: Time, count: u64) {
        let behind = self.steps.split_off(self.place(at));
        let before = self.steps.last();
        match self.steps.last_mut() {
            Some(last) if last.0 == at => last.1 += count,
            _ => self
                .steps
                .push((at, before.map_or(0, |before| before.1) + count)),
        }
        for (at, sum) in behind {
            self.steps.push((at, sum + count));
        }
    }

    /// Takes back what was added at this moment, or a part of it.
    pub(super) fn take(&mut self, at: Time, count: u32) {
        let behind = self.steps.split_off(self.count_before(at));
        let mut before = self.steps.last().map_or(0, |before| before.1);
        let added = behind.first().filter(|first| first.0 == at);
        let count = added.map_or(0, |first| (first.1 - before).min(count.into()));
        for (at, sum) in behind {
            if sum - count > before {
                before = sum - count;
                self.steps.push((at, before));
            }
        }
    }

    /// How many steps there are before `time`.
    pub(super) fn count_before(&self, time: Time) -> usize {
        self.steps.partition_point(|step| step.0 < time)
    }

    /// How many steps there are up to `time`.
    fn place(&self, time: Time) -> usize {
        self.steps.partition_point(|step| step.0 <= time)
    }

    /// How many there had been at `time`, the moment itself included.
    pub fn count_until(&self, time: Time) -> u32 {
        u32::try_from(self.sum_until(time)).unwrap_or(u32::MAX)
    }

    /// The same where there may be very many.
    pub fn sum_until(&self, time: Time) -> u64 {
        self.until(time).last().map_or(0, |step| step.1)
    }

    /// Each moment at which there were more, with the sum, up to `time`.
    pub fn until(&self, time: Time) -> List<'_, (Time, u64)> {
        self.steps.part(0..self.place(time))
    }

    /// All of them.
    pub(super) fn steps(&self) -> List<'_, (Time, u64)> {
        self.steps.all()
    }

    /// The first moment after `time` at which there were more.
    pub fn moment_after(&self, time: Time) -> Option<Time> {
        self.steps.get(self.place(time)).map(|step| step.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_in_any_order_of_arrival() {
        let tally = |events: &[(u64, u32)]| {
            let mut tally = Tally::default();
            for &(at, count) in events {
                tally.add(Time(at), count);
            }
            tally
        };
        let sorted = tally(&[(1, 2), (4, 1), (4, 1), (9, 5)]);
        assert_eq!(sorted, tally(&[(9, 5), (4, 1), (1, 2), (4, 1)]));
        assert_eq!(
            [0, 1, 4, 8, 9].map(|at| sorted.count_until(Time(at))),
            [0, 2, 4, 4, 9]
        );
        let mut rest = sorted.clone();
        rest.take(Time(1), 2);
        rest.take(Time(4), 1);
        assert_eq!(rest, tally(&[(4, 1), (9, 5)]));
        // Nothing was added at these moments.
        for at in [0, 1, 6, 10] {
            rest.take(Time(at), 1);
        }
        assert_eq!(rest, tally(&[(4, 1), (9, 5)]));
    }
}
