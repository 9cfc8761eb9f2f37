//! Reads the ring of one process while that process writes it.
//!
//! The file is read, not mapped: a program that cuts it short then ends its own history and cannot take
//! parviz down. What is read may change under our eyes, so a record counts only by these steps:
//!
//! 1. A writer claims the next slot, fills it, and writes the slot's number last.
//! 2. We read a stretch of slots and keep those that carry their number. Whatever those hold was written
//!    before the number was.
//! 3. We read the same stretch again: that is what counts.
//! 4. We look at a slot before the stretch. If it carries the number of the next round, the writer is
//!    about to overwrite what we read, so none of it counts: we skip ahead, and what we skip is lost.
//!
//! A slot that was claimed and never filled (its thread died between the two) is a hole. We wait for it a
//! while, then we count it as lost and go on behind it.

use super::wire::{HEADER_BYTES as HEADER, SEQUENCE_AT, SLOT_BYTES as SLOT, SLOTS};
use crate::platform;
use std::fs::File;
use std::io;

/// Slots that are looked at when nothing is known of how many there are.
const FEW: usize = 64;
const MANY: usize = 4096;
/// How close to a slot that is read the writer may be. Its threads are as many as fit in between.
const GUARD: u64 = 256;
/// What is skipped over and above what is gone, to be safe for a while.
const AHEAD: u64 = SLOTS as u64 / 8;
/// Looks at a hole before it is given up.
const PATIENCE: u32 = 40;

/// See the module.
#[derive(Debug)]
pub(super) struct Ring {
    file: File,
    /// Slots read or given up so far: the number of the next one.
    next: u64,
    first: Vec<u8>,
    second: Vec<u8>,
    /// A hole at `next`, and how often it was looked at.
    hole: u32,
}

/// What a slot is with regard to the number that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Empty,
    Filled,
    /// Of a later round: this many slots further on.
    Later(u64),
}

impl Ring {
    pub(super) fn new(file: File) -> Self {
        Self {
            file,
            next: 0,
            first: Vec::new(),
            second: Vec::new(),
            hole: 0,
        }
    }

    /// The first page of the file, as far as it is there.
    pub(super) fn header(&self, page: &mut [u8]) -> io::Result<usize> {
        let length = page.len().min(HEADER);
        platform::read_at(&self.file, &mut page[..length], 0)
    }

    /// Hands on every record there is, at most one round of them, and returns how many were lost before
    /// or between them. With `last` nobody writes any more, so holes are not waited for.
    pub(super) fn drain(&mut self, last: bool, mut take: impl FnMut(&[u8; SLOT])) -> u64 {
        let (mut gone, mut budget, mut wanted) = (0, SLOTS, FEW);
        while budget > 0 {
            let place = (self.next % SLOTS as u64) as usize;
            let count = wanted.min(budget).min(SLOTS - place);
            let there = self.look(place, count);
            let ready = self.filled(&self.first, there);
            budget -= ready.max(1);
            if let Some(further) = self.overtaken(ready, there) {
                gone += self.skip(further);
            } else if ready > 0 {
                let counts = self.read_again(place, ready);
                if let Some(further) = self.is_chased() {
                    gone += self.skip(further);
                    continue;
                }
                for slot in self.second[..counts * SLOT].as_chunks::<SLOT>().0 {
                    take(slot);
                }
                self.next += counts as u64;
                self.hole = 0;
                wanted = if counts == count { MANY } else { FEW };
            } else {
                let Some(holes) = self.behind_hole(there) else {
                    break;
                };
                self.hole += 1;
                if !last && self.hole < PATIENCE {
                    break;
                }
                gone += holes;
                self.next += holes;
                self.hole = 0;
            }
        }
        gone
    }

    /// Reads `count` slots from `place` on; how many are there.
    fn look(&mut self, place: usize, count: usize) -> usize {
        self.first.resize(count * SLOT, 0);
        read(&self.file, &mut self.first, place)
    }

    /// Reads slots again that were filled; how many are so still.
    fn read_again(&mut self, place: usize, count: usize) -> usize {
        self.second.resize(count * SLOT, 0);
        let there = read(&self.file, &mut self.second, place);
        self.filled(&self.second, there)
    }

    /// How many slots from the first on are filled.
    fn filled(&self, slots: &[u8], there: usize) -> usize {
        (0..there)
            .take_while(|&k| self.state(slots, k) == State::Filled)
            .count()
    }

    fn state(&self, slots: &[u8], k: usize) -> State {
        state(number(slots, k), self.next + k as u64)
    }

    /// How far the writer is ahead of what is waited for, if the slot behind the filled ones was overwritten.
    fn overtaken(&self, ready: usize, there: usize) -> Option<u64> {
        match (ready < there).then(|| self.state(&self.first, ready))? {
            State::Later(further) => Some(further + ready as u64),
            _ => None,
        }
    }

    /// The distance to the next filled slot behind one that is not.
    fn behind_hole(&self, there: usize) -> Option<u64> {
        let k = (1..there).find(|&k| self.state(&self.first, k) == State::Filled)?;
        Some(k as u64)
    }

    /// The writer comes close from behind: how far it is ahead, at least.
    fn is_chased(&self) -> Option<u64> {
        let before = self.next.checked_sub(GUARD)?;
        let mut slot = [0; SLOT];
        let place = (before % SLOTS as u64) as usize;
        if read(&self.file, &mut slot, place) == 0 {
            return None;
        }
        match state(number(&slot, 0), before) {
            State::Later(further) => Some(further.saturating_sub(GUARD)),
            _ => None,
        }
    }

    /// Goes on where it is safe if the writer is `further` ahead; how many slots that leaves out.
    fn skip(&mut self, further: u64) -> u64 {
        let round = SLOTS as u64;
        let gone = (further + AHEAD).saturating_sub(round).max(AHEAD);
        self.next += gone;
        self.hole = 0;
        gone
    }
}

/// Reads slots; how many whole ones are there.
fn read(file: &File, into: &mut [u8], place: usize) -> usize {
    let from = (HEADER + place * SLOT) as u64;
    platform::read_at(file, into, from).map_or(0, |length| length / SLOT)
}

/// The number a slot carries: one more than its place in the count of all records.
fn number(slots: &[u8], k: usize) -> u32 {
    let at = k * SLOT + SEQUENCE_AT;
    let bytes = slots
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_ne_bytes)
}

fn state(number: u32, wanted: u64) -> State {
    let ahead = number.wrapping_sub(wanted as u32).wrapping_sub(1);
    let round = SLOTS as u32;
    match ahead {
        0 => State::Filled,
        // An unwritten slot carries 0, which is far behind, and so is the round before.
        _ if number == 0 || ahead > u32::MAX / 2 => State::Empty,
        _ if ahead.is_multiple_of(round) => State::Later(u64::from(ahead)),
        _ => State::Empty,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    /// A ring in a file and the one who writes it.
    struct Pair {
        file: File,
        ring: Ring,
    }

    impl Pair {
        fn new() -> Self {
            let file = tempfile::tempfile().unwrap();
            file.set_len((HEADER + SLOTS * SLOT) as u64).unwrap();
            let ring = Ring::new(file.try_clone().unwrap());
            Self { file, ring }
        }

        /// Writes record `k`, which carries `k` at its begin.
        fn write(&self, k: u64) {
            let mut slot = [0; SLOT];
            slot[..8].copy_from_slice(&k.to_le_bytes());
            slot[SLOT - 4..].copy_from_slice(&(k as u32 + 1).to_le_bytes());
            let place = HEADER + (k % SLOTS as u64) as usize * SLOT;
            self.file.write_all_at(&slot, place as u64).unwrap();
        }

        fn drain(&mut self, last: bool) -> (Vec<u64>, u64) {
            let mut read = Vec::new();
            let overwritten = self.ring.drain(last, |slot| {
                read.push(u64::from_le_bytes(slot[..8].try_into().unwrap()));
            });
            (read, overwritten)
        }
    }

    #[test]
    fn every_record_is_read_once_and_in_order() {
        let mut pair = Pair::new();
        let mut all = Vec::new();
        for step in [0, 1, 63, 64, 65, 5_000, 60_000] {
            let from = all.len() as u64;
            (from..from + step).for_each(|k| pair.write(k));
            let (read, lost) = pair.drain(false);
            assert_eq!((read.len() as u64, lost), (step, 0));
            all.extend(read);
        }
        assert!(all.into_iter().eq(0..65_193));
    }

    #[test]
    fn reading_goes_on_over_the_end_of_the_file() {
        let mut pair = Pair::new();
        let mut next = 0;
        for step in [100_000, 50_000, 100_000] {
            (next..next + step).for_each(|k| pair.write(k));
            let (read, lost) = pair.drain(false);
            assert!(read.into_iter().eq(next..next + step), "{lost}");
            next += step;
        }
    }

    #[test]
    fn what_was_overwritten_is_counted_and_the_rest_is_read() {
        let mut pair = Pair::new();
        let written = SLOTS as u64 + 1_000;
        (0..written).for_each(|k| pair.write(k));
        let (read, lost) = pair.drain(false);
        assert_eq!(read.len() as u64 + lost, written);
        assert!(lost >= 1_000 && lost < written / 4, "{lost}");
        assert!(read.into_iter().eq(lost..written));
    }

    #[test]
    fn a_hole_is_waited_for_and_then_lost() {
        let mut pair = Pair::new();
        for k in [0, 1, 3, 4] {
            pair.write(k);
        }
        assert_eq!(pair.drain(false), (vec![0, 1], 0));
        let looks = (0..100).find_map(|_| {
            let (read, lost) = pair.drain(false);
            (!read.is_empty()).then_some((read, lost))
        });
        assert_eq!(looks, Some((vec![3, 4], 1)));
    }

    #[test]
    fn a_late_record_fills_its_hole() {
        let mut pair = Pair::new();
        pair.write(1);
        assert_eq!(pair.drain(false), (vec![], 0));
        pair.write(0);
        assert_eq!(pair.drain(false), (vec![0, 1], 0));
        pair.write(3);
        assert_eq!(pair.drain(true), (vec![3], 1));
    }

    #[test]
    fn a_file_that_was_cut_short_or_filled_with_noise_gives_nothing() {
        let mut pair = Pair::new();
        pair.write(0);
        pair.file.set_len(100).unwrap();
        assert_eq!(pair.drain(true), (vec![], 0));
        let noise: Vec<u8> = (0..HEADER + SLOTS * SLOT)
            .map(|k| (k * 7 + k / 251) as u8)
            .collect();
        pair.file.write_all_at(&noise, 0).unwrap();
        let mut counted = 0;
        for _ in 0..3 {
            pair.ring.drain(true, |_| counted += 1);
        }
        assert!(counted <= 3 * SLOTS);
    }
}
