//! Watches an unmodified Python program: starts it with a probe inside, and tells what its pools do.
//!
//! ```text
//! program and its children ── ring file and socket each ──> receiver thread ──batches──> whoever watches
//!         └── stdout, stderr: straight through, or files that grow ──chunks──> whoever shows them
//! ```
//!
//! The program must not notice. Nothing it does ever waits for parviz, its output goes to what outlives
//! parviz, and if parviz goes away, by whatever death, the program goes on as before.
//!
//! To show a program: [`start`] it, read `running.batches` like those of any run, and `output` if its
//! output is [`Outlet::Kept`]; both are bounded, and a slow reader delays neither the program nor the
//! watching. What the person asks for goes through [`Handle`]. [`Running::cancel`] ends the watching,
//! not the program. Before the process ends, join the `running`, or its private folder stays behind
//! until the next start sweeps it.

#[cfg(unix)]
mod cpu;
#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod join;
pub(super) mod lab;
#[cfg(unix)]
mod launch;
#[cfg(unix)]
mod peers;
#[cfg(unix)]
mod printed;
mod program;
#[cfg(unix)]
mod ring;
#[cfg(unix)]
mod tell;
#[cfg(unix)]
mod watch;
pub mod wire;

pub use program::{Input, NoProgram, Outlet, Program, Target};

use crate::origin::Running;
use crate::platform;
use crossbeam_channel::Receiver;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A last line is looked for in so many bytes.
const LAST: usize = 4_096;

/// Signals have these numbers on every Unix.
const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// Starts the program, which should have passed [`Program::check`].
#[cfg(unix)]
pub fn start(program: &Program) -> io::Result<Watched> {
    watch::start(program)
}

/// Programs cannot be watched on this system.
#[cfg(not(unix))]
pub fn start(_: &Program) -> io::Result<Watched> {
    let text = "programs can be watched on Linux and macOS only";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

/// A program under way.
#[derive(Debug)]
pub struct Watched {
    /// Closes when the program has ended and everything is told, or after a cancel. The last events are
    /// a note of kind `ProgramEnded` and a `RunEnded`.
    pub running: Running,
    /// Closes at the same time as the batches; nothing comes unless the output is kept.
    pub output: Receiver<Output>,
    pub handle: Handle,
    /// When its time is 0, in nanoseconds of the system's monotonic clock.
    pub began: u64,
}

/// A piece of what the program printed, in the order in which it was printed to that stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub stream: Stream,
    /// At most 64 KiB, cut anywhere.
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    Out,
    Err,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

impl Exit {
    /// The number a shell gives for it: 128 more than the signal's.
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code as u8,
            Self::Signal(signal) => 128_u8.wrapping_add(signal as u8),
        }
    }

    /// The exit code, or minus the number of the signal: as Python counts.
    pub fn value(self) -> i64 {
        match self {
            Self::Code(code) => i64::from(code),
            Self::Signal(signal) => -i64::from(signal),
        }
    }
}

/// What can be done to the program; cheap to clone. After its end nothing happens any more.
#[derive(Clone, Debug)]
pub struct Handle(Arc<State>);

#[derive(Debug)]
struct State {
    pid: u32,
    group: bool,
    /// Locked while the program is asked for its end, so that a signal never meets another process.
    exit: Mutex<Option<Exit>>,
    /// Signals it was sent, and when, until that is told.
    sent: Mutex<Vec<(u64, i32)>>,
    /// The last signal that was passed on to it.
    passed: AtomicI32,
    python: OnceLock<String>,
    /// What it printed, of the two streams, where that is kept.
    kept: Option<[File; 2]>,
}

impl Handle {
    pub fn pid(&self) -> u32 {
        self.0.pid
    }

    /// How it ended, once it has.
    pub fn exit(&self) -> Option<Exit> {
        *self.0.exit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The interpreter as it named itself, once the probe in it has said so: `CPython 3.11.7`.
    pub fn python(&self) -> Option<String> {
        self.0.python.get().cloned()
    }

    /// `SIGINT`, as the keys of a terminal send it: to its group, if it has one of its own.
    pub fn interrupt(&self) {
        self.send(SIGINT, self.0.group);
    }

    /// `SIGTERM`, to the program alone: what becomes of its workers is for it to say.
    pub fn terminate(&self) {
        self.send(SIGTERM, false);
    }

    /// `SIGKILL`, to its group if it has one of its own.
    pub fn kill(&self) {
        self.send(SIGKILL, self.0.group);
    }

    /// Passes on a signal that another process sent to us: to the program, as if it had been sent there. If that
    /// dies of it, what it leaves in a group of its own gets it too: whoever ends a run (`timeout`) means all of
    /// that, and sees a group of ours only. A terminal that hangs up tells all processes.
    pub fn pass_on(&self, number: i32) {
        self.0.passed.store(number, Ordering::Relaxed);
        self.send(number, self.0.group && number == SIGHUP);
    }

    fn send(&self, number: i32, group: bool) {
        let exit = self.0.exit.lock().unwrap_or_else(PoisonError::into_inner);
        if exit.is_none() {
            let mut sent = self.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.push((platform::monotonic(), number));
            platform::signal(self.0.pid, group, number);
        }
    }

    /// The program has just ended so.
    #[cfg(unix)]
    fn pass_to_rest(&self, exit: Exit) {
        let passed = self.0.passed.load(Ordering::Relaxed);
        if self.0.group && exit == Exit::Signal(passed) {
            platform::signal(self.0.pid, true, passed);
        }
    }

    /// Whether what it prints is kept where there is no room left for it.
    pub fn has_no_room(&self) -> bool {
        let kept = self.0.kept.as_ref();
        kept.is_some_and(|[out, _]| platform::is_full(out))
    }

    /// Signals that were sent since this was asked last.
    #[cfg(unix)]
    fn take_sent(&self) -> Vec<(u64, i32)> {
        let mut sent = self.0.sent.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *sent)
    }

    /// The last line on stderr that says anything, where that is kept.
    fn last_error(&self) -> Option<String> {
        let file = &self.0.kept.as_ref()?[Stream::Err as usize];
        let end = file.metadata().ok()?.len();
        let mut bytes = vec![0; LAST];
        let from = end.saturating_sub(LAST as u64);
        let length = self.read_kept(Stream::Err, from, &mut bytes).ok()?;
        let text = String::from_utf8_lossy(&bytes[..length]);
        let mut lines = text.lines().map(str::trim);
        lines.rfind(|line| !line.is_empty()).map(str::to_owned)
    }

    /// Reads what was printed from a place on, where it is kept: 0 at the end of what there is so far.
    pub fn read_kept(&self, stream: Stream, from: u64, into: &mut [u8]) -> io::Result<usize> {
        match &self.0.kept {
            Some(files) => platform::read_at(&files[stream as usize], into, from),
            None => Ok(0),
        }
    }
}
