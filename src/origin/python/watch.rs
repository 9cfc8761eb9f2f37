//! From the start of a program to its end: one thread that reads all there is to read.
//!
//! The thread looks at everything every few milliseconds while the program lives, and once more when it
//! has ended. It waits for nobody: events that find no room wait here, and the program's output waits in
//! its files.
#![expect(
    clippy::disallowed_methods,
    reason = "starts the program and owns the thread that watches it"
)]

use super::cpu::Cpu;
use super::folder::Folder;
use super::join::Join;
use super::launch;
use super::peers::Peers;
use super::printed::Printed;
use super::program::{self, Program};
use super::{Exit, Handle, State, Watched};
use crate::event::{Ends, Kind, Note, NoteKind, RunBegan};
use crate::origin::{Batch, Cancel, Feed, Running, WAITING_BATCHES};
use crate::platform::{self, ProcessEnd};
use crate::time::{Nanos, Time};
use std::collections::VecDeque;
use std::io;
use std::process::Child;
use std::sync::atomic::AtomicI32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The time between two looks at everything.
const TICK: Duration = Duration::from_millis(5);
/// Some things are told a little late: a running item is seen only now and then, and a record may be
/// written some time after its clock was read. What is told waits so long for what belongs before it.
const LATE: Nanos = Nanos(60_000_000);
/// What waited is passed on in portions.
const PORTION: Nanos = Nanos(15_000_000);
/// An interpreter that has not said hello after this has no probe.
const SILENT: Nanos = Nanos(5_000_000_000);
/// Pieces of output that may wait for a slow reader; what is printed more waits in its file.
const WAITING_PIECES: usize = 16;
/// Events in one batch.
const BATCH: usize = 1 << 15;
/// Events that may wait here for a slow reader, 256 MiB of them. Then the rings wait, and may overflow.
const WAITING_EVENTS: usize = 1 << 23;

pub(super) fn start(program: &Program) -> io::Result<Watched> {
    let began = platform::monotonic();
    let folder = Folder::make()?;
    let mut command = launch::command(program, &folder)?;
    let kept = launch::outlet(program, &folder, &mut command)?;
    let peers = Peers::listen(folder.path(), folder.rings())?;
    let child = command.spawn().map_err(|error| {
        let python = command.get_program().display();
        io::Error::new(error.kind(), format!("{python}: {error}"))
    })?;
    let pid = child.id();
    let handle = Handle(Arc::new(State {
        pid,
        group: program.group,
        exit: Mutex::new(None),
        sent: Mutex::default(),
        passed: AtomicI32::default(),
        python: OnceLock::new(),
        kept,
    }));
    let (sender, batches) = crossbeam_channel::bounded(WAITING_BATCHES);
    let (pieces, output) = crossbeam_channel::bounded(WAITING_PIECES);
    let cancel = Cancel::default();
    // The program's workers are its own: nobody here kills one of them.
    let (killer, kills) = crossbeam_channel::bounded(0);
    let watch = Watch {
        child,
        end: ProcessEnd::of(pid),
        printed: Printed::new(handle.clone(), pieces),
        handle: handle.clone(),
        feed: Feed {
            batches: sender,
            cancel: cancel.clone(),
            kills,
        },
        peers,
        join: Join::new(began, pid),
        cpu: Cpu::new(pid, folder.path()),
        waiting: VecDeque::new(),
        waiting_events: 0,
        complete_to: Time::ZERO,
        silence: program::refusal(&program.flags).map_or(Silence::Unexplained, Silence::Expected),
        _folder: folder,
    };
    let label = program.label();
    let thread = std::thread::Builder::new()
        .name("program".to_owned())
        .spawn(move || watch.run(label))?;
    Ok(Watched {
        running: Running {
            batches,
            cancel,
            killer,
            thread: Some(thread),
        },
        output,
        handle,
        began,
    })
}

/// What is known of why the program says nothing.
#[derive(Clone, Copy, Debug)]
enum Silence {
    /// It may only be slow to start.
    Unexplained,
    /// It was asked to load no probe, and this is why it cannot.
    Expected(&'static str),
    /// It was told that it says nothing, or it does say something.
    Settled,
}

/// What the thread owns.
struct Watch {
    child: Child,
    end: Option<ProcessEnd>,
    handle: Handle,
    feed: Feed,
    peers: Peers,
    join: Join,
    cpu: Cpu,
    printed: Printed,
    /// What found no room yet, and how many events that are.
    waiting: VecDeque<Batch>,
    waiting_events: usize,
    complete_to: Time,
    silence: Silence,
    _folder: Folder,
}

impl Watch {
    fn run(mut self, label: String) {
        self.open(label);
        let mut exit = None;
        while exit.is_none() && !self.feed.cancel().is_cancelled() {
            // The child is asked first: what is there when it has ended is all there will be.
            exit = self.ended();
            self.look(exit.is_some());
            self.printed.hand_on();
            if exit.is_none() {
                self.rest();
            }
        }
        self.close(exit);
        self.printed.hand_on_rest(self.feed.cancel());
    }

    /// Waits for the next look, or for the end of the program.
    fn rest(&self) {
        match &self.end {
            Some(end) => end.wait(TICK),
            None => {
                self.feed.cancel().wait_until(Instant::now() + TICK);
            }
        }
    }

    fn open(&mut self, label: String) {
        let run = RunBegan::of_program(label, Some(platform::usable_cpus()));
        let main = self.join.main();
        let began = Kind::RunBegan(Box::new(run));
        self.join.tell().say(main, Time::ZERO, began);
    }

    fn look(&mut self, last: bool) {
        let peers: Vec<_> = self.peers.pids().collect();
        let samples = self.cpu.sample(&peers, &self.join);
        let now = platform::monotonic();
        self.peers.look(&mut self.join, now, false);
        self.cpu.tell(&mut self.join, samples);
        if last {
            // Whatever was written while we looked.
            self.peers.look(&mut self.join, platform::monotonic(), true);
        }
        match &self.peers.greeted {
            Some(hello) => {
                self.silence = Silence::Settled;
                self.handle.0.python.get_or_init(|| {
                    let name = hello.executable.rsplit('/').next().unwrap_or_default();
                    super::tell::harmless(&format!("{name} {}", hello.version))
                });
            }
            None => self.listen_in_vain(now, last),
        }
        for (sent, number) in self.handle.take_sent() {
            let at = self.join.tell().time(sent).max(self.complete_to);
            self.note(at, NoteKind::Signalled, "", number.into());
        }
        let mut complete_to = self.join.tell().time(now) - LATE;
        if let Some(held) = self.join.held_since() {
            complete_to = complete_to.min(held);
        }
        if last || complete_to > self.complete_to + PORTION {
            self.add(complete_to);
        }
        self.send();
    }

    /// Nobody has said hello: says why, once.
    fn listen_in_vain(&mut self, now: u64, last: bool) {
        let time = self.join.tell().time(now);
        let is_late = last || time > Time::ZERO + SILENT;
        let why = match self.silence {
            Silence::Expected(why) => why,
            Silence::Unexplained if is_late => "the interpreter did not load it",
            Silence::Unexplained | Silence::Settled => return,
        };
        self.silence = Silence::Settled;
        self.note(time, NoteKind::NoProbe, why, 0);
    }

    fn note(&mut self, at: Time, kind: NoteKind, text: &str, value: i64) {
        let note = Note {
            kind,
            pool: None,
            call: None,
            text: text.to_owned(),
            value,
        };
        let main = self.join.main();
        let note = Kind::Noted(Box::new(note));
        self.join.tell().say(main, at, note);
    }

    /// Sends what there is, as far as there is room for it. Only if very much waits, we wait as well.
    fn send(&mut self) {
        while let Some(batch) = self.waiting.pop_front() {
            self.waiting_events -= batch.events.len();
            if self.waiting_events > WAITING_EVENTS {
                self.feed.send(batch.events, batch.complete_to);
            } else if let Err(batch) = self.feed.offer(batch) {
                self.waiting_events += batch.events.len();
                self.waiting.push_front(batch);
                return;
            }
        }
    }

    /// Puts what was told up to a moment into batches; only the last of them holds all of that.
    fn add(&mut self, complete_to: Time) {
        let mut events = self.join.take(complete_to);
        self.waiting_events += events.len();
        while events.len() > BATCH {
            let rest = events.split_off(BATCH);
            let events = std::mem::replace(&mut events, rest);
            let complete_to = self.complete_to;
            self.waiting.push_back(Batch {
                events,
                complete_to,
            });
        }
        self.complete_to = complete_to.max(self.complete_to);
        self.waiting.push_back(Batch {
            events,
            complete_to: self.complete_to,
        });
    }

    /// Asks the child without waiting, under the lock that keeps signals away from other processes.
    fn ended(&mut self) -> Option<Exit> {
        let mut exit = self
            .handle
            .0
            .exit
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // A child that cannot be asked is not ours any more.
        *exit = match self.child.try_wait() {
            Ok(status) => status.map(launch::how),
            Err(_) => Some(Exit::Code(-1)),
        };
        if let Some(exit) = *exit {
            self.handle.pass_to_rest(exit);
        }
        *exit
    }

    fn close(&mut self, exit: Option<Exit>) {
        let now = platform::monotonic();
        let at = self.join.tell().time(now);
        self.join.close(now);
        if let Some(exit) = exit {
            let failed = exit.value() != 0;
            let said = failed.then(|| self.handle.last_error()).flatten();
            let said = said.unwrap_or_default();
            self.note(at, NoteKind::ProgramEnded, &said, exit.value());
        }
        let ends = match exit {
            Some(_) => Ends::Returned,
            None => Ends::Cancelled,
        };
        let main = self.join.main();
        self.join.tell().say(main, at, Kind::RunEnded { ends });
        self.add(Time::NEVER);
        for batch in std::mem::take(&mut self.waiting) {
            self.feed.send(batch.events, batch.complete_to);
        }
    }
}
