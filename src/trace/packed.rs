//! A long list that takes little memory: rows are added at its end, or near it, and read anywhere.
//!
//! ```text
//! [ packed | packed | packed ][ the newest rows as they are ]
//! ```
//!
//! What is no longer among the newest is packed, a block at a time: of each field only the bits in which
//! the rows of the block differ. A row that comes late is put between the newest; only one that comes
//! very late has blocks unpacked.

use super::bits::{Width, bytes_for, read, write};
use std::ops::Range;

/// Rows in a packed block.
const BLOCK: usize = 256;

/// As many rows or more are the newest: events of several lanes are rarely later than that, and what a
/// screen shows of an ordinary run is read without unpacking.
const NEWEST: usize = 4096;

/// Rows that are unpacked stay so until they are half as many again: whoever came very late is often
/// followed by others.
fn room_behind(newest: usize) -> usize {
    (newest + newest / 2).max(NEWEST + BLOCK)
}

/// A row that can be written as numbers. `u64::MAX` stands for nothing.
pub trait Row: Copy {
    type Numbers: AsRef<[u64]> + AsMut<[u64]> + Copy + Default;

    /// Numbers that differ little from row to row take little room, so a running count is best told by
    /// how far it is from the `place`.
    fn numbers(&self, place: usize) -> Self::Numbers;

    fn from_numbers(numbers: Self::Numbers, place: usize) -> Self;
}

impl Row for u32 {
    type Numbers = [u64; 1];

    fn numbers(&self, _: usize) -> [u64; 1] {
        [u64::from(*self)]
    }

    fn from_numbers([number]: [u64; 1], _: usize) -> Self {
        number as Self
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Packed<T> {
    blocks: Vec<Block>,
    newest: Vec<T>,
    /// As many are the newest before any are packed.
    room: usize,
}

/// Rows of equally many bits, one after another.
#[derive(Clone, Debug)]
struct Block {
    widths: Box<[Width]>,
    /// Of a row.
    bits: usize,
    rows: Box<[u8]>,
}

impl<T> Default for Packed<T> {
    fn default() -> Self {
        Self {
            blocks: Vec::new(),
            newest: Vec::new(),
            room: NEWEST + BLOCK,
        }
    }
}

/// Where the packed blocks end is no fact.
impl<T: Row + PartialEq> PartialEq for Packed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.all().iter().eq(other.all().iter())
    }
}

impl<T: Row> Packed<T> {
    pub(super) fn len(&self) -> usize {
        self.packed() + self.newest.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn packed(&self) -> usize {
        self.blocks.len() * BLOCK
    }

    pub(super) fn all(&self) -> List<'_, T> {
        self.part(0..self.len())
    }

    pub(super) fn part(&self, places: Range<usize>) -> List<'_, T> {
        let end = places.end.min(self.len());
        List {
            of: self,
            first: places.start.min(end),
            end,
        }
    }

    pub(super) fn get(&self, place: usize) -> Option<T> {
        (place < self.len()).then(|| self.row(place))
    }

    #[inline]
    fn row(&self, place: usize) -> T {
        match place.checked_sub(self.packed()) {
            Some(newest) => self.newest[newest],
            None => self.packed_row(place),
        }
    }

    #[inline(never)]
    fn packed_row(&self, place: usize) -> T {
        self.blocks[place / BLOCK].row(place)
    }

    pub(super) fn last(&self) -> Option<T> {
        match self.newest.last() {
            Some(&last) => Some(last),
            None => self.get(self.len().checked_sub(1)?),
        }
    }

    /// How many rows at the begin are so, none behind them being so.
    pub(super) fn partition_point(&self, mut is_so: impl FnMut(&T) -> bool) -> usize {
        match self.newest.first() {
            // Mostly it is about the newest.
            Some(first) if is_so(first) => self.packed() + self.newest.partition_point(is_so),
            _ => self.part(0..self.packed()).partition_point(is_so),
        }
    }

    pub(super) fn push(&mut self, row: T) {
        self.newest.push(row);
        self.pack();
    }

    fn pack(&mut self) {
        if self.newest.len() < self.room {
            return;
        }
        let count = (self.newest.len() - NEWEST) / BLOCK * BLOCK;
        for rows in self.newest[..count].chunks_exact(BLOCK) {
            let place = self.blocks.len() * BLOCK;
            self.blocks.push(Block::of(rows, place));
        }
        self.newest.drain(..count);
        self.room = NEWEST + BLOCK;
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        self.unpack(self.len().checked_sub(1)?);
        self.newest.pop()
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut T> {
        self.unpack(self.len().checked_sub(1)?);
        self.newest.last_mut()
    }

    /// Puts a row before the one that has this place.
    pub(super) fn insert(&mut self, place: usize, row: T) {
        self.unpack(place);
        self.newest.insert(place - self.packed(), row);
        self.pack();
    }

    /// Takes off all rows from this place on.
    pub(super) fn split_off(&mut self, place: usize) -> Vec<T> {
        let place = place.min(self.len());
        self.unpack(place);
        self.newest.split_off(place - self.packed())
    }

    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.unpack(len);
            self.newest.truncate(len - self.packed());
        }
    }

    /// The row at `place` and all behind it can be changed.
    fn unpack(&mut self, place: usize) {
        let keep = place.min(self.packed()) / BLOCK;
        if keep == self.blocks.len() {
            return;
        }
        let first = keep * BLOCK;
        let rows: Vec<T> = self.part(first..self.packed()).iter().collect();
        self.blocks.truncate(keep);
        self.newest.splice(..0, rows);
        self.room = room_behind(self.newest.len());
    }
}

impl Block {
    fn of<T: Row>(rows: &[T], first: usize) -> Self {
        let numbers: Vec<T::Numbers> = rows
            .iter()
            .enumerate()
            .map(|(k, row)| row.numbers(first + k))
            .collect();
        let fields = T::Numbers::default().as_ref().len();
        let mut widths: Box<[Width]> = (0..fields)
            .map(|field| Width::of(numbers.iter().map(|row| row.as_ref()[field])))
            .collect();
        // A whole word can only be read where a byte begins.
        if widths.iter().any(|width| width.bits == u64::BITS) {
            for width in &mut widths {
                width.bits = width.bits.next_multiple_of(8);
            }
        }
        let bits = widths.iter().map(|width| width.bits as usize).sum();
        let mut codes = vec![0; bytes_for(rows.len() * bits)];
        let mut bit = 0;
        for row in &numbers {
            for (&number, &width) in row.as_ref().iter().zip(&widths) {
                if let Some(code) = width.code(number).filter(|_| width.bits > 0) {
                    write(&mut codes, bit, width, code);
                    bit += width.bits as usize;
                }
            }
        }
        Self {
            widths,
            bits,
            rows: codes.into(),
        }
    }

    fn row<T: Row>(&self, place: usize) -> T {
        let mut numbers = T::Numbers::default();
        let mut bit = place % BLOCK * self.bits;
        for (number, &width) in numbers.as_mut().iter_mut().zip(&self.widths) {
            *number = width.number(read(&self.rows, bit, width));
            bit += width.bits as usize;
        }
        T::from_numbers(numbers, place)
    }
}

/// Rows of a long list that follow one another; they are read as of a slice, but by value.
#[derive(Debug)]
pub struct List<'a, T> {
    of: &'a Packed<T>,
    first: usize,
    end: usize,
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<'_, T> {}

impl<'a, T: Row> List<'a, T> {
    pub fn len(self) -> usize {
        self.end - self.first
    }

    pub fn is_empty(self) -> bool {
        self.first == self.end
    }

    pub fn get(self, place: usize) -> Option<T> {
        (place < self.len()).then(|| self.of.get(self.first + place))?
    }

    pub fn first(self) -> Option<T> {
        self.get(0)
    }

    /// The rows in place, if none of them is packed: those of an ordinary run, which are read without a copy.
    #[inline]
    pub fn as_slice(self) -> Option<&'a [T]> {
        let packed = self.of.packed();
        let newest = self.first.checked_sub(packed)?..self.end.checked_sub(packed)?;
        self.of.newest.get(newest)
    }

    pub fn last(self) -> Option<T> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Those of these places; what lies beyond the end is left out.
    #[must_use]
    pub fn part(self, places: Range<usize>) -> Self {
        let at = |place: usize| self.end.min(self.first.saturating_add(place));
        let first = at(places.start);
        Self {
            first,
            end: at(places.end).max(first),
            ..self
        }
    }

    pub fn iter(self) -> impl ExactSizeIterator<Item = T> + DoubleEndedIterator + Clone + 'a {
        // Both ends are places of the list.
        (self.first..self.end).map(move |place| self.of.row(place))
    }

    /// The first row and every so many after it; those between them are not read, as they would be if
    /// `step_by` skipped them.
    pub fn every(self, step: usize) -> impl ExactSizeIterator<Item = T> + 'a {
        let places = (self.first..self.end).step_by(step.max(1));
        places.map(move |place| self.of.row(place))
    }

    /// How many rows at the begin are so, none behind them being so.
    pub fn partition_point(self, mut is_so: impl FnMut(&T) -> bool) -> usize {
        let (mut first, mut end) = (0, self.len());
        while first < end {
            let middle = first.midpoint(end);
            match self.get(middle) {
                Some(row) if is_so(&row) => first = middle + 1,
                _ => end = middle,
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::super::bits::NONE;
    use super::*;
    use std::cell::Cell;

    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Pair(u64, Option<u32>);

    impl Row for Pair {
        type Numbers = [u64; 2];

        fn numbers(&self, place: usize) -> [u64; 2] {
            [self.0, self.1.map_or(NONE, |k| u64::from(k) + place as u64)]
        }

        fn from_numbers([number, k]: [u64; 2], place: usize) -> Self {
            let k = (k != NONE).then(|| (k - place as u64) as u32);
            Self(number, k)
        }
    }

    /// Rows of every width, some of nothing.
    fn rows(count: u64) -> Vec<Pair> {
        let number = |k: u64| match k % 1_000 {
            0 => NONE,
            999 => NONE - 1,
            _ => k * k * 1_000_003 % (1 << (k / 300 % 60)),
        };
        let count = 0..count;
        let known = |k: u64| (!k.is_multiple_of(7)).then_some(k as u32 % 5);
        count.map(|k| Pair(number(k), known(k))).collect()
    }

    fn packed(rows: &[Pair]) -> Packed<Pair> {
        let mut packed = Packed::default();
        for &row in rows {
            packed.push(row);
        }
        packed
    }

    #[test]
    fn what_is_packed_reads_as_it_was() {
        let rows = rows(80_000);
        let packed = packed(&rows);
        assert!(packed.packed() > 75_000);
        assert!(packed.all().iter().eq(rows.iter().copied()));
        let part = packed.part(700..900).part(10..500);
        assert!(part.iter().eq(rows[710..900].iter().copied()));
        assert_eq!((part.first(), part.get(190)), (Some(rows[710]), None));
    }

    /// A row that counts how often one is read.
    #[derive(Clone, Copy)]
    struct Counted;

    thread_local! {
        static READ: Cell<usize> = const { Cell::new(0) };
    }

    impl Row for Counted {
        type Numbers = [u64; 1];

        fn numbers(&self, _: usize) -> [u64; 1] {
            [0]
        }

        fn from_numbers(_: [u64; 1], _: usize) -> Self {
            READ.set(READ.get() + 1);
            Self
        }
    }

    #[test]
    fn rows_that_are_skipped_are_not_read() {
        let rows = rows(20_000);
        let packed = packed(&rows);
        let part = packed.part(700..15_000);
        for step in [0, 1, 7, 300, 20_000] {
            let expected = rows[700..15_000].iter().step_by(step.max(1)).copied();
            assert!(part.every(step).eq(expected), "{step}");
        }
        let mut counted = Packed::default();
        (0..20_000).for_each(|_| counted.push(Counted));
        READ.set(0);
        assert_eq!(counted.part(0..10_000).every(1_000).count(), 10);
        assert_eq!(READ.get(), 10);
    }

    #[test]
    fn a_row_can_come_at_any_place() {
        let mut rows = rows(12_000);
        let mut packed = packed(&rows);
        for place in [12_000, 11_999, 6_000, 0, 255, 256] {
            rows.insert(place, Pair(1, None));
            packed.insert(place, Pair(1, None));
        }
        assert!(packed.all().iter().eq(rows.iter().copied()));
        let behind = packed.split_off(100);
        assert_eq!(behind, rows.split_off(100));
        assert!(packed.all().iter().eq(rows.iter().copied()));
    }

    #[test]
    fn rows_that_all_come_late_are_not_packed_and_unpacked_each_time() {
        let mut packed = packed(&rows(12_000));
        let mut blocks = packed.blocks.len();
        let mut changes = 0;
        for _ in 0..1_000 {
            packed.insert(packed.len() - 2 * NEWEST, Pair(1, None));
            packed.push(Pair(2, None));
            changes += usize::from(packed.blocks.len() != blocks);
            blocks = packed.blocks.len();
        }
        assert!(changes < 5, "{changes}");
    }

    #[test]
    fn all_can_be_taken_off_again() {
        let mut rows = rows(12_000);
        let mut packed = packed(&rows);
        while let Some(row) = packed.pop() {
            assert_eq!(Some(row), rows.pop());
        }
        assert!(rows.is_empty() && packed.is_empty());
    }
}
