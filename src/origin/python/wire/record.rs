//! Records: what the slots of a ring tell.

use super::NONE;

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
    /// As `Terminate`, `With` or `Exit`, because of an exception.
    Raising,
    /// By its finalizer: the interpreter exits, or nobody has the pool any more.
    Exit,
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
    /// A message could not be pickled for the worker; the exception, and the chunk that it is.
    NotSent,
}

impl NoteKind {
    /// A worker tells it of itself, also one that is a thread of the process that has the pool.
    pub(in crate::origin::python) fn is_of_worker(self) -> bool {
        matches!(
            self,
            Self::UnpicklableArgument | Self::WorkerExit | Self::UnpicklableResult
        )
    }
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
    /// A worker has ended. Minus the number of the signal that killed it, as Python says it; the lowest
    /// number if it is not known yet.
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
    /// By the worker: what the failed item raised. `None`: the item is the one that ended last.
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
    /// By a worker, of its own thread: how long it was on a CPU since it began, and how long it could run and
    /// was on none; `None`: it did not ask. It tells this between two items, or at the begin or the end of
    /// one, and seldom where items are short; of items behind the last time nothing is known.
    Spent {
        on_cpu: u64,
        waiting: Option<u64>,
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
    /// This thread ends, by whatever process: it calls no pool any more.
    ThreadEnd,
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
