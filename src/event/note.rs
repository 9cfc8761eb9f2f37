//! What a watched program, or whoever watches it, notes of itself: errors, ends, and what was not seen.

use super::{CallId, PoolId};
use crate::plural::counted;

/// See [`super::Kind::Noted`]; the lane of the event is where it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    pub kind: NoteKind,
    pub pool: Option<PoolId>,
    pub call: Option<CallId>,
    /// The exception as Python prints it, or empty.
    pub text: String,
    /// An exit code or a count, as the kind says.
    pub value: i64,
}

impl Note {
    /// The caller got the error of the chunk that begins with this task.
    pub fn error_taken(call: CallId, pool: Option<PoolId>, first: u32) -> Self {
        Self {
            kind: NoteKind::ErrorTaken,
            pool,
            call: Some(call),
            text: String::new(),
            value: i64::from(first),
        }
    }

    /// What it says in a few words; `None` of a mere measurement.
    pub fn words(&self) -> Option<String> {
        let words = match self.kind {
            NoteKind::UnpicklableArgument => "an argument could not be unpickled",
            NoteKind::WorkerExit => "a task ended its worker",
            NoteKind::UnpicklableResult => "a result could not be pickled",
            NoteKind::NotSent => "an argument could not be pickled",
            NoteKind::InitializerRaised => "the initializer raised",
            NoteKind::CallbackRaised => "a callback raised",
            NoteKind::ResultThreadDied => "the thread that hands out results died",
            NoteKind::QueueLockHeld => "a worker died while it held the lock of the queue",
            NoteKind::LeftOutstanding => "the pool was terminated with work outstanding",
            NoteKind::InputSwallowed => "the input was read to its end",
            NoteKind::NoProbe => "no probe",
            NoteKind::Unwatched | NoteKind::Refused => &counted(
                self.value,
                "process is not watched",
                "processes are not watched",
            ),
            NoteKind::Signalled => {
                let number = i32::try_from(self.value).unwrap_or_default();
                &format!("sent {}", exit_words(-number))
            }
            NoteKind::ProgramEnded => return Some(ended(self.value)),
            NoteKind::Broken => {
                let futures = counted(self.value, "future", "futures");
                return Some(format!("{futures} got BrokenProcessPool"));
            }
            NoteKind::ErrorTaken | NoteKind::ProbeCost | NoteKind::ExitCode => return None,
        };
        let said = !self.text.is_empty();
        Some(if said {
            format!("{words}: {}", self.text)
        } else {
            words.to_owned()
        })
    }
}

fn ended(code: i64) -> String {
    match code {
        ..0 => format!("program killed by signal {}", code.unsigned_abs()),
        _ => format!("program ended, exit {code}"),
    }
}

/// What Python calls the exit code of a process: `exit code 3`, or the signal, `SIGKILL`.
pub fn exit_words(code: i32) -> String {
    // The numbers that all systems agree on.
    let name = match code {
        0.. => return format!("exit code {code}"),
        -1 => "SIGHUP",
        -2 => "SIGINT",
        -3 => "SIGQUIT",
        -4 => "SIGILL",
        -5 => "SIGTRAP",
        -6 => "SIGABRT",
        -8 => "SIGFPE",
        -9 => "SIGKILL",
        -11 => "SIGSEGV",
        -13 => "SIGPIPE",
        -14 => "SIGALRM",
        -15 => "SIGTERM",
        -24 => "SIGXCPU",
        -25 => "SIGXFSZ",
        _ => return format!("signal {}", code.unsigned_abs()),
    };
    name.to_owned()
}

/// What a [`Note`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoteKind {
    /// A worker could not read its message: an argument that cannot be unpickled.
    UnpicklableArgument,
    /// A task left its worker with `SystemExit` or another exception that is no `Exception`; value: the exit code.
    WorkerExit,
    /// A result could not be pickled.
    UnpicklableResult,
    /// A message could not be pickled, so it was not sent: an argument, or the function.
    NotSent,
    /// The initializer of a worker raised.
    InitializerRaised,
    /// A callback raised; value: 1 if the thread that hands out results passed over it and goes on.
    CallbackRaised,
    /// The thread that hands out results has died: nothing of this pool will complete.
    ResultThreadDied,
    /// A worker died without a task while it held the lock of the queue: nobody else can take tasks.
    QueueLockHeld,
    /// The worker of this lane died; value: its exit code, or minus the number of the signal that killed it.
    ExitCode,
    /// An executor gave up because a worker died; value: futures that got `BrokenProcessPool`.
    Broken,
    /// The pool was terminated; value: tasks that had no result. The text says why: [`TERMINATED`], the end of
    /// a `with`, [`EXITING`], or [`RAISING`].
    LeftOutstanding,
    /// The iterable of an `imap` was read to its end; value: results that the caller had taken by then.
    InputSwallowed,
    /// The caller asked for a result and got the error of its task; value: that task, or the first one of
    /// its chunk or of a call that raises as a whole.
    ErrorTaken,
    /// The program cannot be watched, or no longer: the text says why.
    NoProbe,
    /// Interpreters that cannot have loaded the probe; value: how many more. The text says why.
    Unwatched,
    /// The same of processes that have loaded it and were too many: what they did is lost.
    Refused,
    /// Whoever watches sent the program a signal; value: its number.
    Signalled,
    /// The program ended; value: its exit code, or minus the number of the signal that killed it. The text: the
    /// last line that it printed to stderr, where that is kept and it did not end well.
    ProgramEnded,
    /// Time that watching itself has taken in this process so far, in nanoseconds: the value.
    ProbeCost,
}

/// Why a pool was terminated: the program did so itself.
pub const TERMINATED: &str = "terminate()";
/// It did so, or left it, because of an exception.
pub const RAISING: &str = "an exception";
/// The program ended and had not closed it.
pub const EXITING: &str = "the end of the program";
