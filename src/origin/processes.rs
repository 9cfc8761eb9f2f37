//! A pool of processes: workers with memory of their own, and messages that cost.
//!
//! ```text
//!   caller ──> dispatcher ──> line ──> worker processes ──> reader ──> desk ──> caller
//!      └──────────┴───────────────────────── books ───────────┴── hub ──> feed
//! ```
//!
//! The caller, the desk and the hub are those of [`threads`]; what is different is here. A worker is this
//! same program in another process. Arguments are serialised and wait in one queue in shared memory, the
//! `line`, bound to nobody; results come back as a stream of bytes in the worker's own `book`, beside a
//! tape of what it tells. No lock is held by anybody who may be killed.
//!
//! A worker that shall stop is killed. One that dies by itself, or because the person wants it, is
//! replaced, and what it had taken is lost; what the call makes of that is the policy's to say.

mod book;
mod line;
mod memory;
mod message;
mod reader;
mod sender;
mod tape;
pub mod worker;

use super::Feed;
use super::threads::dispatcher::Sending;
use super::threads::hub::{Base, Hub, Staff};
use super::threads::recorder::{CLOCKS_DIFFER, Clock};
use super::threads::{self, CALL, Shared};
use crate::event::{Ended, Event, Kind, LaneId, LaneKind, LaneOpened, Ran, TaskId};
use crate::experiment::{CounterEffect, Experiment, Policy};
use crate::method::Sends;
use crate::platform;
use crate::time::{Nanos, Time};
use book::{ASLEEP, Book, COUNT, HANGS, HOLDS, HUNG_AT, QUIET, TapeReader};
use line::{COUNTER, LOCK, LOCK_WAIT, Line};
use message::{Payload, Setup};
use reader::{Incoming, Reader};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sender::Dispatcher;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::fence;
use tape::Decoder;

/// This program, also when its file was replaced since it started.
const THIS_PROGRAM: &str = "/proc/self/exe";
/// Descriptors a run needs besides one for each worker.
const OTHER_FILES: u64 = 64;

/// The moment at which a run's clock began, on the clock that processes share.
fn begin_of(clock: Clock) -> u64 {
    let readings = (0..8).map(|_| {
        let (before, now, after) = (platform::monotonic(), clock.now(), platform::monotonic());
        let middle = before + (after - before) / 2;
        (after - before, middle.saturating_sub(now.0))
    });
    // The one that was least interrupted.
    readings.min().map_or(0, |reading| reading.1)
}

/// Runs `experiment` and tells everything that happens in it. `program` is what workers are, if not this
/// program itself.
pub(crate) fn feed(experiment: &Experiment, feed: &Feed, program: Option<&Path>) {
    if experiment.method.rules().sends == Sends::Nothing {
        // A loop has no workers: main runs the tasks itself.
        return threads::feed(experiment, feed);
    }
    let program = program.unwrap_or(Path::new(THIS_PROGRAM)).to_owned();
    Hub::new(experiment, feed, Processes::new(program)).run();
}

/// The workers of a run.
struct Processes {
    program: PathBuf,
    began: u64,
    /// The queue, and the file by which a worker gets it.
    line: Option<(Line, OwnedFd)>,
    workers: Vec<Option<Worker>>,
    arrivals: Option<Arrivals>,
    clock: Option<Clock>,
    /// All were killed.
    stopped: bool,
}

/// The way to the thread that reads answers; it ends with this.
struct Arrivals {
    workers: Option<crossbeam_channel::Sender<Incoming>>,
    nudge: UnixStream,
}

impl Arrivals {
    fn tell(&self, worker: Incoming) {
        if let Some(workers) = &self.workers {
            // That thread lives as long as this.
            let _ = workers.send(worker);
        }
        self.nudge();
    }

    fn nudge(&self) {
        // If there is no room for it, there is enough to wake that thread.
        let _ = (&self.nudge).write(&[0]);
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.workers = None;
        self.nudge();
    }
}

/// A living worker.
struct Worker {
    process: Child,
    lane: LaneId,
    tape: TapeReader,
    decoder: Decoder,
    /// The time of the last event read.
    told: Option<Time>,
    /// It told the end of its lane itself.
    closed: bool,
    hangs: bool,
}

impl Worker {
    fn book(&self) -> &Book {
        self.tape.book()
    }

    /// Reads what it has told.
    fn read(&mut self, into: &mut Vec<Event>) {
        let (lane, decoder) = (self.lane, &mut self.decoder);
        let (told, closed) = (&mut self.told, &mut self.closed);
        self.tape.read(|place| {
            let Some((at, kind)) = decoder.place(CALL, place) else {
                return;
            };
            *closed |= matches!(kind, Kind::LaneClosed { .. });
            *told = Some(at);
            into.push(Event { at, lane, kind });
        });
    }

    /// What its task has done since it last told, if that hangs: it waits for nothing.
    fn hung(&self) -> Option<Ran> {
        let index = self.book().flag(HANGS).load(SeqCst).checked_sub(1)?;
        let hung_at = Time(self.book().word(HUNG_AT).load(SeqCst));
        Some(Ran {
            task: TaskId { call: CALL, index },
            since: self.told.map_or(hung_at, |told| told.max(hung_at)),
            on_cpu: Nanos::ZERO,
            waiting: Nanos::ZERO,
            useful_wait: Nanos::ZERO,
            cpu: None,
            moved_to: None,
        })
    }
}

/// A name for the queue.
fn name(row: u32) -> u16 {
    row as u16 + 1
}

/// Room for the largest message, in bytes.
fn largest_message(experiment: &Experiment) -> usize {
    let tasks = experiment.real_chunksize().min(experiment.tasks) as usize;
    // Numbers, and the text of an error where one is asked for.
    let each = experiment.payload as usize + if experiment.enters() { 40 } else { 140 };
    64 + tasks * each + experiment.faults.len() * 100
}

/// Lets this process have as many files as its workers need, as far as it may.
fn make_room_for_files(workers: u32) {
    let needed = u64::from(workers) + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < needed) {
        let current = limit.maximum.map_or(needed, |most| most.min(needed));
        // If it may not, starting a worker says so.
        let _ = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: Some(current),
                maximum: limit.maximum,
            },
        );
    }
}

impl Staff for Processes {
    fn start(&mut self, base: &mut Base) -> io::Result<Sending> {
        let shared = base.shared.clone();
        let experiment = &shared.experiment;
        make_room_for_files(experiment.workers);
        self.clock = Some(shared.clock);
        self.began = begin_of(shared.clock);
        let largest = largest_message(experiment);
        let (line, file) =
            Line::new(largest).map_err(|error| why("there is no memory for the queue", &error))?;
        let payload = Arc::new(Payload::new(experiment.payload));

        let (orders, taken) = crossbeam_channel::bounded(1);
        let (recorder, sender) = (base.lane(), line::Sender::new(line.clone()));
        let dispatcher =
            Dispatcher::new(shared.clone(), recorder, sender, payload.clone(), largest);
        base.spawn("dispatcher".to_owned(), move || dispatcher.run(&taken))?;

        let (workers, arrivals) = crossbeam_channel::unbounded();
        let (nudges, nudge) = reader::pair()?;
        let reader = Reader::new(
            shared.clone(),
            base.lane(),
            line.clone(),
            payload,
            arrivals,
            nudges,
        );
        base.spawn("reader".to_owned(), move || reader.run())?;
        self.arrivals = Some(Arrivals {
            workers: Some(workers),
            nudge,
        });
        self.line = Some((line, file));
        for row in 0..experiment.workers {
            self.start_worker(base, row, Some(Time::ZERO))?;
        }
        Ok(Sending::Dispatched(orders))
    }

    fn died(&mut self, base: &mut Base, row: u32) {
        let worker = self.workers.get_mut(row as usize).and_then(Option::take);
        if let Some(worker) = worker {
            self.bury(base, row, worker);
        }
        if self.workers.iter().all(Option::is_none) {
            self.arrivals = None;
            if !base.shared.halt.is_cancelled() {
                // Where the queue is not empty nobody will ever take the rest.
                base.shared.desk.strand();
            }
        }
    }

    fn kill(&mut self, lane: LaneId) {
        let mut workers = self.workers.iter_mut().flatten();
        if let Some(worker) = workers.find(|worker| worker.lane == lane) {
            // One that has just died by itself cannot be killed.
            let _ = worker.process.kill();
        }
    }

    fn stop(&mut self, _base: &mut Base) {
        if !std::mem::replace(&mut self.stopped, true) {
            for worker in self.workers.iter_mut().flatten() {
                // One that has just died by itself cannot be killed.
                let _ = worker.process.kill();
            }
        }
        if self.is_gone() {
            self.arrivals = None;
        }
    }

    fn drain(&mut self, into: &mut Vec<Event>) -> Time {
        let Some(clock) = self.clock else {
            return Time::NEVER;
        };
        let now = clock.now() - CLOCKS_DIFFER;
        fence(SeqCst);
        let mut complete_to = now;
        for worker in self.workers.iter_mut().flatten() {
            let quiet = worker.book().flag(QUIET).load(SeqCst) > 0;
            worker.read(into);
            if !quiet {
                complete_to = complete_to.min(worker.told.unwrap_or(Time::ZERO));
            }
        }
        complete_to
    }

    fn look(&mut self, base: &mut Base) {
        for worker in self.workers.iter_mut().flatten() {
            if !worker.hangs && worker.book().flag(HANGS).load(SeqCst) > 0 {
                worker.hangs = true;
                base.shared.desk.hang();
            }
        }
    }

    fn is_gone(&self) -> bool {
        self.workers.iter().all(Option::is_none)
    }
}

impl Processes {
    fn new(program: PathBuf) -> Self {
        Self {
            program,
            began: 0,
            line: None,
            workers: Vec::new(),
            arrivals: None,
            clock: None,
            stopped: false,
        }
    }

    /// Starts a worker. Those the pool begins with have been there since then; `None`: from now on.
    fn start_worker(&mut self, base: &mut Base, row: u32, opens: Option<Time>) -> io::Result<()> {
        let shared = base.shared.clone();
        let at = opens.unwrap_or_else(|| shared.clock.now());
        let worker = self
            .spawn(base, row, at)
            .map_err(|error| why(&format!("worker {row} cannot be started"), &error))?;
        let pid = worker.process.id();
        let facts = LaneOpened {
            kind: LaneKind::Worker,
            pool: shared.pool(),
            name: shared.worker_name(row),
            pid: Some(pid),
            tid: Some(u64::from(pid)),
        };
        base.tell_of(worker.lane, at, Kind::LaneOpened(Box::new(facts)));
        let row = row as usize;
        if self.workers.len() <= row {
            self.workers.resize_with(row + 1, || None);
        }
        self.workers[row] = Some(worker);
        Ok(())
    }

    fn spawn(&self, base: &mut Base, row: u32, since: Time) -> io::Result<Worker> {
        let (Some((_, line)), Some(arrivals)) = (&self.line, &self.arrivals) else {
            return Err(io::Error::other("the run is over"));
        };
        let shared = base.shared.clone();
        let experiment = &shared.experiment;
        let (book, file) = Book::new(base.room)?;
        let (ours, theirs) = reader::pair()?;
        theirs.set_nonblocking(false)?;
        let startup = if since == Time::ZERO {
            experiment.startup.0
        } else {
            0
        };
        let setup = Setup {
            row,
            parent: std::process::id(),
            began: self.began,
            since: since.0,
            ready_at: startup,
            pace: shared.pace.value(),
            waits_tell_every: shared.waits_tell_every.0,
            effect: experiment.effect,
            increments: experiment.increments,
            lock: experiment.lock,
        };
        worker::send_setup(&ours, &setup)?;
        let process = Command::new(&self.program)
            .arg0("parviz")
            .args([worker::WORD, &row.to_string()])
            .stdin(OwnedFd::from(theirs))
            .stdout(line.try_clone()?)
            .stderr(file)
            .spawn()?;
        arrivals.tell(Incoming {
            row,
            socket: ours,
            stream: book::StreamReader::new(book.clone()),
        });
        Ok(Worker {
            process,
            lane: base.next_lane(),
            tape: TapeReader::new(book),
            decoder: Decoder::default(),
            told: None,
            closed: false,
            hangs: false,
        })
    }

    /// A worker is dead: tells how its lane ended and what was lost with it, and replaces it.
    fn bury(&mut self, base: &mut Base, row: u32, mut worker: Worker) {
        let shared = base.shared.clone();
        let status = worker.process.wait();
        let mut last = Vec::new();
        worker.read(&mut last);
        base.tell_all(last);
        let Some((line, _)) = &self.line else { return };
        let claimed = line.bury(name(row), worker.book().flag(ASLEEP));
        let _ = line
            .word(LOCK)
            .compare_exchange(u64::from(name(row)), 0, SeqCst, Relaxed);
        keep_counter(&shared, line, row, &worker);
        if worker.closed {
            return;
        }
        let held = worker.book().word(HOLDS).load(Acquire).checked_sub(1);
        let lost_chunk = claimed
            .or(held)
            .and_then(|chunk| u32::try_from(chunk).ok())
            .filter(|&chunk| !shared.desk.is_back(chunk));
        let known = |chunk: &u32| *chunk < shared.chunks.count();
        let gone = lost_chunk
            .filter(known)
            .map(|chunk| shared.chunks.tasks(chunk));
        let at = shared.clock.now();
        let tasks = shared.experiment.tasks;
        let hung = worker.hung().filter(|ran| ran.task.index < tasks);
        if let Some(ran) = hung.filter(|ran| ran.since < at) {
            base.tell_of(worker.lane, at, Kind::Ran(Box::new(ran)));
        }
        let broken = shared.is_broken();
        if shared.halt.is_cancelled() {
            if let Some(tasks) = gone.filter(|_| broken) {
                base.tell_of(worker.lane, at, Kind::Lost { call: CALL, tasks });
            }
            let ended = if broken {
                Ended::Killed
            } else {
                Ended::Finished
            };
            base.tell_of(worker.lane, at, Kind::LaneClosed { ended });
            return;
        }
        if shared.experiment.effect == CounterEffect::Count {
            // Its copy of the counter died with it.
            shared.effects[row as usize].store(0, Release);
        }
        if let Some(tasks) = gone {
            base.tell_of(worker.lane, at, Kind::Lost { call: CALL, tasks });
        }
        let killed = status
            .as_ref()
            .is_ok_and(|status| status.signal().is_some());
        let began = worker.told.is_some() || killed;
        let gives_up = shared.experiment.policy == Policy::Executor && began;
        if gives_up {
            shared.break_down();
            for tasks in shared.desk.give_up() {
                base.tell_of(worker.lane, at, Kind::Ready { call: CALL, tasks });
            }
        }
        let ended = if killed {
            Ended::Killed
        } else {
            Ended::Crashed
        };
        base.tell_of(worker.lane, at, Kind::LaneClosed { ended });
        if !began {
            // The next one would fare no better.
            let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
            base.fail(format!("worker {row} ended before it could begin: {how}"));
        } else if !gives_up {
            self.replace(base, row, lost_chunk.is_some(), worker.hangs);
        }
    }

    /// As a `multiprocessing.Pool` does it: a new worker, and what was lost stays lost.
    fn replace(&mut self, base: &mut Base, row: u32, lost: bool, hung: bool) {
        let is_done = self.line.as_ref().is_none_or(|(line, _)| line.is_done());
        if !is_done && let Err(error) = self.start_worker(base, row, None) {
            let text = format!("worker {row} is not replaced: {error}");
            base.tell(Kind::Marked(Box::new(text)));
        }
        // In this order: when the caller learns of it, the pool has its new worker.
        if hung {
            base.shared.desk.no_longer_hangs();
        } else if lost {
            base.shared.desk.lose();
        }
    }
}

/// Keeps what the tasks of a worker have done to the counter.
fn keep_counter(shared: &Shared, line: &Line, row: u32, worker: &Worker) {
    let count = worker.book().word(COUNT).load(Acquire);
    let effects = &shared.effects[row as usize];
    if shared.experiment.effect == CounterEffect::Race {
        effects.fetch_add(count, Release);
        let counter = line.word(COUNTER).load(Acquire);
        shared.counter.store(counter, Release);
        let waited = line.word(LOCK_WAIT).load(Acquire);
        shared.lock_wait.store(waited, Release);
    } else {
        effects.store(count, Release);
    }
}

fn why(what: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}
