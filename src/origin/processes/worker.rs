//! The process of a worker: takes messages from the queue, runs the tasks in them, and answers.
//!
//! It is this same program, started with `--worker-process` by a run of parviz, with what they share in the
//! place of its standard streams: a socket to parviz, the queue, and the worker's own book. It dies with
//! parviz, by the kernel's word and, should that not come, when the other end of the socket is gone.
#![expect(
    clippy::disallowed_methods,
    reason = "a process of its own, which measures what it does"
)]

use super::book::{ASLEEP, Book, COUNT, HANGS, HOLDS, HUNG_AT, LOOK, QUIET, Writer};
use super::line::{COUNTER, LOCK, LOCK_WAIT, Line, READER_SLEEPS};
use super::message::{self, Answer, Order, Setup, Value};
use super::tape;
use crate::event::{
    Category, Ended, Kind, NamedSpan, Outcome, RESIDENT, Raised, Sample, TaskId, Way,
};
use crate::experiment::CounterEffect;
use crate::origin::Cancel;
use crate::origin::threads::CALL;
use crate::origin::threads::recorder::Tell;
use crate::origin::threads::task::{Fate, Place, Runner};
use crate::origin::threads::work::{Pace, Token};
use crate::platform;
use crate::time::{Nanos, Time};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{ExitCode, exit};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::Instant;

/// The first argument of a process that is a worker. The second is its row, for whoever lists processes.
pub(super) const WORD: &str = "--worker-process";
/// Serialising that took less is not told: it would cost more to tell.
const WORTH_TELLING: Nanos = Nanos(1_000);
/// How often a worker looks at how much memory it has.
const WEIGHS_EVERY: Nanos = Nanos(250_000_000);
/// More than a [`Setup`] has.
const MOST_SETUP: u32 = 4096;

/// Whether a process with this first argument is a worker.
pub fn is_worker(first: Option<OsString>) -> bool {
    first.is_some_and(|word| word == WORD)
}

/// All that such a process does.
pub fn run() -> ExitCode {
    match Worker::begin() {
        Ok(worker) => worker.work(),
        // Whoever typed this reads it; parviz sees that there was no worker.
        Err(error) => {
            let _ = writeln!(io::stderr(), "parviz: {WORD} is for parviz itself: {error}");
            ExitCode::from(2)
        }
    }
}

/// What a task has around it here.
struct There {
    setup: Setup,
    line: Line,
    book: Book,
    bell: Bell,
    /// Never raised: a worker that shall stop is killed.
    halt: Cancel,
    /// The counter of this process.
    counter: Cell<u64>,
    /// The error that the running task is asked to raise.
    error: String,
}

/// Wakes the thread that reads answers.
struct Bell {
    line: Line,
    socket: Arc<UnixStream>,
}

impl Bell {
    fn ring(&self) {
        if self.line.flag(READER_SLEEPS).swap(0, SeqCst) > 0 {
            // If parviz has gone, so will this process.
            let _ = (&*self.socket).write_all(&[0]);
        }
    }
}

impl Place for There {
    fn pace(&self) -> Pace {
        Pace::of(self.setup.pace)
    }

    fn instant(&self, at: Time) -> Instant {
        let now = Time(platform::monotonic().saturating_sub(self.setup.began));
        Instant::now() + at.since(now).std()
    }

    fn halt(&self) -> &Cancel {
        &self.halt
    }

    /// Each process has an interpreter of its own.
    fn token(&self) -> Option<Arc<Token>> {
        None
    }

    fn waits_tell_every(&self) -> Nanos {
        Nanos(self.setup.waits_tell_every)
    }

    fn count(&self) {
        let times = match self.setup.effect {
            CounterEffect::None => return,
            CounterEffect::Count => 1,
            CounterEffect::Race => u64::from(self.setup.increments),
        };
        self.counter.set(self.counter.get() + times);
        self.book.word(COUNT).store(self.counter.get(), Relaxed);
        if self.setup.effect == CounterEffect::Race {
            for _ in 0..times {
                self.race();
            }
        }
    }

    fn hangs(&self, index: u32, at: Time) {
        self.book.word(HUNG_AT).store(at.0, SeqCst);
        self.book.flag(HANGS).store(index.saturating_add(1), SeqCst);
        self.book.flag(LOOK).store(1, SeqCst);
        self.bell.ring();
    }

    fn error_text(&self, _index: u32) -> String {
        self.error.clone()
    }
}

impl There {
    /// One increment of the counter in the memory that all share: a load and a store.
    fn race(&self) {
        let (counter, lock) = (self.line.word(COUNTER), self.line.word(LOCK));
        let name = u64::from(self.setup.row) + 1;
        if self.setup.lock {
            let asked = platform::monotonic();
            while lock.compare_exchange(0, name, SeqCst, Relaxed).is_err() {
                std::thread::yield_now();
            }
            let waited = platform::monotonic().saturating_sub(asked);
            self.line.word(LOCK_WAIT).fetch_add(waited, Relaxed);
        }
        let seen = counter.load(Relaxed);
        // As in any program, others may run between the load and the store.
        std::thread::yield_now();
        counter.store(seen + 1, Relaxed);
        if self.setup.lock {
            lock.store(0, SeqCst);
        }
    }
}

/// Tells on the worker's tape.
struct Teller {
    writer: Writer,
    bell: Bell,
    began: u64,
    places: Vec<super::book::Place>,
}

impl Tell for Teller {
    fn now(&self) -> Time {
        Time(platform::monotonic().saturating_sub(self.began))
    }

    fn tell(&mut self, at: Time, kind: Kind) {
        self.places.clear();
        tape::write(at, &kind, &mut self.places);
        self.writer.tell(&self.places, || self.bell.ring());
    }

    fn quietly<T>(&self, stretch: impl FnOnce() -> T) -> T {
        let quiet = self.writer.book().flag(QUIET);
        quiet.store(1, SeqCst);
        let result = stretch();
        // Nothing of what follows, reading the clock above all, may move before this.
        quiet.swap(0, SeqCst);
        result
    }
}

impl Teller {
    /// What took from `since` until now, if it is worth telling.
    fn span(&mut self, name: &str, since: Time) -> Time {
        let at = self.now();
        if at.since(since) >= WORTH_TELLING {
            let span = NamedSpan {
                name: name.to_owned(),
                category: Category::Overhead,
                since,
            };
            self.tell(at, Kind::Span(Box::new(span)));
        }
        at
    }

    fn answer(&mut self, bytes: &[u8]) {
        self.writer.say(bytes, || self.bell.ring());
    }
}

struct Worker {
    runner: Runner<There, Teller>,
    /// When it last told how much memory it has.
    weighed: Option<Time>,
}

impl Worker {
    fn begin() -> io::Result<Self> {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        let mut socket = UnixStream::from(take(io::stdin().as_fd())?);
        let setup = read_setup(&mut socket)?;
        // Whoever died before the kernel was asked is not waited for.
        if Pid::as_raw(getppid()) != setup.parent as i32 {
            exit(0);
        }
        let line = Line::of(&take(io::stdout().as_fd())?)?;
        let book = Book::of(&take(io::stderr().as_fd())?)?;
        // A stray word must not get into the memory that is shared.
        let nothing = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/null")?;
        rustix::stdio::dup2_stdin(&nothing)?;
        rustix::stdio::dup2_stdout(&nothing)?;
        rustix::stdio::dup2_stderr(&nothing)?;
        // Ctrl-C reaches every process of the terminal; what it means is for parviz to say.
        signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::<AtomicBool>::default())?;
        let socket = Arc::new(socket);
        let listens = socket.clone();
        std::thread::Builder::new()
            .name("parent".to_owned())
            .spawn(move || {
                // Nothing more is ever said: this is the end of parviz.
                let _ = (&*listens).read(&mut [0]);
                exit(0);
            })?;
        let bell = || Bell {
            line: line.clone(),
            socket: socket.clone(),
        };
        let teller = Teller {
            writer: Writer::new(book.clone()),
            bell: bell(),
            began: setup.began,
            places: Vec::new(),
        };
        let there = There {
            bell: bell(),
            setup,
            line,
            book,
            halt: Cancel::default(),
            counter: Cell::new(0),
            error: String::new(),
        };
        Ok(Self {
            runner: Runner::new(there, teller),
            weighed: None,
        })
    }

    fn setup(&self) -> &Setup {
        &self.runner.place.setup
    }

    fn work(mut self) -> ExitCode {
        self.runner.recorder.quietly(|| {
            let until = self.runner.place.instant(Time(self.setup().ready_at));
            self.runner.place.halt.wait_until(until)
        });
        let since = Time(self.setup().since);
        self.runner.recorder.span("start-up", since);
        self.weigh();
        let (line, book) = (
            self.runner.place.line.clone(),
            self.runner.place.book.clone(),
        );
        let name = self.setup().row as u16 + 1;
        let (mut message, mut answer) = (Vec::new(), Vec::new());
        loop {
            let taken = line.try_take(name).or_else(|| {
                let asleep = book.flag(ASLEEP);
                self.runner.recorder.quietly(|| line.take(name, asleep))
            });
            let Some(number) = taken else { break };
            let at = self.runner.recorder.now();
            book.word(HOLDS).store(number + 1, SeqCst);
            line.copy_out(number, &mut message);
            let Ok(order) = message::deserialise::<Order<'_>>(&message) else {
                // As in Python: what cannot be read kills its worker.
                return ExitCode::FAILURE;
            };
            self.serve(at, &order, message.len() as u32, &mut answer);
        }
        let at = self.runner.recorder.now();
        let ended = Ended::Finished;
        self.runner.recorder.tell(at, Kind::LaneClosed { ended });
        ExitCode::SUCCESS
    }

    /// Runs the tasks of a message that was taken `at`, and answers.
    fn serve(&mut self, at: Time, order: &Order<'_>, bytes: u32, buffer: &mut Vec<u8>) {
        let chunk = order.chunk;
        let teller = &mut self.runner.recorder;
        // Two processes read their clocks: taken is after sent.
        let at = at.max(Time(order.sent));
        teller.tell(at, Kind::Dequeued { call: CALL, chunk });
        teller.tell(
            at,
            Kind::Carried {
                call: CALL,
                chunk,
                bytes,
                way: Way::ToWorker,
            },
        );
        let mut now = teller.span("deserialise", at).max(at);
        let mut failed = None;
        let mut values = Vec::with_capacity(order.arguments.len());
        for (place, argument) in order.arguments.iter().enumerate() {
            let index = argument.index;
            if failed.is_some() {
                self.finish(now, index, Outcome::Skipped);
                continue;
            }
            if place > 0 {
                now = self.runner.recorder.now();
            }
            self.runner.place.error.clear();
            self.runner.place.error.push_str(argument.error);
            let (ended_at, fate) = self.runner.run_task(now, index, argument.work());
            now = ended_at;
            match fate {
                Fate::Done => {
                    self.finish(now, index, Outcome::Ok);
                    values.push(Value {
                        index,
                        payload: argument.payload,
                    });
                }
                Fate::Raised(error) => {
                    let task = TaskId { call: CALL, index };
                    let raised = Raised {
                        task,
                        error: error.clone(),
                    };
                    self.runner
                        .recorder
                        .tell(now, Kind::Raised(Box::new(raised)));
                    self.finish(now, index, Outcome::Failed);
                    failed = Some(error);
                }
                // The worker dies for real, and says nothing of it.
                Fate::Died => exit(1),
                // Nobody stops a task here but by killing its worker.
                Fate::Halted => exit(0),
            }
        }
        self.hand_in(now, chunk, values, failed, buffer);
    }

    fn hand_in(
        &mut self,
        finished: Time,
        chunk: u32,
        values: Vec<Value<'_>>,
        failed: Option<String>,
        buffer: &mut Vec<u8>,
    ) {
        let answer = match failed {
            None => Answer::Results { chunk, values },
            Some(error) => Answer::Failed { chunk, error },
        };
        if message::serialise(&answer, buffer).is_err() {
            exit(1);
        }
        let teller = &mut self.runner.recorder;
        let at = teller.span("serialise", finished);
        teller.answer(buffer);
        if self
            .weighed
            .is_none_or(|weighed| at.since(weighed) >= WEIGHS_EVERY)
        {
            self.weigh();
        }
    }

    fn finish(&mut self, at: Time, index: u32, outcome: Outcome) {
        let task = TaskId { call: CALL, index };
        let cpu = platform::current_cpu();
        self.runner
            .recorder
            .tell(at, Kind::Finished { task, outcome, cpu });
    }

    fn weigh(&mut self) {
        let at = self.runner.recorder.now();
        self.weighed = Some(at);
        if let Some(bytes) = platform::resident_memory() {
            let sample = Sample {
                quantity: RESIDENT.to_owned(),
                value: bytes as f64,
            };
            self.runner
                .recorder
                .tell(at, Kind::Sample(Box::new(sample)));
        }
    }
}

/// A descriptor of its own for what stands in the place of a standard stream.
fn take(stream: impl AsFd) -> io::Result<OwnedFd> {
    stream.as_fd().try_clone_to_owned()
}

/// What parviz sends a worker first: how long it is, and the setup.
pub(super) fn send_setup(mut socket: impl Write, setup: &Setup) -> io::Result<()> {
    let mut bytes = Vec::new();
    message::serialise(setup, &mut bytes).map_err(io::Error::other)?;
    let length = bytes.len() as u32;
    socket.write_all(&[&length.to_le_bytes()[..], &bytes].concat())
}

fn read_setup(mut socket: impl Read) -> io::Result<Setup> {
    let mut length = [0; 4];
    socket.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > MOST_SETUP {
        return Err(io::Error::other("no setup"));
    }
    let mut bytes = vec![0; length as usize];
    socket.read_exact(&mut bytes)?;
    message::deserialise(&bytes).map_err(io::Error::other)
}
