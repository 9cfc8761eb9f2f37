//! An order in which the tasks of a call did something: started, finished, became ready, were delivered.
//!
//! Kept sorted by time with running counts, so that the order and its inversions as of any moment are one
//! binary search away. What the caller receives at one moment it receives one after the other: of that, lane
//! and order within the lane decide. Of tasks that start or end at one moment, on workers of their own, none
//! is the first: they stand as they were submitted, and make no inversions. Events come nearly sorted; a late
//! one takes the entries behind it off again and puts them back, which is why the counts live in a tree that
//! can forget (a Fenwick tree of the indexes seen).

use super::packed::{List, Packed, Row};
use crate::event::LaneId;
use crate::time::Time;
use std::collections::BTreeMap;

/// A task at its place in an order, with the counts up to and including it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub at: Time,
    pub index: u32,
    /// `None`: of those of its moment none is the first.
    lane: Option<LaneId>,
    inversions: u64,
    counted: u32,
    reordered: u32,
}

impl Row for Entry {
    type Numbers = [u64; 6];

    fn numbers(&self, place: usize) -> [u64; 6] {
        [
            self.at.0,
            ahead(self.index, place),
            self.lane.map_or(0, |lane| u64::from(lane.0) + 1),
            self.inversions,
            ahead(self.counted, place),
            u64::from(self.reordered),
        ]
    }

    fn from_numbers(numbers: [u64; 6], place: usize) -> Self {
        let [at, index, lane, inversions, counted, reordered] = numbers;
        Self {
            at: Time(at),
            index: not_ahead(index, place),
            lane: lane.checked_sub(1).map(|lane| LaneId(lane as u32)),
            inversions,
            counted: not_ahead(counted, place),
            reordered: reordered as u32,
        }
    }
}

/// How far a number is ahead of its place in a list, told so that it is never negative.
pub(super) fn ahead(number: u32, place: usize) -> u64 {
    (u64::from(number) + u64::from(u32::MAX)).saturating_sub(place as u64)
}

/// The other way round.
pub(super) fn not_ahead(ahead: u64, place: usize) -> u32 {
    (ahead + place as u64).saturating_sub(u64::from(u32::MAX)) as u32
}

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Order {
    entries: Packed<Entry>,
    seen: Seen,
}

impl Order {
    /// Puts a task in its place; `lane` is `None` in an order where none is the first of a moment. One that is
    /// not `counted` stands in the order but takes no part in inversions: it did not really do what the others
    /// did. Returns the place.
    pub(super) fn insert(
        &mut self,
        at: Time,
        lane: Option<LaneId>,
        index: u32,
        counted: bool,
    ) -> usize {
        let key = |at, lane: Option<LaneId>, index| (at, lane.map_or(index, |lane| lane.0));
        let new = key(at, lane, index);
        let place = match self.entries.last() {
            Some(last) if new < key(last.at, last.lane, last.index) => self
                .entries
                .partition_point(|entry| key(entry.at, entry.lane, entry.index) <= new),
            _ => self.entries.len(),
        };
        let behind = self.entries.split_off(place);
        let base = self.entries.last().map_or(0, |entry| entry.counted);
        let mut before = base;
        for entry in &behind {
            if entry.counted > before {
                self.seen.remove(entry.index);
            }
            before = entry.counted;
        }
        self.push(at, lane, index, counted);
        before = base;
        for entry in behind {
            self.push(entry.at, entry.lane, entry.index, entry.counted > before);
            before = entry.counted;
        }
        place
    }

    fn push(&mut self, at: Time, lane: Option<LaneId>, index: u32, counted: bool) {
        let (inversions, all, reordered) = self.entries.last().map_or((0, 0, 0), |last| {
            (last.inversions, last.counted, last.reordered)
        });
        let overtaken = if counted { self.seen.insert(index) } else { 0 };
        self.entries.push(Entry {
            at,
            lane,
            index,
            inversions: inversions + overtaken,
            counted: all + u32::from(counted),
            reordered: reordered + u32::from(overtaken > 0),
        });
    }

    /// Everything that had happened at `time`, the moment itself included, first to last.
    pub fn until(&self, time: Time) -> List<'_, Entry> {
        self.entries.part(0..self.count_until(time))
    }

    pub fn count_until(&self, time: Time) -> usize {
        self.entries.partition_point(|entry| entry.at <= time)
    }

    /// How many had happened before `time`: the place of the first that happened then.
    pub(super) fn count_before(&self, time: Time) -> usize {
        self.entries.partition_point(|entry| entry.at < time)
    }

    /// The whole order.
    pub fn entries(&self) -> List<'_, Entry> {
        self.entries.all()
    }

    fn last_until(&self, time: Time) -> Option<Entry> {
        self.until(time).last()
    }

    /// Pairs of tasks that stand the other way round than they were submitted (Kendall's distance), as of `time`.
    pub fn inversions_until(&self, time: Time) -> u64 {
        self.last_until(time).map_or(0, |entry| entry.inversions)
    }

    /// How many entries count, as of `time`.
    pub fn counted_until(&self, time: Time) -> u32 {
        self.last_until(time).map_or(0, |entry| entry.counted)
    }

    /// Entries that came after one of a higher index (RFC 4737), as of `time`.
    pub fn reordered_until(&self, time: Time) -> u32 {
        self.last_until(time).map_or(0, |entry| entry.reordered)
    }

    /// True if entry `place` counts.
    pub fn is_counted(&self, place: usize) -> bool {
        self.grew_at(place, |entry| u64::from(entry.counted)) > 0
    }

    /// How many tasks of a higher index stand before entry `place`: those that overtook it.
    pub fn overtaken_by(&self, place: usize) -> u64 {
        self.grew_at(place, |entry| entry.inversions)
    }

    /// By how much entry `place` makes a running count larger.
    fn grew_at(&self, place: usize, count: fn(&Entry) -> u64) -> u64 {
        let of = |place| self.entries.get(place).map_or(0, |entry| count(&entry));
        of(place).saturating_sub(place.checked_sub(1).map_or(0, of))
    }
}

/// Pairs among `count` tasks.
pub fn pairs(count: u32) -> u64 {
    let count = u64::from(count);
    count * count.saturating_sub(1) / 2
}

/// The multiset of indexes seen: a bit for each, and a Fenwick tree of how many there are in each word of
/// bits, whose size is a power of two.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    words: Vec<u64>,
    /// One-based; empty or 2^k + 1 long.
    tree: Vec<u32>,
    count: u32,
    /// How often an index was seen again.
    again: BTreeMap<u32, u32>,
}

impl Seen {
    /// Adds an index and returns how many higher ones are there.
    fn insert(&mut self, index: u32) -> u64 {
        let (word, bit) = (index as usize / 64, 1 << (index % 64));
        self.grow(word + 1);
        let higher = u64::from(self.count - self.up_to(index));
        if self.words[word] & bit == 0 {
            self.words[word] |= bit;
        } else {
            *self.again.entry(index).or_default() += 1;
        }
        self.count += 1;
        self.walk_up(word, |node| *node += 1);
        higher
    }

    fn remove(&mut self, index: u32) {
        let word = index as usize / 64;
        match self.again.get_mut(&index) {
            Some(1) => _ = self.again.remove(&index),
            Some(again) => *again -= 1,
            None => self.words[word] &= !(1 << (index % 64)),
        }
        self.count -= 1;
        self.walk_up(word, |node| *node -= 1);
    }

    /// How many there are of this index and all below.
    fn up_to(&self, index: u32) -> u32 {
        let word = index as usize / 64;
        let (mut node, mut sum) = (word, 0);
        while node > 0 {
            sum += self.tree[node];
            node &= node - 1;
        }
        let not_higher = self.words[word] & u64::MAX >> (63 - index % 64);
        let again = if self.again.is_empty() {
            0
        } else {
            let again = self.again.range(word as u32 * 64..=index);
            again.map(|(_, count)| count).sum::<u32>()
        };
        sum + not_higher.count_ones() + again
    }

    fn walk_up(&mut self, word: usize, change: impl Fn(&mut u32)) {
        let mut node = word + 1;
        while node < self.tree.len() {
            change(&mut self.tree[node]);
            node += node & node.wrapping_neg();
        }
    }

    /// The root of a tree of twice the size covers all that was there; the other new nodes cover nothing.
    fn grow(&mut self, words: usize) {
        let mut now = self.words.len();
        while now < words {
            let next = (now * 2).max(1);
            self.words.resize(next, 0);
            self.tree.resize(next + 1, 0);
            self.tree[next] = self.count;
            now = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(events: &[(u64, u32, u32)]) -> Order {
        let mut order = Order::default();
        for &(at, lane, index) in events {
            order.insert(Time(at), Some(LaneId(lane)), index, true);
        }
        order
    }

    fn indexes(order: &Order) -> Vec<u32> {
        order.entries().iter().map(|entry| entry.index).collect()
    }

    #[test]
    fn inversions_are_pairs_that_swapped() {
        // Vectors with a known Kendall distance.
        for (found, inversions) in [([0, 3, 1, 6, 2, 5, 4], 4 + 2), ([1, 0, 3, 2, 4, 5, 6], 2)] {
            let events: Vec<_> = found
                .iter()
                .enumerate()
                .map(|(k, &i)| (k as u64, 0, i))
                .collect();
            let order = order(&events);
            let naive = (0..7)
                .flat_map(|b| (0..b).map(move |a| (a, b)))
                .filter(|&(a, b)| found[a] > found[b]);
            assert_eq!(order.inversions_until(Time(6)), naive.count() as u64);
            assert_eq!(order.inversions_until(Time(6)), inversions);
        }
        let e8 = order(&[
            (1, 4, 3),
            (2, 2, 1),
            (3, 4, 5),
            (4, 2, 4),
            (6, 3, 2),
            (9, 1, 0),
            (10, 2, 7),
            (11, 3, 6),
        ]);
        assert_eq!(e8.inversions_until(Time(11)), 11);
        assert_eq!(e8.reordered_until(Time(11)), 5);
        assert_eq!(e8.inversions_until(Time(2)), 1);
    }

    #[test]
    fn a_late_entry_finds_its_place() {
        let sorted = order(&[(1, 0, 5), (2, 0, 200), (2, 1, 1), (3, 0, 0)]);
        let late = order(&[(1, 0, 5), (2, 0, 200), (3, 0, 0), (2, 1, 1)]);
        let reversed = order(&[(3, 0, 0), (2, 1, 1), (2, 0, 200), (1, 0, 5)]);
        assert_eq!(sorted, late);
        assert!(sorted.entries().iter().eq(reversed.entries().iter()));
        assert_eq!(indexes(&sorted), [5, 200, 1, 0]);
    }

    #[test]
    fn what_ends_at_one_moment_on_workers_of_their_own_makes_no_inversions() {
        let mut order = Order::default();
        for index in [2, 0, 3, 1] {
            order.insert(Time(5), None, index, true);
        }
        order.insert(Time(4), None, 4, true);
        assert_eq!(indexes(&order), [4, 0, 1, 2, 3]);
        assert_eq!(order.inversions_until(Time(5)), 4);
        let at_once = self::order(&[(5, 0, 2), (5, 0, 0)]);
        assert_eq!(
            (indexes(&at_once), at_once.inversions_until(Time(5))),
            (vec![2, 0], 1)
        );
    }

    #[test]
    fn what_does_not_count_makes_no_inversions() {
        let mut order = Order::default();
        order.insert(Time(1), Some(LaneId(0)), 7, false);
        order.insert(Time(2), Some(LaneId(0)), 3, true);
        order.insert(Time(1), Some(LaneId(1)), 5, true);
        assert_eq!(indexes(&order), [7, 5, 3]);
        assert_eq!(order.inversions_until(Time(9)), 1);
        assert_eq!(
            (
                order.is_counted(0),
                order.is_counted(1),
                order.counted_until(Time(9))
            ),
            (false, true, 2)
        );
    }
}
