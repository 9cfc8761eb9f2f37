//! What the workers of a place add up to that have ended: a pool that replaces each after a task has thousands of
//! them in one place, and what is asked of that with every frame must not read them all.
//!
//! Sums are kept every few workers, and thrown away from where something late is told of one.

use super::shares::Accounted;
use super::{Lane, Shares};
use crate::event::LaneId;
use crate::time::{Nanos, Time};
use std::ops::Range;

/// Workers between two kept sums. A place with fewer keeps none.
pub(super) const BLOCK: usize = 16;

/// The lanes of a trace, by number.
pub(super) type Lanes = [Option<Box<Lane>>];

/// What the workers up to one of them add up to.
#[derive(Clone, Debug)]
struct Sum {
    /// Up to here the time of the place is accounted for.
    until: Time,
    /// The last end of a piece.
    last_end: Time,
    /// Time inside tasks.
    busy: Nanos,
    /// While tasks were still to be dispatched, and after that.
    shares: [Shares; 2],
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    /// `sums[k]`: of the first `(k + 1) * BLOCK` workers.
    sums: Vec<Sum>,
}

/// The sums follow from the lanes.
impl PartialEq for Past {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Past {
    /// Something is told of the worker that has so many before it.
    pub(super) fn forget_from(&mut self, place: usize) {
        self.sums.truncate(place / BLOCK);
    }

    /// Brings the sums up to date, as far as all have ended: no more than two for each of so many changes, so that
    /// workers that are told in any order cost no more than others.
    pub(super) fn settle(&mut self, of: &[LaneId], lanes: &Lanes, changes: usize) {
        let known = self.sums.len() * BLOCK;
        let blocks = of[known..].chunks_exact(BLOCK);
        for block in blocks.take(changes.saturating_mul(2)) {
            let block = block.iter().map(|id| lanes.get(id.0 as usize)?.as_deref());
            let Some(sum) = self.next(block) else { return };
            self.sums.push(sum);
        }
    }

    /// The last sum with some more workers; `None` unless each has ended and no task of it went on.
    fn next<'a>(&self, mut block: impl Iterator<Item = Option<&'a Lane>>) -> Option<Sum> {
        let mut next = self.sums.last().cloned().unwrap_or(Sum {
            until: Time::ZERO,
            last_end: Time::ZERO,
            busy: Nanos::ZERO,
            shares: <[Shares; 2]>::default(),
        });
        block.try_for_each(|lane| next.add(lane?))?;
        Some(next)
    }

    /// Goes on over all workers that were over by `to`, if those up to the one that has `place` before it are
    /// accounted for as they are here. Answers how many are behind then.
    pub(super) fn skip(
        &self,
        place: usize,
        account: &mut Accounted,
        to: Time,
        dispatching: Time,
    ) -> Option<usize> {
        let first = sum_of(place)?;
        let before = self.sums.get(first)?;
        if before.until != account.until {
            return None;
        }
        let (kind, limit) = if dispatching <= account.until {
            (1, to)
        } else {
            (0, dispatching.min(to))
        };
        let over = self.sums.partition_point(|sum| sum.until <= limit);
        let last = over.checked_sub(1).filter(|&last| last > first)?;
        let sum = &self.sums[last];
        account.until = sum.until;
        account
            .shares
            .add(&sum.shares[kind].since(&before.shares[kind]));
        Some((last + 1) * BLOCK)
    }

    /// What those of these places had inside tasks that had had all of them by `to`, and how many are behind then.
    pub(super) fn busy_in(&self, places: Range<usize>, to: Time) -> Option<(Nanos, usize)> {
        let first = sum_of(places.start)?;
        let over = self.sums.partition_point(|sum| sum.last_end <= to);
        let last = over
            .min(places.end / BLOCK)
            .checked_sub(1)
            .filter(|&last| last > first)?;
        let busy = self.sums[last].busy.saturating_sub(self.sums[first].busy);
        Some((busy, (last + 1) * BLOCK))
    }

    /// So many workers at the least had no piece at `time` or after it.
    pub(super) fn over_before(&self, time: Time) -> usize {
        self.sums.partition_point(|sum| sum.last_end < time) * BLOCK
    }
}

/// The place of the sum of this many workers.
fn sum_of(workers: usize) -> Option<usize> {
    let is_end = workers.is_multiple_of(BLOCK);
    (workers / BLOCK).checked_sub(1).filter(|_| is_end)
}

impl Sum {
    fn add(&mut self, lane: &Lane) -> Option<()> {
        let (closed, _) = lane.closed?;
        let pieces = lane.pieces();
        if let (Some(first), Some(last)) = (pieces.first(), pieces.last()) {
            if first.start < lane.opened || lane.piece_at(closed).is_some() {
                return None;
            }
            self.last_end = self.last_end.max(last.end);
        }
        self.busy += lane.busy_until(Time::NEVER);
        let begun = self.until;
        for (shares, dispatching) in self.shares.iter_mut().zip([Time::NEVER, Time::ZERO]) {
            let mut account = Accounted {
                until: begun,
                shares: *shares,
            };
            account.pass(lane, Time::NEVER, dispatching, None);
            (self.until, *shares) = (account.until, account.shares);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
