//! The one queue of chunks, in the order in which they were sent.
//!
//! Chunks are numbered in the order in which they are sent, and are taken in that order. So the queue is
//! two numbers: how many were sent, and which is next. Taking one is a compare-and-swap; only a worker
//! that finds nothing takes a lock, to sleep.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// On lines of memory of its own: every chunk that is taken writes to them, and what lies beside them
/// would have to be fetched anew each time.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Queue {
    next: AtomicU32,
    sent: AtomicU32,
    closed: AtomicBool,
    /// Workers that sleep. One that is about to sleep counts itself and then looks again; a sender sends
    /// and then looks at the count: one of the two always sees the other.
    sleepers: AtomicU32,
    bed: Mutex<()>,
    morning: Condvar,
}

impl Queue {
    /// The next `count` chunks can be taken from now on.
    pub(super) fn send(&self, count: u32) {
        self.sent.fetch_add(count, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            let _bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
            if count == 1 {
                self.morning.notify_one();
            } else {
                self.morning.notify_all();
            }
        }
    }

    /// Nothing more will be sent; workers that find nothing go home.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let _bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        self.morning.notify_all();
    }

    /// Takes the head, if there is one now.
    pub(super) fn try_take(&self) -> Option<u32> {
        let mut next = self.next.load(Ordering::Relaxed);
        // What the sender told about the chunk came before it could be taken; and for one that counted
        // itself as a sleeper this is the look of which `sleepers` speaks, in one order with the sender's.
        while next < self.sent.load(Ordering::SeqCst) {
            match self.next.compare_exchange_weak(
                next,
                next + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(next),
                Err(other) => next = other,
            }
        }
        None
    }

    /// Takes the head, sleeping until there is one; `None`: closed, and nothing left.
    pub(super) fn take(&self) -> Option<u32> {
        let mut bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let taken = loop {
            let closed = self.closed.load(Ordering::SeqCst);
            if let Some(chunk) = self.try_take() {
                break Some(chunk);
            }
            if closed {
                break None;
            }
            bed = self
                .morning
                .wait(bed)
                .unwrap_or_else(PoisonError::into_inner);
        };
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_come_out_in_the_order_they_were_sent() {
        let queue = Queue::default();
        assert_eq!(queue.try_take(), None);
        queue.send(2);
        queue.close();
        assert_eq!(
            [queue.take(), queue.take(), queue.take()],
            [Some(0), Some(1), None]
        );
    }
}
