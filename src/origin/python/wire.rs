//! The wire between the probe inside a Python process and parviz. This file is its specification; the other
//! end is `assets/probe`.
//!
//! ```text
//! PARVIZ_PROBE=<directory, 0700>   sitecustomize.py  _parviz_*.py  socket
//! PARVIZ_RINGS=<directory, 0700>   <pid>-<number>.ring      in /dev/shm where there is one
//! PYTHONPATH=<PARVIZ_PROBE>[:what it was, if it was anything]
//! ```
//!
//! 1. A process connects to `socket` when it starts (a forked child: before its first record), without ever
//!    waiting, and keeps the connection: its end is the end of the process, if that does not live on. One that
//!    closes descriptors it does not know connects again when it has something to say ([`Message::Again`]), and
//!    goes on with the message that it had begun. It sends [`Message`]s.
//! 2. With its first record it makes its ring and says so ([`Message::Ring`]). The reader may unlink the file
//!    as soon as it has opened it. A process that watches nothing makes no ring.
//! 3. A record is a slot of 32 bytes. The writer claims index `i` (from 0), fills slot `i % SLOTS` and stores
//!    the low 32 bits of `i + 1` last. Slot `i` is there when its last word says so; a larger one (by
//!    wrapping difference) is of a later lap, and what it overwrote is lost. Claims of two threads may be
//!    filled in either order.
//!    Most tell one thing, some two.
//! 4. The writer makes no system call and takes no lock for a record. Words in the page before the slots show
//!    what a record will tell only later: the item of a chunk that runs, and who waits with the lock of the queue
//!    held. An item that is alone in its message is told at once, and no word says it again.
//!
//! Numbers are in the byte order of the machine, times are nanoseconds of `CLOCK_MONOTONIC`. Pools and calls
//! are numbered by the process that makes them; `(pid, number)` is what is unique. Calls of executors have
//! the highest bit set. Within a thread records come in the order of their times, except that
//! [`Told::Taken`], [`Told::ItemEnd`] and [`Told::Raised`] may be written a little after the time they carry.
//!
//! A worker of a `multiprocessing` pool is told the call's number with its message. A worker of a
//! `ProcessPoolExecutor` is told a work id, which is unique in its executor only: its records carry that, with
//! [`Chunk::work`] set, and [`Told::Submit`] of the parent says which call and chunk it stands for. The parent
//! and the pool of a worker are those of the [`Told::Spawn`] that names its pid.
//!
//! A worker reads the CPU clock of its thread between two items and tells what it says ([`Told::Spent`]), with
//! the time of an item's end, or of the begin of the next, and about it in the ring: the end of the item may
//! follow it.
//!
//! Nothing that arrives is trusted: what does not parse is `None` or an error, texts are bounded, and no
//! number is an index before it was looked up.

mod message;
mod record;
mod slot;

pub use message::{Hello, Malformed, Message};
pub use record::{About, Child, Chunk, Closing, NoteKind, Record, StringId, Told, Waits};

/// Where the probe finds its directory, and that of the rings.
pub const PROBE_VARIABLE: &str = "PARVIZ_PROBE";
pub const RINGS_VARIABLE: &str = "PARVIZ_RINGS";
/// The name of the socket in the directory of the probe.
pub const SOCKET: &str = "socket";

/// The probe: the files of its directory, by name.
pub const FILES: [(&str, &str); 13] = [
    (
        "sitecustomize.py",
        include_str!("../../../assets/probe/sitecustomize.py"),
    ),
    (
        "_parviz_children.py",
        include_str!("../../../assets/probe/_parviz_children.py"),
    ),
    (
        "_parviz_frames.py",
        include_str!("../../../assets/probe/_parviz_frames.py"),
    ),
    (
        "_parviz_futures.py",
        include_str!("../../../assets/probe/_parviz_futures.py"),
    ),
    (
        "_parviz_futures_processes.py",
        include_str!("../../../assets/probe/_parviz_futures_processes.py"),
    ),
    (
        "_parviz_futures_threads.py",
        include_str!("../../../assets/probe/_parviz_futures_threads.py"),
    ),
    (
        "_parviz_hooks.py",
        include_str!("../../../assets/probe/_parviz_hooks.py"),
    ),
    (
        "_parviz_pool.py",
        include_str!("../../../assets/probe/_parviz_pool.py"),
    ),
    (
        "_parviz_pool_results.py",
        include_str!("../../../assets/probe/_parviz_pool_results.py"),
    ),
    (
        "_parviz_pool_workers.py",
        include_str!("../../../assets/probe/_parviz_pool_workers.py"),
    ),
    (
        "_parviz_progress.py",
        include_str!("../../../assets/probe/_parviz_progress.py"),
    ),
    (
        "_parviz_ring.py",
        include_str!("../../../assets/probe/_parviz_ring.py"),
    ),
    (
        "_parviz_tell.py",
        include_str!("../../../assets/probe/_parviz_tell.py"),
    ),
];

/// The page before the slots.
pub const HEADER_BYTES: usize = 4096;
pub const SLOT_BYTES: usize = 32;
/// A power of two.
pub const SLOTS: usize = 131_072;
pub const RING_BYTES: usize = HEADER_BYTES + SLOTS * SLOT_BYTES;
/// Where a slot keeps the low 32 bits of its index plus one.
pub const SEQUENCE_AT: usize = 28;

/// The first eight bytes, written when the rest of the page is in place.
pub const MAGIC: [u8; 8] = *b"parvizR1";
/// Threads that have an entry in the page: those numbered below it.
pub const ENTRIES: usize = 126;
/// The entry of thread `n` is at `ENTRIES_AT + n * ENTRY_BYTES`; see [`Entry`].
pub const ENTRIES_AT: usize = 64;
pub const ENTRY_BYTES: usize = 32;

/// A message may not be longer; whoever sends one that is gets no second.
pub const MESSAGE_BYTES: usize = 64 * 1024;

/// Nothing, or not known, where a number is expected.
const NONE: u32 = u32::MAX;

/// Reads numbers from bytes whose length was checked.
fn word<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    word(bytes, at).map(u16::from_ne_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    word(bytes, at).map(u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    word(bytes, at).map(u64::from_ne_bytes)
}

/// What stands at the beginning of a ring and may change while it is read.
///
/// ```text
///  0 magic            16 pid u32                 32 nanoseconds a record costs u32
///  8 version u32      20 0                       36 nanoseconds a coalesced item costs u32
/// 12 slots u32        24 opened u64              40 messages lost u64
/// 64 entries of threads
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub pid: u32,
    /// When the ring was made.
    pub opened: u64,
    /// What the probe needs for one record, measured when the ring was made.
    pub record_cost: u32,
    /// What it needs for an item that it coalesces.
    pub item_cost: u32,
    /// Messages that were dropped because nobody took them.
    pub lost: u64,
}

impl Header {
    /// `None` while the page is not in place, and for what is no ring of this version.
    pub fn parse(page: &[u8]) -> Option<Self> {
        let as_expected = word(page, 0) == Some(MAGIC)
            && u32_at(page, 8) == Some(1)
            && u32_at(page, 12) == Some(SLOTS as u32);
        if !as_expected {
            return None;
        }
        Some(Self {
            pid: u32_at(page, 16)?,
            opened: u64_at(page, 24)?,
            record_cost: u32_at(page, 32)?,
            item_cost: u32_at(page, 36)?,
            lost: u64_at(page, 40)?,
        })
    }
}

/// What a thread does at this moment, as four aligned words of 64 bits: the chunk (call in the lower half,
/// chunk in the upper), since when its item runs (0: none runs), the item in the chunk, and whether the thread
/// waits for a message.
///
/// They are stored one by one, item before time. A reader takes the entry twice, until both are the same,
/// or lives with a start that is early by one short item. An entry stays as it was when its process is
/// killed: the item in it is the one that was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As in the records; here a work id is not marked as one.
    pub call: u32,
    pub chunk: u32,
    pub item: u32,
    /// `None`: no item runs.
    pub since: Option<u64>,
    /// It waits for a message and holds the lock of the queue: if it is killed now, nobody else of its pool
    /// can ever take one.
    pub holds_lock: bool,
}

impl Entry {
    pub fn from_words(words: [u64; 4]) -> Self {
        let [chunk, since, item, waits] = words;
        Self {
            call: chunk as u32,
            chunk: (chunk >> 32) as u32,
            item: item as u32,
            since: (since != 0).then_some(since),
            holds_lock: waits == 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_a_page_and_four_mebibytes() {
        assert_eq!(RING_BYTES, 4096 + (4 << 20));
        assert_eq!(ENTRIES_AT + ENTRIES * ENTRY_BYTES, HEADER_BYTES);
        assert!(SLOTS.is_power_of_two());
    }

    #[test]
    fn the_words_of_a_thread_tell_its_item() {
        let entry = Entry::from_words([5 | (6 << 32), 99, 7, 1]);
        assert_eq!((entry.call, entry.chunk, entry.item), (5, 6, 7));
        assert_eq!((entry.since, entry.holds_lock), (Some(99), true));
        assert_eq!(Entry::from_words([0; 4]).since, None);
    }
}
