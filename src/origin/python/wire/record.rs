//! Records: the slots of a ring, and what they tell.

use super::{NONE, SEQUENCE_AT, SLOT_BYTES, u16_at, u32_at, u64_at};

/// A text that came or will come as [`Message::String`](super::Message::String) from the same process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StringId(pub u32);

/// A message to a worker: part of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Chunk {
    /// The number of the call in the parent, or the work id in its executor.
    pub call: u32,
    pub chunk: u32,
    /// `call` is a work id, and `chunk` is 0.
    pub work: bool,
}

/// A process or a thread that works for a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Child {
    Process(u32),
    /// The number of a thread in the process that tells.
    Thread(u32),
}

/// How a pool was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Closing {
    Close,
    Terminate,
    /// `terminate()` at the end of a `with`.
    With,
    /// `Executor.shutdown()`.
    Shutdown,
}

/// In which call a thread waits; `Other` is for calls that a later Python may add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waits {
    Other,
    Map,
    Starmap,
    Apply,
    Get,
    Next,
    Result,
    Futures,
    Join,
    Shutdown,
}

/// What [`Told::Note`] is about; its `value` and its text as said here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoteKind {
    /// The worker could not unpickle its message and ends; the chunk, the exception.
    UnpicklableArgument,
    /// A task left its worker with an exception that is no `Exception`; the exit code, the exception.
    WorkerExit,
    /// The result of a chunk could not be pickled; the exception.
    UnpicklableResult,
    /// The initializer raised and the worker ends; the exception, if it is known.
    InitializerRaised,
    /// A callback raised; the exception. [`NoteKind::ResultThreadDied`] follows, but not after a `KeyError`,
    /// which that thread passes over: then the value is 1.
    CallbackRaised,
    /// The thread that hands out results has died; the exception.
    ResultThreadDied,
    /// The executor gave up its work because a worker died; chunks that had no result.
    Broken,
}

/// What a record tells. Unless said otherwise the parent of the pool tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// The text: kind (`Pool`, `ThreadPool`, `ProcessPoolExecutor`, `ThreadPoolExecutor`), NUL, start method
    /// or nothing.
    PoolOpen {
        pool: u32,
        workers: u32,
        text: StringId,
    },
    /// With the calls that had no result yet.
    PoolClose {
        pool: u32,
        how: Closing,
        outstanding: u32,
    },
    /// A worker was started: the `slot`-th of the pool, replacements counted.
    Spawn {
        pool: u32,
        child: Child,
        slot: u32,
    },
    /// A worker has ended. Minus the number of the signal that killed it, as Python says it.
    Reap {
        pool: u32,
        child: Child,
        exit: i32,
    },
    /// By a worker process, before its initializer runs.
    WorkerBegin {
        parent: u32,
    },
    /// By a worker process that was not killed.
    WorkerEnd,
    /// The text: method, function, file, line, with NULs between. `None` tasks: not known yet.
    Call {
        call: u32,
        text: StringId,
        tasks: Option<u32>,
    },
    /// Follows [`Told::Call`].
    CallIn {
        call: u32,
        pool: u32,
        chunksize: Option<u32>,
    },
    /// A process executor gave the chunk this work id. `items`: see [`Told::Put`].
    Submit {
        call: u32,
        chunk: u32,
        work: u32,
        items: u16,
    },
    /// The chunk can be taken from now on. `items` is at most 65535, and 0 for a message that carries an error
    /// of the input instead of tasks. `bytes`: as pickled.
    Put {
        chunk: Chunk,
        items: u16,
        bytes: Option<u32>,
    },
    /// A future was cancelled before its chunk could be taken.
    Cancelled {
        call: u32,
        chunk: u32,
    },
    /// By the worker; with the number of items, 0 as in [`Told::Put`].
    Taken {
        chunk: Chunk,
        items: u32,
    },
    /// By the worker, like all of items. Items count from 0 in each chunk.
    ItemStart {
        chunk: Chunk,
        item: u32,
    },
    ItemEnd {
        chunk: Chunk,
        item: u32,
        ok: bool,
    },
    /// The item before this one ended well, and this one started.
    ItemNext {
        chunk: Chunk,
        item: u32,
    },
    /// `count` short items from `first` on ended well between the last record of this thread and now; the next
    /// one started now, unless `last`.
    Items {
        chunk: Chunk,
        first: u32,
        count: u16,
        last: bool,
    },
    /// By the worker: what the failed item raised. `None`: the item is the one whose end failed.
    Raised {
        chunk: Chunk,
        item: Option<u16>,
        text: StringId,
    },
    /// By the worker, before the result can be seen by anybody.
    Result {
        chunk: Chunk,
        ok: bool,
        bytes: Option<u32>,
    },
    /// Pickling or unpickling of 10 microseconds or more, that ended now; by either side.
    Cost {
        chunk: Chunk,
        pickling: bool,
        nanos: u32,
    },
    /// The parent has the result.
    Back {
        chunk: Chunk,
        ok: bool,
    },
    /// All results of the call are there; `taken`: and its callback had them and has returned.
    Ready {
        call: u32,
        taken: bool,
    },
    /// This thread waits from now on; for no call in particular, perhaps.
    Block {
        call: Option<u32>,
        waits: Waits,
    },
    Unblock {
        call: Option<u32>,
    },
    /// The caller has the results of this chunk, or of the whole call; `raised`: as an exception.
    Delivered {
        call: u32,
        chunk: Option<u32>,
        raised: bool,
    },
    /// The iterable of an `imap` was read to its end: it made so many chunks, and so many had been delivered;
    /// `sized`: a list or the like, which was all there before.
    InputEnd {
        call: u32,
        chunks: u32,
        delivered: u32,
        sized: bool,
    },
    Note {
        kind: NoteKind,
        about: About,
        text: Option<StringId>,
        value: i32,
    },
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// The worker that tells, and nothing else.
    Worker,
    Pool(u32),
    /// A call by its number, or by a work id (`work`).
    Call {
        call: u32,
        work: bool,
    },
}

/// One slot of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// `CLOCK_MONOTONIC`, in nanoseconds.
    pub at: u64,
    /// The number of the thread that tells, as in [`Message::Thread`](super::Message::Thread).
    pub thread: u16,
    pub cpu: Option<u16>,
    pub told: Told,
}

/// `kind`, `flags` and numbers of a slot:
/// `kind u8, flags u8, cpu u16, thread u16, n u16, t u64, a u32, b u32, c u32, sequence u32`.
struct Slot {
    kind: u8,
    flags: u8,
    n: u16,
    a: u32,
    b: u32,
    c: u32,
}

impl Told {
    /// The text that it speaks of; `None` if the process had no number left for it.
    pub fn text(self) -> Option<StringId> {
        let text = match self {
            Self::PoolOpen { text, .. } | Self::Call { text, .. } | Self::Raised { text, .. } => {
                Some(text)
            }
            Self::Note { text, .. } => text,
            _ => None,
        };
        text.filter(|text| text.0 != NONE)
    }
}

mod flag {
    pub(super) const OK: u8 = 1;
    pub(super) const RAISED: u8 = 1;
    pub(super) const LAST: u8 = 1;
    pub(super) const TAKEN: u8 = 1;
    pub(super) const THREAD: u8 = 1;
    pub(super) const PICKLING: u8 = 1;
    pub(super) const SIZED: u8 = 1;
    pub(super) const POOL: u8 = 1;
    pub(super) const WORK: u8 = 0x80;
}

fn known(number: u32) -> Option<u32> {
    (number != NONE).then_some(number)
}

impl Slot {
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn chunk(&self) -> Chunk {
        Chunk {
            call: self.a,
            chunk: self.b,
            work: self.has(flag::WORK),
        }
    }

    fn child(&self) -> Child {
        if self.has(flag::THREAD) {
            Child::Thread(self.b)
        } else {
            Child::Process(self.b)
        }
    }

    fn note(&self) -> Option<Told> {
        let kind = match self.n {
            1 => NoteKind::UnpicklableArgument,
            2 => NoteKind::WorkerExit,
            3 => NoteKind::UnpicklableResult,
            4 => NoteKind::InitializerRaised,
            5 => NoteKind::CallbackRaised,
            6 => NoteKind::ResultThreadDied,
            7 => NoteKind::Broken,
            _ => return None,
        };
        let about = match known(self.a) {
            None => About::Worker,
            Some(pool) if self.has(flag::POOL) => About::Pool(pool),
            Some(call) => About::Call {
                call,
                work: self.has(flag::WORK),
            },
        };
        Some(Told::Note {
            kind,
            about,
            text: known(self.b).map(StringId),
            value: self.c.cast_signed(),
        })
    }

    fn told(&self) -> Option<Told> {
        let &Self { n, a, b, c, .. } = self;
        let (chunk, ok) = (self.chunk(), self.has(flag::OK));
        Some(match self.kind {
            1 => Told::PoolOpen {
                pool: a,
                workers: b,
                text: StringId(c),
            },
            2 => Told::PoolClose {
                pool: a,
                how: Closing::from_number(self.flags)?,
                outstanding: c,
            },
            3 => Told::Spawn {
                pool: a,
                child: self.child(),
                slot: c,
            },
            4 => Told::Reap {
                pool: a,
                child: self.child(),
                exit: c.cast_signed(),
            },
            5 => Told::WorkerBegin { parent: a },
            6 => Told::WorkerEnd,
            7 => Told::Call {
                call: a,
                text: StringId(b),
                tasks: known(c),
            },
            8 => Told::CallIn {
                call: a,
                pool: b,
                chunksize: known(c),
            },
            9 => Told::Submit {
                call: a,
                chunk: b,
                work: c,
                items: n,
            },
            10 => Told::Put {
                chunk,
                items: n,
                bytes: known(c),
            },
            11 => Told::Taken { chunk, items: c },
            12 => Told::ItemStart { chunk, item: c },
            13 => Told::ItemEnd { chunk, item: c, ok },
            14 => Told::ItemNext { chunk, item: c },
            15 => Told::Items {
                chunk,
                first: c,
                count: n,
                last: self.has(flag::LAST),
            },
            16 => Told::Result {
                chunk,
                ok,
                bytes: known(c),
            },
            17 => Told::Cost {
                chunk,
                pickling: self.has(flag::PICKLING),
                nanos: c,
            },
            18 => Told::Back { chunk, ok },
            19 => Told::Ready {
                call: a,
                taken: self.has(flag::TAKEN),
            },
            20 => Told::Block {
                call: known(a),
                waits: Waits::from_number(b),
            },
            21 => Told::Unblock { call: known(a) },
            22 => Told::Delivered {
                call: a,
                chunk: known(b),
                raised: self.has(flag::RAISED),
            },
            23 => Told::InputEnd {
                call: a,
                chunks: b,
                delivered: c,
                sized: self.has(flag::SIZED),
            },
            24 => Told::Raised {
                chunk,
                item: (n != u16::MAX).then_some(n),
                text: StringId(c),
            },
            25 => return self.note(),
            26 => Told::Cancelled { call: a, chunk: b },
            _ => return None,
        })
    }
}

impl Closing {
    fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Close,
            2 => Self::Terminate,
            3 => Self::With,
            4 => Self::Shutdown,
            _ => return None,
        })
    }
}

impl Waits {
    fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Map,
            2 => Self::Starmap,
            3 => Self::Apply,
            4 => Self::Get,
            5 => Self::Next,
            6 => Self::Result,
            7 => Self::Futures,
            8 => Self::Join,
            9 => Self::Shutdown,
            _ => Self::Other,
        }
    }
}

impl Record {
    /// The record in a slot whose sequence was checked. `None`: of a kind that is not known here.
    pub fn parse(slot: &[u8; SLOT_BYTES]) -> Option<Self> {
        let cpu = u16_at(slot, 2)?;
        let parts = Slot {
            kind: slot[0],
            flags: slot[1],
            n: u16_at(slot, 6)?,
            a: u32_at(slot, 16)?,
            b: u32_at(slot, 20)?,
            c: u32_at(slot, 24)?,
        };
        Some(Self {
            at: u64_at(slot, 8)?,
            thread: u16_at(slot, 4)?,
            cpu: (cpu != u16::MAX).then_some(cpu),
            told: parts.told()?,
        })
    }

    /// The low 32 bits of the slot's index plus one; 0 in a slot that was never filled.
    pub fn sequence(slot: &[u8; SLOT_BYTES]) -> u32 {
        u32_at(slot, SEQUENCE_AT).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(kind: u8, flags: u8, n: u16, numbers: [u32; 3]) -> [u8; SLOT_BYTES] {
        let mut slot = [0; SLOT_BYTES];
        slot[0] = kind;
        slot[1] = flags;
        slot[2..4].copy_from_slice(&u16::MAX.to_ne_bytes());
        slot[4..6].copy_from_slice(&7_u16.to_ne_bytes());
        slot[6..8].copy_from_slice(&n.to_ne_bytes());
        slot[8..16].copy_from_slice(&123_u64.to_ne_bytes());
        for (index, number) in numbers.iter().enumerate() {
            slot[16 + 4 * index..][..4].copy_from_slice(&number.to_ne_bytes());
        }
        slot
    }

    #[test]
    fn a_record_says_when_who_and_what() {
        let record = Record::parse(&slot(13, flag::OK | flag::WORK, 0, [3, 0, 5])).unwrap();
        assert_eq!(
            record,
            Record {
                at: 123,
                thread: 7,
                cpu: None,
                told: Told::ItemEnd {
                    chunk: Chunk {
                        call: 3,
                        chunk: 0,
                        work: true
                    },
                    item: 5,
                    ok: true
                },
            }
        );
    }

    #[test]
    fn what_is_not_known_is_none_and_never_a_large_number() {
        let told = |kind, numbers| Record::parse(&slot(kind, 0, 0, numbers)).unwrap().told;
        assert!(matches!(
            told(7, [1, 2, NONE]),
            Told::Call { tasks: None, .. }
        ));
        assert!(matches!(
            told(20, [NONE, 0, 0]),
            Told::Block { call: None, .. }
        ));
        assert!(matches!(
            told(22, [1, NONE, 0]),
            Told::Delivered { chunk: None, .. }
        ));
    }

    #[test]
    fn an_unknown_kind_is_no_record() {
        assert_eq!(Record::parse(&[0; SLOT_BYTES]), None);
        assert_eq!(Record::parse(&[0xFF; SLOT_BYTES]), None);
        assert_eq!(Record::parse(&slot(25, 0, 99, [0; 3])), None);
    }
}
