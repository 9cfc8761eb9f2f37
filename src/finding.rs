//! What went wrong in a run and what is slow, in words: each with its numbers and the one change to try.
//!
//! Findings are a pure function of a trace and a moment. One is there only when its evidence is: a run
//! in which everything went well has none.

mod caller;
mod chunk;
mod hidden;
mod initializer;
mod lost;
mod pool;
mod result;
mod search;
#[cfg(test)]
mod told;
mod words;

pub(crate) use words::short;
mod worker;

use crate::event::{CallId, LaneId};
use crate::time::Time;
use crate::trace::Trace;
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

/// What a finding is about. What went wrong comes before what is slow; that is told only where it costs a
/// quarter of a second in all, or half a second of starting pools, and a hundredth of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    LostTask,
    BrokenPool,
    QueueDeadlock,
    WorkerExit,
    UnpicklableArgument,
    CallbackRaised,
    InitializerRaised,
    UnpicklableResult,
    HiddenError,
    InputSwallowed,
    LeftOutstanding,
    ChunkTooLarge,
    ChunkTooSmall,
    Straggler,
    Oversubscribed,
    PicklingCost,
    StartUpCost,
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

    /// Something went wrong; otherwise it is only slow.
    pub fn is_fault(self) -> bool {
        self < Self::ChunkTooLarge
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
pub static TABLE: [Definition; 18] = [
    row(FindingKind::LostTask, "lost-task-never-completes",
        "a worker died inside a task: its result can never come, and a Pool's call waits for ever"),
    row(FindingKind::BrokenPool, "broken-process-pool",
        "a worker of a ProcessPoolExecutor died: every future without a result got BrokenProcessPool instead"),
    row(FindingKind::QueueDeadlock, "queue-deadlock",
        "an idle worker died while it held the lock of the queue: no worker can take a task any more"),
    row(FindingKind::WorkerExit, "worker-exit",
        "a task left its worker with sys.exit or another exception that is no Exception: its result never comes"),
    row(FindingKind::UnpicklableArgument, "unpicklable-argument",
        "a message could not be pickled and is an error; or a worker could not unpickle it and died of it: its tasks are lost"),
    row(FindingKind::CallbackRaised, "callback-raised",
        "a callback raised: with a KeyError its call never completes, with another error no call of the pool does"),
    row(FindingKind::InitializerRaised, "initializer-raised",
        "the initializer raises: each worker dies at once and is replaced by one that dies as well"),
    row(FindingKind::UnpicklableResult, "unpicklable-result",
        "a result could not be pickled, so its chunk gives an error; or one could not be unpickled, and the pool stops"),
    row(FindingKind::HiddenError, "hidden-error",
        "a task failed and nothing shows it until the program asks for its result"),
    row(FindingKind::InputSwallowed, "input-swallowed",
        "imap read all that a generator gives ahead of its results: nothing holds it back, and both pile up"),
    row(FindingKind::LeftOutstanding, "left-outstanding",
        "the pool was terminated, by terminate() or by leaving `with Pool()`, while tasks had no result"),
    row(FindingKind::ChunkTooLarge, "chunk-too-large",
        "some workers had nothing left while others still worked through a long last chunk"),
    row(FindingKind::ChunkTooSmall, "chunk-too-small-overhead",
        "the tasks are so short that sending them takes much of the workers' time"),
    row(FindingKind::Straggler, "straggler",
        "one task ran long after all others: the call waits for that one"),
    row(FindingKind::Oversubscribed, "oversubscribed",
        "more processes than CPUs: tasks that could run waited for a CPU"),
    row(FindingKind::PicklingCost, "pickling-cost",
        "arguments and results are large: much time goes into pickling and unpickling them"),
    row(FindingKind::StartUpCost, "start-up-cost",
        "starting the pools took longer than all the work they did, and half a second or more in all"),
    row(FindingKind::CallerBlocked, "caller-blocked",
        "the main program waited in a call although it had work to do afterwards, and a CPU was idle for it"),
];

/// All findings of a run as of `at`, the moment itself included: what went wrong first, each kind by time.
///
/// Costs a few microseconds for each call and each worker, and of a call in which tasks failed or were lost
/// a look at each of its tasks: to be asked when the trace has changed, not for every frame.
pub fn of(trace: &Trace, at: Time) -> Vec<Finding> {
    let mut search = Search::new(trace, at);
    lost::search(&mut search);
    worker::search(&mut search);
    initializer::search(&mut search);
    result::search(&mut search);
    hidden::search(&mut search);
    chunk::search(&mut search);
    pool::search(&mut search);
    caller::search(&mut search);
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
    fn a_fault_is_no_slowness() {
        assert!(FindingKind::LeftOutstanding.is_fault() && !FindingKind::ChunkTooLarge.is_fault());
    }

    #[test]
    fn nothing_is_found_in_a_run_that_told_nothing() {
        assert_eq!(of(&Trace::default(), Time(5)), []);
    }
}
