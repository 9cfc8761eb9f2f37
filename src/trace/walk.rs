//! The pieces of stretches that follow one another: each is found near where the one before was.

use super::packed::Row;
use super::{CpuPiece, List, Piece};
use crate::time::Span;

/// Goes along the pieces of a lane from left to right.
#[derive(Clone, Debug)]
pub struct Walk<'a, P> {
    pieces: List<'a, P>,
    /// What lies before is behind the last stretch.
    first: usize,
}

impl<'a, P: Row> Walk<'a, P> {
    pub(super) fn new(pieces: List<'a, P>) -> Self {
        Self { pieces, first: 0 }
    }

    /// What is neither behind nor ahead, from where the walk is on.
    #[inline]
    fn go(&mut self, behind: impl Fn(&P) -> bool, reached: impl Fn(&P) -> bool) -> List<'a, P> {
        let rest = self.pieces.part(self.first..self.pieces.len());
        let (passed, near) = if let Some(rows) = rest.as_slice() {
            let passed = run(rows.len(), |place| behind(&rows[place]));
            let ahead = &rows[passed..];
            (passed, run(ahead.len(), |place| reached(&ahead[place])))
        } else {
            let is_so = |list: List<'_, P>, place, of: &dyn Fn(&P) -> bool| {
                list.get(place).is_some_and(|piece| of(&piece))
            };
            let passed = run(rest.len(), |place| is_so(rest, place, &behind));
            let ahead = rest.part(passed..rest.len());
            (
                passed,
                run(ahead.len(), |place| is_so(ahead, place, &reached)),
            )
        };
        self.first += passed;
        rest.part(passed..passed + near)
    }
}

impl<'a> Walk<'a, Piece> {
    /// As [`super::Lane::pieces_in`]; no stretch begins before the last one.
    pub fn pieces_in(&mut self, stretch: Span) -> List<'a, Piece> {
        let (start, end) = (stretch.start(), stretch.end());
        self.go(
            |piece| piece.end <= start && piece.start < start,
            |piece| piece.start < end,
        )
    }
}

impl<'a> Walk<'a, CpuPiece> {
    /// How many pieces began before a stretch, and those that begin in it; no stretch begins before the
    /// last one.
    pub fn starting_in(&mut self, stretch: Span) -> (usize, List<'a, CpuPiece>) {
        let (start, end) = (stretch.start(), stretch.end());
        let inside = self.go(|piece| piece.start < start, |piece| piece.start < end);
        (self.first, inside)
    }
}

/// How many of so many places are so, from the first on, none behind them being so: few are found at
/// once, many by halves.
#[inline]
pub(super) fn run(places: usize, is_so: impl Fn(usize) -> bool) -> usize {
    let (mut known, mut step) = (0, 1);
    while known + step <= places && is_so(known + step - 1) {
        known += step;
        step *= 2;
    }
    let mut end = places.min(known + step - 1);
    while known < end {
        let middle = known.midpoint(end);
        if is_so(middle) {
            known = middle + 1;
        } else {
            end = middle;
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use super::super::packed::Packed;
    use super::*;

    #[test]
    fn a_run_of_any_length_is_found_whole() {
        for length in 0..70 {
            assert_eq!(run(70, |place| place < length), length);
            assert_eq!(run(length, |_| true), length);
        }
    }

    #[test]
    fn packed_rows_are_walked_as_those_that_are_not() {
        let mut rows = Packed::<u32>::default();
        for row in 0..10_000 {
            rows.push(row);
        }
        let packed = rows.all();
        assert!(packed.as_slice().is_none() && packed.part(9_000..10_000).as_slice().is_some());
        let mut walk = Walk::new(packed);
        for begin in (0..10_000).step_by(7) {
            let near = walk.go(|&row| row < begin, |&row| row < begin + 20);
            assert!(near.iter().eq(begin..(begin + 20).min(10_000)));
        }
    }
}
