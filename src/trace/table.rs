//! Numbers found by their index and written in any order: what is known of each task of a call.
//!
//! Indexes are kept in blocks. Within a block each field takes as many bits as its numbers there need, and
//! none at all while they are all the same: a million tasks that were submitted together have one such
//! moment for every block.

use super::bits::{NONE, Width, bytes_for, read, write};
use crate::event::Indexes;

/// Indexes in a block.
const BLOCK: usize = 512;

/// See the module. A number that was never written is [`NONE`].
#[derive(Clone, Debug)]
pub(super) struct Table<const FIELDS: usize> {
    len: usize,
    /// None: nothing was written there.
    blocks: Vec<Option<Box<[Strip; FIELDS]>>>,
}

impl<const FIELDS: usize> Default for Table<FIELDS> {
    fn default() -> Self {
        Self {
            len: 0,
            blocks: Vec::new(),
        }
    }
}

/// How the numbers are packed depends on the order in which they came, and is no fact.
impl<const FIELDS: usize> PartialEq for Table<FIELDS> {
    fn eq(&self, other: &Self) -> bool {
        let same =
            |index| (0..FIELDS).all(|field| self.get(field, index) == other.get(field, index));
        self.len == other.len && (0..self.len as u32).all(same)
    }
}

impl<const FIELDS: usize> Table<FIELDS> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// There are at least this many.
    pub(super) fn grow(&mut self, len: usize) {
        if len <= self.len {
            return;
        }
        let rows = self.len % BLOCK;
        if rows > 0
            && let Some(Some(last)) = self.blocks.last_mut()
        {
            for strip in last.iter_mut() {
                strip.leave_room(rows);
            }
        }
        self.len = len;
        let blocks = len.div_ceil(BLOCK);
        if blocks > self.blocks.capacity() && self.blocks.is_empty() {
            self.blocks.reserve_exact(blocks);
        }
        self.blocks.resize_with(blocks, || None);
    }

    /// [`NONE`] also beyond the end.
    #[inline]
    pub(super) fn get(&self, field: usize, index: u32) -> u64 {
        let (block, row) = (index as usize / BLOCK, index as usize % BLOCK);
        match self.blocks.get(block) {
            Some(Some(strips)) if (index as usize) < self.len => strips[field].get(row),
            _ => NONE,
        }
    }

    /// Does nothing beyond the end.
    #[inline]
    pub(super) fn set(&mut self, field: usize, index: u32, number: u64) {
        let (block, row) = (index as usize / BLOCK, index as usize % BLOCK);
        let rows = self.rows(block);
        if row < rows
            && let Some(strip) = self.strip(block, field)
        {
            strip.set(row, number, rows);
        }
    }

    /// The same for all of these.
    pub(super) fn fill(&mut self, field: usize, indexes: Indexes, number: u64) {
        let (mut first, end) = (indexes.first as usize, self.len.min(indexes.end as usize));
        while first < end {
            let (block, row) = (first / BLOCK, first % BLOCK);
            let rows = self.rows(block);
            let last = rows.min(row + end - first);
            if let Some(strip) = self.strip(block, field) {
                if (row, last) == (0, rows) {
                    *strip = Strip::same(number);
                } else {
                    (row..last).for_each(|row| strip.set(row, number, rows));
                }
            }
            first += last - row;
        }
    }

    /// The numbers of a field that are not [`NONE`], with their indexes; where there are none it costs nothing.
    pub(super) fn known(&self, field: usize) -> impl Iterator<Item = (u32, u64)> + '_ {
        let blocks = self.blocks.iter().enumerate();
        let strips =
            blocks.filter_map(move |(block, strips)| Some((block, &strips.as_ref()?[field])));
        let strips = strips.filter(|(_, strip)| strip.width != Width::NOTHING);
        strips.flat_map(|(block, strip)| {
            let numbers = (0..self.rows(block))
                .map(move |row| ((block * BLOCK + row) as u32, strip.get(row)));
            numbers.filter(|&(_, number)| number != NONE)
        })
    }

    #[inline]
    fn rows(&self, block: usize) -> usize {
        self.len.saturating_sub(block * BLOCK).min(BLOCK)
    }

    #[inline]
    fn strip(&mut self, block: usize, field: usize) -> Option<&mut Strip> {
        let strips = self.blocks.get_mut(block)?;
        let strips = strips.get_or_insert_with(|| Box::new([const { Strip::same(NONE) }; FIELDS]));
        Some(&mut strips[field])
    }
}

/// The numbers of one field in a block.
#[derive(Clone, Debug)]
struct Strip {
    width: Width,
    codes: Vec<u8>,
}

impl Strip {
    const fn same(number: u64) -> Self {
        Self {
            width: Width::of_all(number),
            codes: Vec::new(),
        }
    }

    #[inline]
    fn get(&self, row: usize) -> u64 {
        if self.width.bits == 0 {
            return self.width.number(0);
        }
        let bit = row * self.width.bits as usize;
        self.width.number(read(&self.codes, bit, self.width))
    }

    /// Sets one of so many `rows`.
    #[inline]
    fn set(&mut self, row: usize, number: u64, rows: usize) {
        if self.width.code(number).is_none() {
            if rows == 1 {
                *self = Self::same(number);
                return;
            }
            self.widen(number, rows);
        }
        if self.width.bits > 0
            && let Some(code) = self.width.code(number)
        {
            self.make_room(rows);
            let bit = row * self.width.bits as usize;
            write(&mut self.codes, bit, self.width, code);
        }
    }

    /// Rows that are not written yet are all ones.
    fn make_room(&mut self, rows: usize) {
        let bytes = bytes_for(rows.next_power_of_two() * self.width.bits as usize);
        if self.codes.len() < bytes {
            self.codes.reserve_exact(bytes - self.codes.len());
            self.codes.resize(bytes, u8::MAX);
        }
    }

    /// Makes each number wide enough for this one, and for more like it.
    fn widen(&mut self, number: u64, rows: usize) {
        let numbers: Vec<u64> = (0..rows).map(|row| self.get(row)).collect();
        let known = || {
            numbers
                .iter()
                .copied()
                .chain([number])
                .filter(|&number| number != NONE)
        };
        let (least, most) = known().fold((NONE, 0), |(least, most), number| {
            (least.min(number), most.max(number))
        });
        let least = least.min(most);
        // If the others will lie as far apart as those that are known.
        let range = (most - least).saturating_mul(rows as u64 / known().count().max(1) as u64 + 1);
        let end = least.saturating_add(range.max(6)).min(NONE - 1).max(most);
        *self = Self {
            width: Width::of_range(least.saturating_sub(range / 8), end),
            codes: Vec::new(),
        };
        for (row, number) in numbers.into_iter().enumerate() {
            if number != NONE {
                self.set(row, number, rows);
            }
        }
    }

    /// Rows will be added behind these.
    fn leave_room(&mut self, rows: usize) {
        if self.width.bits == 0 && self.width != Width::NOTHING {
            let number = self.width.number(0);
            self.width = Width::of_range(number, number.saturating_add(6).min(NONE - 1));
            (0..rows).for_each(|row| self.set(row, number, rows));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read back of a table of two fields.
    fn read(table: &Table<2>) -> Vec<[u64; 2]> {
        let both = |index| [table.get(0, index), table.get(1, index)];
        (0..table.len() as u32).map(both).collect()
    }

    #[test]
    fn what_was_written_last_is_read_in_whatever_order_it_came() {
        let mut table = Table::default();
        let mut expected = Vec::new();
        for turn in 0..20_000_u64 {
            let index = (turn * 7_919 % 1_300) as usize;
            if index >= expected.len() {
                expected.resize(index + 1, [NONE; 2]);
                table.grow(index + 1);
            }
            let number = match turn % 11 {
                0 => NONE,
                1 => NONE - 1,
                _ => turn * turn % (1 << (turn % 40)),
            };
            let field = (turn % 2) as usize;
            expected[index][field] = number;
            table.set(field, index as u32, number);
        }
        assert_eq!(read(&table), expected);
        let known: Vec<(u32, u64)> = table.known(1).collect();
        let told = (0..).zip(&expected).map(|(index, row)| (index, row[1]));
        assert_eq!(
            known,
            told.filter(|told| told.1 != NONE).collect::<Vec<_>>()
        );
    }

    #[test]
    fn neighbours_that_are_the_same_are_filled_at_once() {
        let mut table = Table::default();
        table.grow(1_500);
        table.set(0, 3, 8);
        table.fill(0, Indexes::new(2, 1_400), 70);
        table.grow(1_600);
        table.fill(1, Indexes::new(1_000, 5_000), 9);
        let expected = (0..1_600).map(|index| {
            [
                if (2..1_400).contains(&index) {
                    70
                } else {
                    NONE
                },
                if index >= 1_000 { 9 } else { NONE },
            ]
        });
        assert_eq!(read(&table), expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_table_that_grows_leaves_what_is_new_empty() {
        let mut table: Table<1> = Table::default();
        for index in 0..600 {
            table.grow(index as usize + 1);
            table.set(0, index, u64::from(index / 100));
            assert_eq!(table.get(0, index + 1), NONE);
        }
        table.grow(2_000);
        assert!((600..2_000).all(|index| table.get(0, index) == NONE));
        assert!((0..600).all(|index| table.get(0, index) == u64::from(index / 100)));
    }

    #[test]
    fn what_is_only_announced_takes_next_to_nothing() {
        let mut table: Table<1> = Table::default();
        table.grow(1 << 24);
        table.set(0, (1 << 24) - 1, 5);
        assert_eq!(table.blocks.iter().flatten().count(), 1);
    }
}
