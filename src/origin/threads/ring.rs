//! A ring of entries between the thread that writes them and the one that reads them.
//!
//! An entry is two words. The writer looks at how far the reader is only when it has filled half of the
//! ring, so that of an entry in between nothing remains but three stores.

use super::entry::{Entry, Mark};
use crate::time::Time;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};

#[derive(Debug)]
struct Ring {
    /// A power of two.
    places: Box<[[AtomicU64; 2]]>,
    /// Entries ever written, and ever read.
    written: Line,
    read: Line,
    /// The writer is gone; what it wrote is there.
    ended: AtomicBool,
}

/// On a line of memory of its own: the two threads would take it from each other.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(AtomicU64);

impl Ring {
    fn place(&self, number: u64) -> &[AtomicU64; 2] {
        &self.places[number as usize & (self.places.len() - 1)]
    }
}

pub(super) struct Writer {
    ring: Arc<Ring>,
    written: u64,
    /// Here it looks how far the reader is.
    looks_up_at: u64,
}

pub(super) struct Reader {
    ring: Arc<Ring>,
    read: u64,
}

/// Both ends of a ring with room for `room` entries, or some more.
pub(super) fn ring(room: usize) -> (Writer, Reader) {
    let room = room.max(2).next_power_of_two();
    let ring = Arc::new(Ring {
        places: (0..room).map(|_| Default::default()).collect(),
        written: Line::default(),
        read: Line::default(),
        ended: AtomicBool::new(false),
    });
    let writer = Writer {
        ring: ring.clone(),
        written: 0,
        looks_up_at: room as u64 / 2,
    };
    (writer, Reader { ring, read: 0 })
}

impl Writer {
    /// Waits only if there is no room. `call` wakes the reader, after half a ring of entries and while
    /// this waits.
    #[inline]
    pub(super) fn write(&mut self, entry: Entry, call: impl Fn()) {
        if self.written == self.looks_up_at {
            self.look_up(call);
        }
        let [at, mark] = self.ring.place(self.written);
        at.store(entry.at.0, Relaxed);
        mark.store(entry.mark.0, Relaxed);
        self.written += 1;
        self.ring.written.0.store(self.written, Release);
    }

    #[cold]
    fn look_up(&mut self, call: impl Fn()) {
        let room = self.ring.places.len() as u64;
        loop {
            call();
            let free = room - (self.written - self.ring.read.0.load(Acquire));
            if free > 0 {
                self.looks_up_at = self.written + free.min(room / 2);
                return;
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.ring.ended.store(true, Release);
    }
}

impl Reader {
    /// Nothing will come but what is there.
    pub(super) fn has_ended(&self) -> bool {
        self.ring.ended.load(Acquire)
    }

    /// Entries that are there.
    pub(super) fn waiting(&self) -> u64 {
        self.ring.written.0.load(Acquire) - self.read
    }

    /// Gives the next `count` entries, no more than are there, and makes room for others.
    #[inline]
    pub(super) fn read(&mut self, count: u64, mut give: impl FnMut(Entry)) {
        let (next, places) = (self.read + count, &self.ring.places);
        let first = self.read as usize & (places.len() - 1);
        let older = &places[first..places.len().min(first + count as usize)];
        let newer = &places[..count as usize - older.len()];
        for part in [older, newer] {
            for [at, mark] in part {
                let (at, mark) = (Time(at.load(Relaxed)), Mark(mark.load(Relaxed)));
                give(Entry { at, mark });
            }
        }
        self.read = next;
        self.ring.read.0.store(next, Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Entry {
        Entry {
            at: Time(number),
            mark: Mark(number ^ u64::MAX),
        }
    }

    #[test]
    fn entries_come_out_whole_and_in_order_while_others_are_written() {
        const ENTRIES: u64 = 100_000;
        let (mut writer, mut reader) = ring(64);
        let writing = std::thread::spawn(move || {
            for number in 0..ENTRIES {
                writer.write(entry(number), || {});
            }
        });
        let mut read = 0;
        loop {
            let ended = reader.has_ended();
            let there = reader.waiting();
            assert!(there <= 64);
            reader.read(there, |entry| {
                assert_eq!((entry.at, entry.mark.0), (Time(read), read ^ u64::MAX));
                read += 1;
            });
            if ended {
                break;
            }
            std::thread::yield_now();
        }
        assert_eq!(read, ENTRIES);
        writing.join().unwrap();
    }

    #[test]
    fn the_reader_is_called_before_the_ring_is_full() {
        let (mut writer, reader) = ring(64);
        let calls = std::cell::Cell::new(0);
        for number in 0..33 {
            writer.write(entry(number), || calls.set(calls.get() + 1));
        }
        assert_eq!((calls.get(), reader.waiting()), (1, 33));
    }
}
