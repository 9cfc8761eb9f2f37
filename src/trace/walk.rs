//! The pieces of stretches that follow one another: each is found near where the one before was.

use super::{CpuPiece, Piece};
use crate::time::{Nanos, Span};

/// Goes along the pieces of a lane from left to right.
#[derive(Clone, Debug)]
pub struct Walk<'a, P> {
    pieces: &'a [P],
    /// What lies before is behind the last stretch.
    first: usize,
    /// No piece is longer, where pieces overlap.
    longest: Nanos,
}

impl<'a, P> Walk<'a, P> {
    pub(super) fn new(pieces: &'a [P], longest: Nanos) -> Self {
        Self {
            pieces,
            first: 0,
            longest,
        }
    }

    /// What is neither behind nor ahead, from where the walk is on.
    fn go(&mut self, behind: impl Fn(&P) -> bool, reached: impl Fn(&P) -> bool) -> &'a [P] {
        self.first += run(&self.pieces[self.first..], behind);
        let ahead = &self.pieces[self.first..];
        &ahead[..run(ahead, reached)]
    }
}

impl<'a> Walk<'a, Piece> {
    /// As [`super::Lane::pieces_in`]; no stretch begins before the last one.
    pub fn pieces_in(&mut self, stretch: Span) -> &'a [Piece] {
        let (start, end) = (stretch.start(), stretch.end());
        self.go(
            |piece| piece.end <= start && piece.start < start,
            |piece| piece.start < end,
        )
    }
}

impl<'a> Walk<'a, CpuPiece> {
    /// As [`super::CpuLane::pieces_in`]; no stretch begins before the last one.
    pub fn pieces_in(&mut self, stretch: Span) -> impl Iterator<Item = &'a CpuPiece> + use<'a> {
        let (start, end, longest) = (stretch.start(), stretch.end(), self.longest);
        let near = self.go(
            |piece| piece.start + longest <= start,
            |piece| piece.start < end,
        );
        near.iter().filter(move |piece| piece.end > start)
    }
}

/// How many pieces at the begin are so, none behind them being so: few are found at once, many by halves.
fn run<P>(pieces: &[P], is_so: impl Fn(&P) -> bool) -> usize {
    let (mut known, mut step) = (0, 1);
    while pieces.get(known + step - 1).is_some_and(&is_so) {
        known += step;
        step *= 2;
    }
    let end = pieces.len().min(known + step - 1);
    known + pieces[known..end].partition_point(is_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_any_length_is_found_whole() {
        for length in 0..70_usize {
            let pieces: Vec<usize> = (0..70).collect();
            assert_eq!(run(&pieces, |&piece| piece < length), length);
            assert_eq!(run(&pieces[..length], |_| true), length);
        }
    }
}
