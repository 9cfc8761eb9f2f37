//! The pieces of stretches that follow one another: each is found near where the one before was.

use super::packed::Row;
use super::{CpuPiece, List, Piece};
use crate::time::{Nanos, Span};

/// Goes along the pieces of a lane from left to right.
#[derive(Clone, Debug)]
pub struct Walk<'a, P> {
    pieces: List<'a, P>,
    /// What lies before is behind the last stretch.
    first: usize,
    /// No piece is longer, where pieces overlap.
    longest: Nanos,
}

impl<'a, P: Row> Walk<'a, P> {
    pub(super) fn new(pieces: List<'a, P>, longest: Nanos) -> Self {
        Self {
            pieces,
            first: 0,
            longest,
        }
    }

    /// What is neither behind nor ahead, from where the walk is on.
    fn go(&mut self, behind: impl Fn(&P) -> bool, reached: impl Fn(&P) -> bool) -> List<'a, P> {
        let all = self.pieces.len();
        self.first += run(self.pieces.part(self.first..all), behind);
        let ahead = self.pieces.part(self.first..all);
        ahead.part(0..run(ahead, reached))
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
    /// As [`super::CpuLane::pieces_in`]; no stretch begins before the last one.
    pub fn pieces_in(&mut self, stretch: Span) -> impl Iterator<Item = CpuPiece> + use<'a> {
        let (start, end, longest) = (stretch.start(), stretch.end(), self.longest);
        let near = self.go(
            |piece| piece.start + longest <= start,
            |piece| piece.start < end,
        );
        near.iter().filter(move |piece| piece.end > start)
    }
}

/// How many pieces at the begin are so, none behind them being so: few are found at once, many by halves.
fn run<P: Row>(pieces: List<'_, P>, is_so: impl Fn(&P) -> bool) -> usize {
    let (mut known, mut step) = (0, 1);
    while pieces
        .get(known + step - 1)
        .is_some_and(|piece| is_so(&piece))
    {
        known += step;
        step *= 2;
    }
    let end = pieces.len().min(known + step - 1);
    known + pieces.part(known..end).partition_point(is_so)
}

#[cfg(test)]
mod tests {
    use super::super::packed::Packed;
    use super::*;

    #[test]
    fn a_run_of_any_length_is_found_whole() {
        let mut pieces = Packed::<u32>::default();
        for piece in 0..70 {
            pieces.push(piece);
        }
        for length in 0..70 {
            let part = pieces.part(0..length as usize);
            assert_eq!(run(pieces.all(), |&piece| piece < length), length as usize);
            assert_eq!(run(part, |_| true), length as usize);
        }
    }
}
