//! The one queue of messages to all workers, in memory that they share.
//!
//! What is in it belongs to nobody: a worker that has nothing to do takes the oldest message. One thread
//! of parviz sends. A worker may be killed at any instruction, so nothing here is locked:
//!
//! 1. A message has a number and a slot, that of its number. The sender copies its bytes, sets the state
//!    of the slot to the number and nobody's name, and then counts it as sent.
//! 2. A worker takes a message by swapping its name into the state. So who has taken what is known at
//!    every moment, whoever dies.
//! 3. It copies the bytes into memory of its own and marks the slot as released. The sender uses a slot
//!    and its bytes again when they were released, in the order of the numbers.
//! 4. What a dead worker had taken and not released is released for it.
//!
//! A worker that finds nothing looks around for some microseconds, because waking it up costs more, and
//! then sleeps; the sender wakes one worker for each message while any sleeps.

use super::memory::{self, Memory, words_of};
use rustix::thread::futex;
use std::collections::VecDeque;
use std::hint::spin_loop;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

/// Messages in flight at most.
const SLOTS: u64 = 1024;
/// Words a slot has: its state, and where its bytes are and how many.
const SLOT: usize = 4;
/// Words before the slots.
const HEAD: usize = 64;
/// The least room for bytes, in words.
const LEAST_ROOM: usize = 32 * 1024;
/// Looks at the queue before a worker sleeps.
const LOOKS: u32 = 400;

/// Who has a message is said in the lowest bits of the state of its slot.
const NAME_BITS: u32 = 16;
const RELEASED: u64 = (1 << NAME_BITS) - 1;

// Flags.
const BELL: usize = 0;
const SLEEPERS: usize = 1;
const CLOSED: usize = 2;
const ROOM_BELL: usize = 3;
/// Whether the thread that reads answers sleeps; it is here because all workers look at it.
pub(super) const READER_SLEEPS: usize = 4;

// Words.
const SENT: usize = 0;
const NEXT: usize = 8;
const WAKE_AT: usize = 16;
/// Words for what tasks do to a counter that all workers share.
pub(super) const COUNTER: usize = 24;
pub(super) const LOCK: usize = 32;
pub(super) const LOCK_WAIT: usize = 40;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Line {
    memory: Arc<Memory>,
}

/// The sending end; there is one.
pub(super) struct Sender {
    line: Line,
    sent: u64,
    /// Words written so far, and of those the ones whose messages were released.
    written: u64,
    freed: u64,
    /// Where the bytes of each message that was not released end.
    in_flight: VecDeque<u64>,
}

impl Line {
    /// A queue with room for two messages of `largest` bytes, and the file by which workers get it.
    pub(super) fn new(largest: usize) -> io::Result<(Self, OwnedFd)> {
        let room = LEAST_ROOM.max(2 * words_of(largest));
        let slots = SLOTS as usize * SLOT;
        let (memory, file) = Memory::new(HEAD + slots + room)?;
        let line = Self {
            memory: Arc::new(memory),
        };
        line.word(WAKE_AT).store(u64::MAX, SeqCst);
        for slot in 0..SLOTS {
            // No message has this number.
            line.state(slot).store(u64::MAX, SeqCst);
        }
        Ok((line, file))
    }

    pub(super) fn of(file: &OwnedFd) -> io::Result<Self> {
        let memory = Memory::of(file)?;
        if memory.words().len() < HEAD + SLOTS as usize * SLOT + LEAST_ROOM {
            return Err(io::Error::other("no queue to share"));
        }
        Ok(Self {
            memory: Arc::new(memory),
        })
    }

    pub(super) fn flag(&self, place: usize) -> &AtomicU32 {
        self.memory.flag(place)
    }

    pub(super) fn word(&self, place: usize) -> &AtomicU64 {
        &self.memory.words()[place]
    }

    fn slot(&self, number: u64) -> &[AtomicU64] {
        let first = HEAD + (number % SLOTS) as usize * SLOT;
        &self.memory.words()[first..first + SLOT]
    }

    fn state(&self, number: u64) -> &AtomicU64 {
        &self.slot(number)[0]
    }

    fn room(&self) -> &[AtomicU64] {
        &self.memory.words()[HEAD + SLOTS as usize * SLOT..]
    }

    /// Takes the oldest message in this name, not 0, if there is one. To be copied out at once.
    pub(super) fn try_take(&self, name: u16) -> Option<u64> {
        loop {
            let next = self.word(NEXT).load(Relaxed);
            if next >= self.word(SENT).load(SeqCst) {
                return None;
            }
            let nobodys = next << NAME_BITS;
            let mine = nobodys | u64::from(name);
            let taken = self
                .state(next)
                .compare_exchange(nobodys, mine, SeqCst, Relaxed)
                .is_ok();
            // Also for one who took it and could not say so any more.
            self.word(NEXT).fetch_max(next + 1, SeqCst);
            if taken {
                return Some(next);
            }
        }
    }

    /// Takes the oldest message, sleeping until there is one; `None`: closed, and nothing left. `asleep`
    /// is set while it sleeps, for [`Line::bury`].
    pub(super) fn take(&self, name: u16, asleep: &AtomicU32) -> Option<u64> {
        for _ in 0..LOOKS {
            if let Some(number) = self.try_take(name) {
                return Some(number);
            }
            spin_loop();
        }
        loop {
            let closed = self.flag(CLOSED).load(SeqCst) > 0;
            self.flag(SLEEPERS).fetch_add(1, SeqCst);
            asleep.store(1, SeqCst);
            let bell = self.flag(BELL).load(SeqCst);
            let taken = self.try_take(name);
            if taken.is_none() && !closed {
                // Whatever ends the wait, it looks again.
                let _ = futex::wait(self.flag(BELL), futex::Flags::empty(), bell, None);
            }
            // In this order: killed in between it counts as asleep for ever, which costs a call now and then.
            asleep.store(0, SeqCst);
            self.flag(SLEEPERS).fetch_sub(1, SeqCst);
            if taken.is_some() || closed {
                return taken;
            }
        }
    }

    /// Copies the message that was taken into `into` and releases its slot.
    pub(super) fn copy_out(&self, number: u64, into: &mut Vec<u8>) {
        let slot = self.slot(number);
        let position = slot[1].load(Acquire);
        let bytes = slot[2].load(Relaxed) as usize;
        let words = words_of(bytes).min(self.room().len());
        into.clear();
        memory::read(self.room(), position, words, into);
        into.truncate(bytes);
        self.state(number)
            .store(number << NAME_BITS | RELEASED, SeqCst);
        if number + 1 >= self.word(WAKE_AT).load(SeqCst) {
            self.word(WAKE_AT).store(u64::MAX, SeqCst);
            self.ring(ROOM_BELL, 1);
        }
    }

    /// The worker of this name is dead. Releases what it had taken and not copied, and says what that was.
    pub(super) fn bury(&self, name: u16, asleep: &AtomicU32) -> Option<u64> {
        if asleep.load(SeqCst) > 0 {
            self.flag(SLEEPERS).fetch_sub(1, SeqCst);
        }
        let mut had = None;
        for slot in 0..SLOTS {
            let state = self.state(slot).load(SeqCst);
            let number = state >> NAME_BITS;
            if state & RELEASED == u64::from(name) && number % SLOTS == slot {
                self.state(slot)
                    .store(number << NAME_BITS | RELEASED, SeqCst);
                had = Some(number);
            }
        }
        // It may have been woken for a message that it did not take.
        self.ring(BELL, u32::MAX);
        self.ring(ROOM_BELL, 1);
        had
    }

    /// Nothing more will be sent; workers that find nothing go home.
    pub(super) fn close(&self) {
        self.flag(CLOSED).store(1, SeqCst);
        self.ring(BELL, u32::MAX);
    }

    /// Closed, and every message was taken.
    pub(super) fn is_done(&self) -> bool {
        let closed = self.flag(CLOSED).load(SeqCst) > 0;
        closed && self.word(NEXT).load(SeqCst) >= self.word(SENT).load(SeqCst)
    }

    fn ring(&self, bell: usize, sleepers: u32) {
        self.flag(bell).fetch_add(1, SeqCst);
        // It cannot fail: the flag is a number in memory of ours.
        let _ = futex::wake(self.flag(bell), futex::Flags::empty(), sleepers);
    }
}

impl Sender {
    pub(super) fn new(line: Line) -> Self {
        Self {
            line,
            sent: 0,
            written: 0,
            freed: 0,
            in_flight: VecDeque::with_capacity(SLOTS as usize),
        }
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Sends a message; false if there is no room for it.
    pub(super) fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.reclaim();
        let (words, room) = (words_of(bytes.len()) as u64, self.line.room());
        let free = room.len() as u64 - (self.written - self.freed);
        if self.in_flight.len() as u64 == SLOTS || free < words {
            return false;
        }
        memory::write(room, self.written, bytes);
        let slot = self.line.slot(self.sent);
        slot[1].store(self.written, Relaxed);
        slot[2].store(bytes.len() as u64, Relaxed);
        slot[0].store(self.sent << NAME_BITS, Release);
        self.written += words;
        self.in_flight.push_back(self.written);
        self.sent += 1;
        self.line.word(SENT).store(self.sent, SeqCst);
        if self.line.flag(SLEEPERS).load(SeqCst) > 0 {
            self.line.ring(BELL, 1);
        }
        true
    }

    /// Waits until half of what is in flight was taken, or for some milliseconds.
    pub(super) fn wait_for_room(&self) {
        let line = &self.line;
        let bell = line.flag(ROOM_BELL).load(SeqCst);
        let next = line.word(NEXT).load(SeqCst);
        let wake_at = next + (self.sent.saturating_sub(next) / 2).max(1);
        line.word(WAKE_AT).store(wake_at, SeqCst);
        // A release just before this, or out of order, may go unheard: so not for ever.
        let Ok(most) = Duration::from_millis(2).try_into() else {
            return;
        };
        let _ = futex::wait(
            line.flag(ROOM_BELL),
            futex::Flags::empty(),
            bell,
            Some(&most),
        );
    }

    /// Frees what was released, in the order of the numbers.
    fn reclaim(&mut self) {
        while let Some(&end) = self.in_flight.front() {
            let number = self.sent - self.in_flight.len() as u64;
            if self.line.state(number).load(Acquire) & RELEASED != RELEASED {
                return;
            }
            self.freed = end;
            self.in_flight.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> (Sender, Line) {
        let (line, file) = Line::new(0).unwrap();
        (Sender::new(line), Line::of(&file).unwrap())
    }

    fn message(line: &Line, number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        line.copy_out(number, &mut bytes);
        bytes
    }

    #[test]
    fn messages_come_out_in_the_order_they_were_sent_to_whoever_asks() {
        let (mut sender, line) = line();
        assert_eq!(line.try_take(1), None);
        for text in ["one message", "two", "three"] {
            assert!(sender.try_send(text.as_bytes()));
        }
        sender.line().close();
        let asleep = AtomicU32::new(0);
        assert_eq!(line.try_take(1), Some(0));
        assert_eq!(line.take(2, &asleep), Some(1));
        assert_eq!(message(&line, 1), b"two");
        assert_eq!(message(&line, 0), b"one message");
        assert!(!line.is_done());
        assert_eq!(line.take(1, &asleep), Some(2));
        assert_eq!((line.take(1, &asleep), line.is_done()), (None, true));
    }

    #[test]
    fn a_full_queue_has_room_again_when_its_oldest_messages_were_copied() {
        let (mut sender, line) = line();
        let long = vec![7; LEAST_ROOM * 4];
        assert!(sender.try_send(&long) && sender.try_send(&long));
        assert!(!sender.try_send(b"x"));
        let (first, second) = (line.try_take(1).unwrap(), line.try_take(2).unwrap());
        assert_eq!(message(&line, second), long);
        assert!(!sender.try_send(b"x"), "the oldest is not copied yet");
        assert_eq!(message(&line, first), long);
        for _ in 0..SLOTS {
            assert!(sender.try_send(b"x"));
        }
        assert!(!sender.try_send(b"x"));
    }

    #[test]
    fn what_a_dead_worker_had_taken_is_known_and_its_slot_is_free() {
        let (mut sender, line) = line();
        let long = vec![7; LEAST_ROOM * 8];
        assert!(sender.try_send(&long));
        assert_eq!(line.try_take(3), Some(0));
        let asleep = AtomicU32::new(0);
        assert_eq!(line.bury(2, &asleep), None);
        assert!(!sender.try_send(&long));
        assert_eq!(line.bury(3, &asleep), Some(0));
        assert!(sender.try_send(&long));
        assert_eq!(line.try_take(3), Some(1));
    }

    #[test]
    fn a_worker_that_sleeps_is_woken_by_a_message() {
        let (mut sender, line) = line();
        let (woken, awake) = crossbeam_channel::bounded(1);
        std::thread::scope(|threads| {
            let line = &line;
            threads.spawn(move || {
                let asleep = AtomicU32::new(0);
                woken.send(line.take(1, &asleep)).unwrap();
            });
            while line.flag(SLEEPERS).load(SeqCst) == 0 {
                std::thread::yield_now();
            }
            assert!(sender.try_send(b"x"));
            assert_eq!(awake.recv(), Ok(Some(0)));
        });
    }
}
