//! What went wrong in a run and what is slow, in words: each with its numbers and the one change to try.
//!
//! Findings are a pure function of a trace and a moment. One is there only when its evidence is: a run
//! in which everything went well has none.

mod caller;
mod chunk;
mod deadlock;
mod hidden;
mod index;
mod initializer;
mod lost;
mod main_module;
mod pool;
mod program;
mod restart;
mod result;
mod search;
mod threads;
#[cfg(test)]
mod told;
mod turns;
mod words;

pub(crate) use words::short;
mod worker;

use crate::event::{CallId, LaneId};
use crate::time::Time;
use crate::trace::Trace;
use index::Index;
use search::Search;

/// Something worth saying about a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    pub kind: FindingKind,
    /// When it came to be so.
    pub at: Time,
    /// Where it is to be seen; `None` if it concerns no single lane.
    pub lane: Option<LaneId>,
    /// `None` if it concerns no single call.
    pub call: Option<CallId>,
    /// What is so, with its numbers in it.
    pub text: String,
    /// The one change to try.
    pub advice: String,
    /// The numbers of the text by name. Lengths of time are nanoseconds, shares are from 0 to 1.
    pub numbers: Vec<(&'static str, f64)>,
}

/// What a finding is about. What went wrong comes first, then what may be meant to be so, then what is slow:
/// that is told only where it costs a quarter of a second in all, or half a second of starting pools, and a
/// hundredth of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    LostTask,
    BrokenPool,
    QueueDeadlock,
    NestedDeadlock,
    NoWorkerLeft,
    UnguardedMain,
    WorkerExit,
    UnpicklableArgument,
    CallbackRaised,
    InitializerRaised,
    UnpicklableResult,
    HiddenError,
    ProgramFailed,
    InputSwallowed,
    LeftOutstanding,
    ChunkTooLarge,
    ChunkTooSmall,
    SlowInput,
    Straggler,
    OneAtATime,
    OneInterpreter,
    Oversubscribed,
    PicklingCost,
    StartUpCost,
    RestartCost,
    CallerBlocked,
}

/// A row of the table of kinds.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub kind: FindingKind,
    /// Its name in the JSON report.
    pub word: &'static str,
    /// What it means, and when it is said.
    pub meaning: &'static str,
}

impl FindingKind {
    pub fn definition(self) -> &'static Definition {
        // The table is in the order of the kinds.
        &TABLE[self as usize]
    }

    /// The word of the JSON report.
    pub fn word(self) -> &'static str {
        self.definition().word
    }

    /// Something went wrong; otherwise it may be meant to be so, or is only slow.
    pub fn is_fault(self) -> bool {
        self < Self::InputSwallowed
    }

    /// All is well, and it could be faster.
    pub fn is_slow(self) -> bool {
        self >= Self::ChunkTooLarge
    }
}

const fn row(kind: FindingKind, word: &'static str, meaning: &'static str) -> Definition {
    Definition {
        kind,
        word,
        meaning,
    }
}

/// Every kind of finding, in the order of [`FindingKind`].
#[rustfmt::skip]
pub static TABLE: [Definition; 26] = [
    row(FindingKind::LostTask, "lost-task-never-completes",
        "a worker died inside a task: its result can never come, and a Pool's call waits for ever"),
    row(FindingKind::BrokenPool, "broken-process-pool",
        "a worker of a ProcessPoolExecutor died: every future without a result got BrokenProcessPool instead"),
    row(FindingKind::QueueDeadlock, "queue-deadlock",
        "an idle worker died while it held the lock of the queue: no worker can take a task any more"),
    row(FindingKind::NestedDeadlock, "nested-deadlock",
        "every worker of a pool waits for results of tasks of that same pool, and nobody is left to do them"),
    row(FindingKind::NoWorkerLeft, "no-worker-left",
        "tasks wait in the queue of a pool whose workers are all gone, and nobody replaces them"),
    row(FindingKind::UnguardedMain, "unguarded-main",
        "worker after worker dies at its start: each runs the main module anew, which starts processes itself"),
    row(FindingKind::WorkerExit, "worker-exit",
        "a task left its worker with sys.exit or another exception that is no Exception: its result never comes"),
    row(FindingKind::UnpicklableArgument, "unpicklable-argument",
        "a message could not be pickled and is an error; or a worker could not unpickle it and died of it: its tasks are lost"),
    row(FindingKind::CallbackRaised, "callback-raised",
        "a callback raised: with a KeyError its call never completes, with another error no call of the pool does"),
    row(FindingKind::InitializerRaised, "initializer-raised",
        "the initializer raises, or something else ends each worker at its start: the one that replaces it dies as well"),
    row(FindingKind::UnpicklableResult, "unpicklable-result",
        "a result could not be pickled, so its chunk gives an error; or one could not be unpickled, and the pool stops"),
    row(FindingKind::HiddenError, "hidden-error",
        "a task failed and nothing shows it until the program asks for its result"),
    row(FindingKind::ProgramFailed, "program-failed",
        "the program ended with another exit code than 0, and nothing else that was found says why"),
    row(FindingKind::InputSwallowed, "input-swallowed",
        "imap read a generator to its end while tens of MiB of results were not taken: nothing holds it back"),
    row(FindingKind::LeftOutstanding, "left-outstanding",
        "the pool was terminated (terminate(), end of its `with`, end of the program) while tasks had no result"),
    row(FindingKind::ChunkTooLarge, "chunk-too-large",
        "some workers had nothing left while others still worked through a long last chunk"),
    row(FindingKind::ChunkTooSmall, "chunk-too-small-overhead",
        "the tasks are so short that sending them takes much of the workers' time"),
    row(FindingKind::SlowInput, "slow-input",
        "a generator gives its items to imap more slowly than the workers take them: they wait for it"),
    row(FindingKind::Straggler, "straggler",
        "one task ran long after all others: the call waits for that one"),
    row(FindingKind::OneAtATime, "one-at-a-time",
        "the main program waits for each result before it sends the next task: the other workers stand idle"),
    row(FindingKind::OneInterpreter, "one-interpreter",
        "threads compute, and all of them together get about one CPU while others are free: one at a time has the interpreter"),
    row(FindingKind::Oversubscribed, "oversubscribed",
        "more processes than keep the CPUs busy: tasks that could run waited for a CPU"),
    row(FindingKind::PicklingCost, "pickling-cost",
        "arguments and results are large: much time goes into pickling and unpickling them"),
    row(FindingKind::StartUpCost, "start-up-cost",
        "the program waited longer for workers to start than all their tasks took, half a second or more in all"),
    row(FindingKind::RestartCost, "restart-cost",
        "workers are replaced after a few tasks (maxtasksperchild), and much time passes until the new ones work"),
    row(FindingKind::CallerBlocked, "caller-blocked",
        "the main program waited in a call although it had work to do afterwards, and a CPU was idle for it"),
];

/// All findings of a run as of `at`, the moment itself included: what went wrong first, each kind by time.
///
/// Costs a few microseconds for each call and each worker, and of a call in which tasks failed or were lost
/// a look at each of its tasks: to be asked when the trace has changed, not for every frame.
pub fn of(trace: &Trace, at: Time) -> Vec<Finding> {
    let index = Index::of(trace);
    let mut search = Search::new(trace, &index, at);
    main_module::search(&mut search);
    lost::search(&mut search);
    worker::search(&mut search);
    deadlock::search(&mut search);
    initializer::search(&mut search);
    result::search(&mut search);
    hidden::search(&mut search);
    chunk::search(&mut search);
    pool::search(&mut search);
    restart::search(&mut search);
    threads::search(&mut search);
    turns::search(&mut search);
    caller::search(&mut search);
    program::search(&mut search);
    search.findings()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for (place, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, place, "{}", row.word);
        }
    }

    #[test]
    fn every_word_stands_once_and_every_meaning_is_a_line() {
        for row in &TABLE {
            let same = TABLE.iter().filter(|other| other.word == row.word);
            assert_eq!(same.count(), 1, "{}", row.word);
            assert!(
                row.meaning.is_ascii() && (40..=120).contains(&row.meaning.len()),
                "{}",
                row.word
            );
        }
    }

    #[test]
    fn a_fault_is_no_slowness_and_some_findings_are_neither() {
        let of = |kind: FindingKind| (kind.is_fault(), kind.is_slow());
        assert_eq!(of(FindingKind::ProgramFailed), (true, false));
        assert_eq!(of(FindingKind::LeftOutstanding), (false, false));
        assert_eq!(of(FindingKind::ChunkTooLarge), (false, true));
    }

    #[test]
    fn nothing_is_found_in_a_run_that_told_nothing() {
        assert_eq!(of(&Trace::default(), Time(5)), []);
    }
}
