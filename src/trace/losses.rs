//! Events that were not seen: where and between which moments they happened.

use super::{CallerTrace, Lane, Trace};
use crate::event::LaneId;
use crate::time::Time;
use std::collections::BTreeMap;

/// Losses that are kept one by one; the first ones, if there are more.
const MOST: usize = 10_000;

/// Events of a lane that were not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// They happened between these two moments; the first is the last that is known of the lane.
    pub since: Time,
    pub at: Time,
    pub lane: LaneId,
    pub count: u32,
}

/// The losses of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Losses {
    /// By time.
    first: Vec<Loss>,
    /// All later ones, each lane's as one.
    rest: BTreeMap<LaneId, Loss>,
}

impl Losses {
    fn all(&self) -> impl Iterator<Item = &Loss> {
        self.first.iter().chain(self.rest.values())
    }

    /// Those that a count from one moment to another may have missed. Of the later ones it is not known any
    /// more when each was.
    pub(super) fn between(&self, from: Time, to: Time) -> impl Iterator<Item = &Loss> {
        let begin = self.first.partition_point(|loss| loss.at < from);
        let end = self.first.partition_point(|loss| loss.at <= to).max(begin);
        let rest = self.rest.values();
        let rest = rest.filter(move |loss| loss.since <= to && from <= loss.at);
        self.first[begin..end].iter().chain(rest)
    }

    fn add(&mut self, loss: Loss) {
        let place = self
            .first
            .partition_point(|other| (other.at, other.lane) <= (loss.at, loss.lane));
        self.first.insert(place, loss);
        if self.first.len() > MOST
            && let Some(last) = self.first.pop()
        {
            let rest = self.rest.entry(last.lane);
            rest.and_modify(|all| all.extend(last)).or_insert(last);
        }
    }
}

impl Loss {
    /// Makes one of two of the same lane.
    fn extend(&mut self, other: Self) {
        self.since = self.since.min(other.since);
        self.at = self.at.max(other.at);
        self.count = self.count.saturating_add(other.count);
    }
}

impl Trace {
    /// By time. Where there are very many the later ones of each lane are told as one, behind all others.
    pub fn losses(&self) -> impl Iterator<Item = &Loss> {
        self.losses.all()
    }

    pub(super) fn lose_events(&mut self, at: Time, lane: LaneId, count: u32) {
        self.tallies.dropped.add(at, count);
        let worker = self.lane(lane).map(Lane::told_until);
        let caller = self.caller_of(lane).and_then(CallerTrace::told_until);
        let since = worker.max(caller).unwrap_or(Time::ZERO);
        self.losses.add(Loss {
            since,
            at,
            lane,
            count,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(at: u64) -> Loss {
        Loss {
            since: Time(at - 1),
            at: Time(at),
            lane: LaneId((at % 3) as u32),
            count: 2,
        }
    }

    #[test]
    fn of_very_many_the_later_ones_of_a_lane_are_one_in_whatever_order_they_come() {
        let all = 1..=12_000;
        let (mut forth, mut back) = (Losses::default(), Losses::default());
        all.clone().for_each(|at| forth.add(loss(at)));
        all.rev().for_each(|at| back.add(loss(at)));
        assert_eq!(forth, back);
        assert_eq!(forth.all().count(), MOST + 3);
        let counts = forth.all().map(|loss| loss.count);
        assert_eq!(counts.sum::<u32>(), 24_000);
        let last = forth.all().last().unwrap();
        let expected = Loss {
            since: Time(10_000),
            at: Time(11_999),
            lane: LaneId(2),
            count: 2 * 667,
        };
        assert_eq!(last, &expected);
    }

    #[test]
    fn a_count_may_have_missed_what_was_lost_meanwhile() {
        let mut losses = Losses::default();
        (1..=12_000).for_each(|at| losses.add(loss(at)));
        let between = |from, to| losses.between(Time(from), Time(to)).count();
        assert_eq!(between(5, 8), 4);
        assert_eq!(between(9_999, 10_000), 2 + 1);
        assert_eq!(between(11_000, 11_005), 3);
        assert_eq!(between(12_001, 13_000), 0);
    }
}
