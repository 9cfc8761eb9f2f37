//! The vocabulary of what happens in a watched run. Every origin speaks it; the trace is a fold over it.
//!
//! One vocabulary serves the lab and foreign programs: an origin fills in what it knows and
//! leaves the rest out, and nothing is ever guessed. An event is 32 bytes, because a worker writes four
//! of them for a task that may take a microsecond; what is rare and large stands behind a box.

mod call_kind;
mod counter;
mod note;

pub use call_kind::CallKind;
pub use counter::{COUNTER_MAIN, COUNTER_MAX, COUNTER_MIN, COUNTER_SUM, Counter, LOCK_WAIT};
pub use note::{EXITING, Note, NoteKind, RAISING, TERMINATED, exit_words};

use crate::time::{Nanos, Time};

/// One worker, caller or dispatcher as the run knew it. A worker that replaces a dead one is a new lane
/// with the old name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub u32);

/// A pool of workers that share one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(pub u32);

/// One call of the caller, such as one `pool.map(...)`. In the lab a loop of `apply` is one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

/// A logical processor, as the system numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CpuId(pub u16);

/// A task: the `index`-th item of its call, in the order of submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId {
    pub call: CallId,
    pub index: u32,
}

/// Neighbouring indexes of tasks or of chunks, the end excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Indexes {
    pub first: u32,
    pub end: u32,
}

impl Indexes {
    pub fn new(first: u32, end: u32) -> Self {
        Self {
            first,
            end: end.max(first),
        }
    }

    pub fn one(index: u32) -> Self {
        Self::new(index, index.saturating_add(1))
    }

    pub fn len(self) -> u32 {
        self.end.saturating_sub(self.first)
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    pub fn contains(self, index: u32) -> bool {
        (self.first..self.end).contains(&index)
    }

    pub fn iter(self) -> std::ops::Range<u32> {
        self.first..self.end
    }
}

/// Something that happened in the watched run.
///
/// Within a lane events are told in the order they happened. Between lanes they may arrive in any
/// order: the order of a trace is (time, lane, order within the lane).
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub at: Time,
    pub lane: LaneId,
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    RunBegan(Box<RunBegan>),
    RunEnded {
        ends: Ends,
    },
    PoolOpened(Box<PoolOpened>),
    PoolClosed {
        pool: PoolId,
    },
    /// The lane of the event is the one that opened.
    LaneOpened(Box<LaneOpened>),
    LaneClosed {
        ended: Ended,
    },
    CallBegan(Box<CallBegan>),
    /// The caller made the same call again from the same line (an `apply` or a `submit` in a loop): one
    /// more call of one task each, and shown with those before it. They are the next indexes.
    CallAgain {
        call: CallId,
        tasks: Indexes,
    },
    CallEnded {
        call: CallId,
        ends: Ends,
    },
    /// The caller handed these tasks to the pool.
    Submitted {
        call: CallId,
        tasks: Indexes,
    },
    /// These chunks can be taken by a worker from now on.
    Enqueued {
        call: CallId,
        chunks: Indexes,
    },
    /// The worker of this lane took the chunk.
    Dequeued {
        call: CallId,
        chunk: u32,
    },
    /// The chunk's results are back in the process of the caller.
    Returned {
        call: CallId,
        chunk: u32,
    },
    /// The message of a chunk, or of its results, as pickled.
    Carried {
        call: CallId,
        chunk: u32,
        bytes: u32,
        way: Way,
    },
    Started {
        task: TaskId,
        cpu: Option<CpuId>,
    },
    Finished {
        task: TaskId,
        outcome: Outcome,
        cpu: Option<CpuId>,
    },
    /// The error text of a task that failed; comes before its `Finished`.
    Raised(Box<Raised>),
    /// How a running task spent the stretch that ends now.
    Ran(Box<Ran>),
    /// How the worker of this lane spent a stretch, whatever tasks it had meanwhile; all of them were told.
    Spent(Box<Spent>),
    /// A CPU had this task during the stretch that ends now; for the lanes of CPUs only.
    OnCpu(Box<OnCpu>),
    /// The results of these tasks can never come: their worker died.
    Lost {
        call: CallId,
        tasks: Indexes,
    },
    /// Only the caller stands between these results and their use.
    Ready {
        call: CallId,
        tasks: Indexes,
    },
    /// The caller has these results.
    Delivered {
        call: CallId,
        tasks: Indexes,
    },
    /// What the caller of this lane does from now on.
    Caller {
        state: CallerState,
    },
    Span(Box<NamedSpan>),
    Sample(Box<Sample>),
    Marked(Box<String>),
    /// Something that is known only to the program itself and decides what can still happen.
    Noted(Box<Note>),
    /// This many events were not seen.
    Dropped {
        count: u32,
    },
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    ToWorker,
    ToCaller,
}

/// How a run or a call came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ends {
    /// Every result reached the caller.
    Returned,
    /// The call raised.
    Error,
    /// It can never complete: a result will never come.
    Never,
    /// The executor gave up when a worker died.
    BrokenProcessPool,
    /// The program left it, or ended, before every result was there.
    Left,
    /// Stopped by the person who watches, or cancelled as a whole by the program.
    Cancelled,
}

impl Ends {
    /// The word of the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Error => "error",
            Self::Never => "never",
            Self::BrokenProcessPool => "BrokenProcessPool",
            Self::Left => "left",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How a lane came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// The run was over.
    Finished,
    /// It had done its share (`maxtasksperchild`) and left.
    Retired,
    Killed,
    Crashed,
}

impl Ended {
    pub fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Retired => "retired",
            Self::Killed => "killed",
            Self::Crashed => "crashed",
        }
    }
}

/// How a task came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Ok,
    Failed,
    /// Never entered: an earlier task of its chunk failed.
    Skipped,
    /// Its worker died, so its result can never come.
    Lost,
    /// Never entered: the program took it back.
    Cancelled,
}

impl Outcome {
    pub const ALL: [Self; 5] = [
        Self::Ok,
        Self::Failed,
        Self::Skipped,
        Self::Lost,
        Self::Cancelled,
    ];

    /// It came to an end of its own; what was skipped, lost or cancelled did not.
    pub fn is_end(self) -> bool {
        matches!(self, Self::Ok | Self::Failed)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Lost => "lost",
        }
    }
}

/// What the main program is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerState {
    /// Before the call: the pool starts up.
    Starting,
    /// Work of its own that no pool shares.
    OwnWork,
    /// In a plain loop: it runs the tasks itself.
    RunsTasks,
    Submitting,
    Blocked(BlockedIn),
    Collecting,
    Done,
}

/// The call in which the main program is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockedIn {
    Map,
    Starmap,
    Apply,
    Get,
    Next,
    /// `Future.result()` or `Future.exception()`.
    Result,
    /// `concurrent.futures.wait()` or `as_completed()`.
    Futures,
    /// `Pool.join()`.
    Join,
    /// `Executor.shutdown()`.
    Shutdown,
}

impl BlockedIn {
    pub fn word(self) -> &'static str {
        match self {
            Self::Map => "map()",
            Self::Starmap => "starmap()",
            Self::Apply => "apply()",
            Self::Get => "get()",
            Self::Next => "next()",
            Self::Result => "result()",
            Self::Futures => "wait()",
            Self::Join => "join()",
            Self::Shutdown => "shutdown()",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct RunBegan {
    /// What runs, in a few words.
    pub label: String,
    /// False: simulated.
    pub measured: bool,
    /// CPUs the tasks may use, if known.
    pub cpus: Option<u32>,
    /// Those among which a task is said to be on one, by number; none if that is not known or never said.
    pub cpu_ids: Vec<CpuId>,
    /// One task computes at a time, however many CPUs there are.
    pub gil: bool,
    /// Time the caller alone needs before the call, for the serial time; zero if unknown.
    pub serial: Nanos,
    /// Sum of the tasks' costs where it is known before they run.
    pub work: Option<Nanos>,
    /// A program that makes its own calls, as many as it likes: numbers are those of the call that is
    /// shown and count from its begin. Otherwise the run is one call and counts from its own begin.
    pub program: bool,
}

impl RunBegan {
    /// Of a program whose calls are watched: nothing is known of its work before it does it.
    pub fn of_program(label: String, cpus: Option<u32>) -> Self {
        Self {
            label,
            measured: true,
            cpus,
            cpu_ids: Vec::new(),
            gil: false,
            serial: Nanos::ZERO,
            work: None,
            program: true,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PoolOpened {
    pub pool: PoolId,
    /// `threads`, `processes`, `simulated`, `Pool`, `ThreadPool`, `ProcessPoolExecutor`, `ThreadPoolExecutor`
    pub kind: String,
    /// `fork`, `spawn`, `forkserver`; none for threads and where it is not known.
    pub start_method: Option<String>,
    /// As many as it was asked to have; none where that is not known.
    pub workers: Option<u32>,
}

impl PoolOpened {
    /// It is one of `concurrent.futures`.
    pub fn is_executor(&self) -> bool {
        self.kind.ends_with("Executor")
    }
}

/// What a lane stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LaneKind {
    /// A main program that calls a pool.
    Caller,
    /// What sends chunks to the workers, where that costs something.
    Dispatcher,
    Worker,
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LaneOpened {
    pub kind: LaneKind,
    pub pool: Option<PoolId>,
    pub name: String,
    pub pid: Option<u32>,
    pub tid: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CallBegan {
    pub call: CallId,
    pub pool: Option<PoolId>,
    pub method: String,
    pub function: String,
    /// Where the call stands in the program: file and line, which counts from 1.
    pub source: Option<(String, u32)>,
    /// `None` while it is not known how many there will be.
    pub tasks: Option<u32>,
    pub chunksize: Option<u32>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Raised {
    pub task: TaskId,
    /// As Python prints it: `ValueError: ...`.
    pub error: String,
}

/// The parts of a stretch of a running task. What is in none of them, it was blocked:
/// `blocked = (at - since) - on_cpu - waiting - useful_wait`, not below 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    pub task: TaskId,
    pub since: Time,
    pub on_cpu: Nanos,
    /// Runnable, but the scheduler ran something else.
    pub waiting: Nanos,
    /// The wait an I/O task asked for.
    pub useful_wait: Nanos,
    /// The CPU it was on when the stretch began, if that is known.
    pub cpu: Option<CpuId>,
    /// The CPU it was on when the stretch ended, if that was another one.
    pub moved_to: Option<CpuId>,
}

/// What a worker had of the CPUs from one moment to another, tasks or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Spent {
    pub since: Time,
    /// Perhaps earlier than what was last told of the lane.
    pub until: Time,
    pub on_cpu: Nanos,
    /// Runnable, but the scheduler ran something else; `None` if nobody knows.
    pub waiting: Option<Nanos>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OnCpu {
    pub task: TaskId,
    pub since: Time,
    pub cpu: CpuId,
}

/// What a span that is no task counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// Start-up, dequeue, unpickle, pickle, put.
    Overhead,
    Other,
}

/// Anything on a lane that is no task; ends now.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedSpan {
    pub name: String,
    pub category: Category,
    pub since: Time,
}

/// The quantity of a [`Sample`]: bytes of memory that the process of its lane has resident.
pub const RESIDENT: &str = "memory";

/// The quantity of a [`Sample`] that tells how long a caller has been on a CPU so far, in nanoseconds.
pub const CALLER_ON_CPU: &str = "caller_on_cpu";

/// The quantity of a [`Sample`] that tells how long all threads of a process have been on a CPU so far, in
/// nanoseconds.
pub const PROCESS_ON_CPU: &str = "process_on_cpu";

#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// `counter_main`, `memory`, ...
    pub quantity: String,
    /// In the unit of its quantity: bytes, nanoseconds, or a count.
    pub value: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_stand_in_their_order() {
        let places = Outcome::ALL.map(|outcome| outcome as usize);
        assert_eq!(places, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn an_event_is_32_bytes() {
        assert_eq!(size_of::<Event>(), 32);
    }

    #[test]
    fn an_exit_code_below_0_is_a_signal() {
        let words = [3, -9, -11, -7].map(exit_words);
        assert_eq!(words, ["exit code 3", "SIGKILL", "SIGSEGV", "signal 7"]);
    }
}
