//! Stretches of time that may overlap, by start: what reaches to a moment, and how much there was up to
//! it, without looking at all of them.

use super::packed::{List, Packed, Row};
use crate::time::{Nanos, Span, Time};

/// Stretches between two kept sums.
const BLOCK: usize = 64;

/// What can be kept so.
pub(super) trait Stretch: Row {
    fn span(&self) -> Span;

    /// The part of its length that is summed up apart; no more than its length.
    fn part(&self) -> Nanos;

    /// In what order those stand that start together.
    fn rank(&self) -> u32;
}

/// Lengths, and the parts of them that are summed up apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub length: Nanos,
    pub part: Nanos,
}

impl Held {
    fn plus(self, stretch: &impl Stretch) -> Self {
        Self {
            length: self.length + stretch.span().length(),
            part: self.part + stretch.part(),
        }
    }

    /// Without what of a stretch comes after `time`, as if its part were spread evenly.
    fn without_rest(self, stretch: &impl Stretch, time: Time) -> Self {
        let (span, part) = (stretch.span(), stretch.part());
        let length = span.length();
        let done = u128::from(part.0) * u128::from(time.since(span.start()).0);
        let done = Nanos((done / u128::from(length.0.max(1))) as u64);
        Self {
            length: self.length.saturating_sub(span.end().since(time)),
            part: self.part.saturating_sub(part.saturating_sub(done)),
        }
    }
}

/// What is kept of a whole block.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Of everything up to its end.
    sums: Held,
    last_end: Time,
    /// The last end of all up to its end.
    ends_by: Time,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Stretches<T> {
    all: Packed<T>,
    blocks: Vec<Block>,
}

impl<T> Default for Stretches<T> {
    fn default() -> Self {
        Self {
            all: Packed::default(),
            blocks: Vec::new(),
        }
    }
}

/// The sums follow from the stretches.
impl<T: Row + PartialEq> PartialEq for Stretches<T> {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl<T: Stretch> Stretches<T> {
    pub(super) fn add(&mut self, stretch: T) {
        let key = |stretch: &T| (stretch.span().start(), stretch.rank());
        let own = key(&stretch);
        let place = match self.all.last() {
            Some(last) if key(&last) > own => self.all.partition_point(|other| key(other) <= own),
            _ => self.all.len(),
        };
        self.all.insert(place, stretch);
        self.blocks.truncate(place / BLOCK);
    }

    /// Brings the kept sums up to date: after many are added, as one that is late undoes those behind it.
    pub(super) fn settle(&mut self) {
        while (self.blocks.len() + 1) * BLOCK <= self.all.len() {
            let first = self.blocks.len() * BLOCK;
            let before = self.blocks.last();
            let (mut sums, ends_by) = before.map_or((Held::default(), Time::ZERO), |before| {
                (before.sums, before.ends_by)
            });
            let mut last_end = Time::ZERO;
            for stretch in self.all.part(first..first + BLOCK).iter() {
                sums = sums.plus(&stretch);
                last_end = last_end.max(stretch.span().end());
            }
            self.blocks.push(Block {
                sums,
                last_end,
                ends_by: ends_by.max(last_end),
            });
        }
    }

    pub(super) fn all(&self) -> List<'_, T> {
        self.all.all()
    }

    fn begun(&self, time: Time) -> usize {
        self.all
            .partition_point(|stretch| stretch.span().start() < time)
    }

    /// Of the first so many those that end after `time`, by start.
    pub(super) fn reaching(&self, count: usize, time: Time) -> impl Iterator<Item = T> + '_ {
        let first = self.blocks.partition_point(|block| block.ends_by <= time);
        let end = (count / BLOCK).min(self.blocks.len()).max(first);
        let reach = (first..end).filter(move |&block| self.blocks[block].last_end > time);
        let blocks =
            reach.flat_map(|block| self.all.part(block * BLOCK..(block + 1) * BLOCK).iter());
        let rest = self.all.part(end * BLOCK..count).iter();
        blocks
            .chain(rest)
            .filter(move |stretch| stretch.span().end() > time)
    }

    /// Those that touch the span, by start.
    pub(super) fn in_span(&self, span: Span) -> impl Iterator<Item = T> + '_ {
        let (first, end) = (self.begun(span.start()), self.begun(span.end()));
        let inside = self.all.part(first..end).iter();
        self.reaching(first, span.start())
            .chain(inside.filter(move |stretch| stretch.span().end() > span.start()))
    }

    /// The last of them for which the claim holds.
    pub(super) fn last_in(&self, span: Span, claim: impl Fn(&T) -> bool) -> Option<T> {
        let (first, end) = (self.begun(span.start()), self.begun(span.end()));
        let mut inside = self.all.part(first..end).iter().rev();
        inside
            .find(|stretch| stretch.span().end() > span.start() && claim(stretch))
            .or_else(|| self.reaching(first, span.start()).filter(claim).last())
    }

    /// What there was up to `time`.
    pub(super) fn held_until(&self, time: Time) -> Held {
        let begun = self.begun(time);
        let block = (begun / BLOCK).min(self.blocks.len());
        let before = block.checked_sub(1).map(|last| self.blocks[last].sums);
        let rest = self.all.part(block * BLOCK..begun).iter();
        let held = rest.fold(before.unwrap_or_default(), |held, stretch| {
            held.plus(&stretch)
        });
        self.reaching(begun, time)
            .fold(held, |held, stretch| held.without_rest(&stretch, time))
    }

    /// The last end up to `time`.
    pub(super) fn ended_by(&self, time: Time) -> Option<Time> {
        let over = self.blocks.partition_point(|block| block.ends_by <= time);
        let before = over.checked_sub(1).map(|last| self.blocks[last].ends_by);
        let begun = self
            .all
            .partition_point(|stretch| stretch.span().start() <= time);
        let rest = self.all.part(over * BLOCK..begun).iter();
        let ends = rest.map(|stretch| stretch.span().end());
        before.max(ends.filter(|&end| end <= time).max())
    }
}

#[cfg(test)]
mod tests {
    use super::super::CpuPiece;
    use super::*;
    use crate::event::{CallId, LaneId, TaskId};
    use crate::trace::CpuLane;

    /// A few hundred pieces of several workers, one of them as long as all others together.
    fn pieces() -> Vec<(Span, Nanos, LaneId)> {
        let piece = |k: u64| {
            let start = k * 10 + k * 7 % 13;
            let length = if k == 70 { 4_000 } else { k * 11 % 29 };
            let span = Span::new(Time(start), Time(start + length));
            (span, Nanos(length / 2), LaneId(k as u32 % 3))
        };
        (0..400).map(piece).collect()
    }

    fn lane(pieces: impl Iterator<Item = (Span, Nanos, LaneId)>) -> CpuLane {
        let mut cpu = CpuLane::new(crate::event::CpuId(0));
        for (span, on_cpu, lane) in pieces {
            let (call, index) = (CallId(0), span.start().0 as u32);
            cpu.add(span, TaskId { call, index }, on_cpu, None, lane);
        }
        cpu.settle();
        cpu
    }

    #[test]
    fn what_touches_a_span_is_found_whatever_came_before_it() {
        let cpu = lane(pieces().into_iter());
        for (from, to) in [
            (0, 1),
            (700, 760),
            (1_500, 1_501),
            (3_000, 5_000),
            (9_000, 9_999),
        ] {
            let span = Span::new(Time(from), Time(to));
            let touches = |piece: &CpuPiece| piece.start < span.end() && piece.end > span.start();
            let expected: Vec<_> = cpu.pieces().iter().filter(touches).collect();
            assert_eq!(cpu.pieces_in(span).collect::<Vec<_>>(), expected);
            let had_cpu = expected.iter().rfind(|piece| piece.had_cpu());
            assert_eq!(cpu.last_in(span), had_cpu.copied());
        }
    }

    #[test]
    fn what_there_was_up_to_a_moment_equals_a_recount() {
        let cpu = lane(pieces().into_iter());
        for time in [0, 5, 640, 733, 2_000, 4_400, 9_000].map(Time) {
            let before = Span::new(Time::ZERO, time);
            let all = pieces().into_iter();
            let length: Nanos = all.clone().map(|piece| piece.0.overlap(before)).sum();
            let part: f64 = all
                .map(|(span, part, _)| {
                    part.0 as f64 * span.overlap(before).0 as f64 / span.length().0.max(1) as f64
                })
                .sum();
            let held = cpu.held_until(time);
            assert_eq!(held.length, length, "{time:?}");
            assert!((held.part.0 as f64 - part).abs() < 2.0, "{time:?}");
        }
    }

    #[test]
    fn late_ones_are_put_between_the_others() {
        assert_eq!(lane(pieces().into_iter().rev()), lane(pieces().into_iter()));
        let late = lane(pieces().into_iter().rev());
        assert_eq!(
            late.held_until(Time(2_000)),
            lane(pieces().into_iter()).held_until(Time(2_000))
        );
    }
}
