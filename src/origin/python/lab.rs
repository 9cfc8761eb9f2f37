//! The lab's experiment on CPython's own pools: a script does the calls, and is watched as any program.
//!
//! The script stands in `assets/probe/lab.py`. What cannot be seen from outside it says on its standard
//! output, a JSON object a line: its version, when all is started, the tasks of a plain loop, the counter.

mod last_line;
mod plain;
mod stuck;
mod waits;

use super::{Exit, Handle, Input, Outlet, Output, Program, Stream, Target, Watched};
use crate::event::{
    CALLER_ON_CPU, CallId, CallerState, Counter, Ended, Ends, Event, Kind, LaneId, LaneKind,
    NoteKind, RunBegan, TaskId,
};
use crate::experiment::{CounterEffect, Experiment, PythonPool, StartMethod};
use crate::method::{Method, Sends};
use crate::origin::simulated::race;
use crate::origin::{Batch, Feed};
use crate::platform;
use crate::time::{Nanos, Span, Time};
use crate::workload;
use crossbeam_channel::select;
use last_line::LastLine;
use serde::Deserialize;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use stuck::Stuck;
use waits::Waits;

const CALL: CallId = CallId(0);
const MAIN: LaneId = LaneId(0);
/// A plain loop has no pool: its tasks are told on a lane of their own.
const HANDS: LaneId = LaneId(1);
/// More of a line that the script never writes is not kept.
const LONGEST_LINE: usize = 1 << 16;
/// What the script says of a loop arrives this much later than it happens, at most.
const SAID_LATE: Nanos = Nanos(30_000_000);

/// The script with the experiment beside it.
pub(in crate::origin) fn program(experiment: &Experiment) -> Program {
    Program {
        python: experiment.python.clone().map(Into::into),
        target: Target::Text {
            name: "lab.py".to_owned(),
            text: include_str!("../../../assets/probe/lab.py").to_owned(),
            beside: vec![("experiment.json".to_owned(), spec(experiment))],
        },
        flags: Vec::new(),
        args: Vec::new(),
        input: Input::Empty,
        outlet: Outlet::Kept,
        group: true,
    }
}

/// What the script has to know, lengths in nanoseconds.
fn spec(experiment: &Experiment) -> String {
    let works = workload::tasks(experiment);
    let costs: Vec<Nanos> = works.iter().map(|work| work.cost).collect();
    let works: Vec<(u64, bool)> = works.iter().map(|work| (work.cost.0, work.io)).collect();
    let faults: HashMap<String, &str> = experiment
        .faults
        .iter()
        .map(|fault| (fault.task.to_string(), fault.kind.name()))
        .collect();
    let rules = experiment.method.rules();
    let starmap = experiment.method.family() == Method::Starmap;
    let chunked = matches!(rules.sends, Sends::ChunksByRule | Sends::ChunksOfOne);
    let spec = json!({
        "method": experiment.method.name(),
        "pool": experiment.pool.name(),
        "start_method": experiment.start_method.map(StartMethod::name),
        "workers": experiment.workers,
        "chunksize": experiment.chunksize.filter(|_| chunked),
        "pairs": experiment.pairs || starmap,
        "two_arguments": experiment.pairs || starmap,
        "works": works,
        "payload": experiment.payload,
        "effect": experiment.effect,
        "increments": experiment.increments,
        "lock": experiment.lock,
        "faults": faults,
        "main_work": experiment.main_work_length(&costs).0,
        "startup": experiment.startup.0,
        "serial": experiment.serial.0,
    });
    spec.to_string()
}

/// A line of the script.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    Version {
        python: String,
    },
    Ready {
        ready: u64,
    },
    Began {
        began: u32,
        at: u64,
    },
    Ended {
        ended: u32,
        at: u64,
        error: Option<String>,
    },
    Counter {
        main: u64,
        sum: u64,
    },
}

/// Starts the script and hands on what is seen of it, as a run of the lab.
pub(crate) fn feed(experiment: &Experiment, feed: &Feed) {
    let watched = match super::start(&program(experiment)) {
        Ok(watched) => watched,
        Err(error) => {
            let text = format!("python cannot be started: {error}");
            let ends = Ends::Error;
            let events = [
                begin(experiment, ""),
                main(Time::ZERO, Kind::Marked(Box::new(text))),
                main(Time::ZERO, Kind::RunEnded { ends }),
            ];
            return feed.send(events.into(), Time::NEVER);
        }
    };
    Lab {
        experiment,
        handle: &watched.handle,
        began: watched.began,
        feed,
        line: Vec::new(),
        complaint: LastLine::default(),
        workers: HashMap::new(),
        others: HashSet::new(),
        begun: HashMap::new(),
        done: Vec::new(),
        counter: None,
        stuck: Stuck::new(experiment),
        waits: Waits::new(experiment),
        called: false,
        ready: None,
        never: None,
        last: Time::ZERO,
    }
    .run(&watched);
    let Watched {
        running, output, ..
    } = watched;
    // Nobody reads the rest.
    drop(output);
    running.join();
}

struct Lab<'a> {
    experiment: &'a Experiment,
    handle: &'a Handle,
    /// When time is 0, on the clock of the script.
    began: u64,
    feed: &'a Feed,
    /// The begin of a line of its standard output.
    line: Vec<u8>,
    /// The last line of its standard error.
    complaint: LastLine,
    workers: HashMap<LaneId, u32>,
    /// Of processes that are no workers.
    others: HashSet<LaneId>,
    /// When the tasks that run now began.
    begun: HashMap<LaneId, Time>,
    /// Tasks that ended.
    done: Vec<Span>,
    /// G in the main program, and the sum over all copies.
    counter: Option<(u64, u64)>,
    stuck: Stuck,
    waits: Waits,
    called: bool,
    /// When the script had started all it needs, until that is told.
    ready: Option<Time>,
    /// When it was clear that the call can never complete.
    never: Option<Time>,
    last: Time,
}

impl Lab<'_> {
    fn run(mut self, watched: &Watched) {
        self.send(vec![begin(self.experiment, "")], Time::ZERO);
        let (mut batches, mut output) = (watched.running.batches.clone(), watched.output.clone());
        let (mut told, mut printed) = (false, false);
        while !(told && printed) {
            select! {
                recv(batches) -> batch => if let Ok(batch) = batch {
                    self.batch(batch);
                } else {
                    told = true;
                    batches = crossbeam_channel::never();
                },
                recv(output) -> piece => if let Ok(piece) = piece {
                    self.printed(&piece);
                } else {
                    printed = true;
                    output = crossbeam_channel::never();
                },
                recv(self.feed.kills()) -> lane => {
                    if let Some(&pid) = lane.ok().and_then(|lane| self.workers.get(&lane)) {
                        platform::kill_of_group(pid, self.handle.pid());
                    }
                }
                recv(self.feed.cancel().closed()) -> _ => {
                    // It is watched on until it is dead: who does not wait for it leaves a zombie.
                    self.handle.kill();
                    break;
                }
            }
        }
        self.close();
    }

    /// Tells how it ended.
    fn close(&self) {
        let ends = self.ends();
        let mut events = self.counters();
        if ends == Ends::Error && !self.called {
            let text = format!("python made no call: {}", self.last_words());
            events.push(Kind::Marked(Box::new(text)));
        }
        if let Some(at) = self.never {
            events.push(Kind::CallEnded { call: CALL, ends });
            let ended = Ended::Finished;
            let close = |&lane| Event {
                at,
                lane,
                kind: Kind::LaneClosed { ended },
            };
            let closed = self.workers.keys().map(close).collect();
            self.send(closed, Time::ZERO);
        }
        if self.is_loop() {
            events.push(Kind::Caller {
                state: CallerState::Done,
            });
            events.push(Kind::CallEnded { call: CALL, ends });
            let closed = Event {
                at: self.last,
                lane: HANDS,
                kind: Kind::LaneClosed {
                    ended: Ended::Finished,
                },
            };
            self.send(vec![closed], Time::ZERO);
        }
        events.push(Kind::RunEnded { ends });
        let at = self.never.unwrap_or(self.last);
        let events = events.into_iter().map(|kind| main(at, kind)).collect();
        self.send(events, Time::NEVER);
    }

    /// The last line of its standard error, or else how it ended.
    fn last_words(&self) -> String {
        if let Some(line) = self.complaint.text() {
            return line;
        }
        match self.handle.exit() {
            Some(Exit::Signal(signal)) => format!("it was killed by signal {signal}"),
            Some(Exit::Code(code)) => format!("it ended with exit code {code} and said nothing"),
            None => "it said nothing".to_owned(),
        }
    }

    fn is_loop(&self) -> bool {
        self.experiment.method == Method::Loop
    }

    /// How the call ended, from what is known of the script's end.
    fn ends(&self) -> Ends {
        match self.handle.exit() {
            _ if self.feed.cancel().is_cancelled() => Ends::Cancelled,
            _ if self.never.is_some() => Ends::Never,
            None => Ends::Cancelled,
            Some(exit) if exit.value() == 0 && (self.called || self.experiment.tasks == 0) => {
                Ends::Returned
            }
            Some(_) if self.stuck.is_broken() => Ends::BrokenProcessPool,
            Some(_) => Ends::Error,
        }
    }

    fn batch(&mut self, batch: Batch) {
        let is_loop = self.is_loop();
        let mut events = batch.events;
        for event in &events {
            match &event.kind {
                Kind::LaneOpened(lane) if lane.kind == LaneKind::Other => {
                    self.others.insert(event.lane);
                }
                Kind::LaneOpened(_) => {
                    self.others.remove(&event.lane);
                }
                _ => {}
            }
        }
        events.retain(|event| {
            !(is_loop && event.lane != MAIN)
                && is_of_the_lab(&event.kind, self.others.contains(&event.lane))
        });
        for event in &mut events {
            // An iterator has no length, but the lab knows what it iterates over.
            if let Kind::CallBegan(call) = &mut event.kind {
                call.tasks.get_or_insert(self.experiment.tasks);
            }
        }
        if let Some(never) = self.never {
            // What became of it when it was killed is no part of the run.
            events.retain(|event| event.at <= never);
        }
        self.tell_start(&mut events, batch.complete_to);
        for event in &events {
            self.note(event);
        }
        let events = self.waits.tell(events);
        let mut complete_to = batch.complete_to;
        if complete_to == Time::NEVER {
            // What the script printed may still come.
            complete_to = Time::ZERO;
        } else if is_loop {
            complete_to = Time(complete_to.0.saturating_sub(SAID_LATE.0));
        }
        self.send(events, complete_to);
        self.give_up();
    }

    /// Before its call main starts, and then does the serial part. The watcher knows nothing of that.
    fn tell_start(&mut self, events: &mut Vec<Event>, complete_to: Time) {
        if self.called {
            return;
        }
        for event in &mut *events {
            match &mut event.kind {
                Kind::Caller { state } if *state == CallerState::OwnWork => {
                    *state = CallerState::Starting;
                }
                Kind::CallBegan(_) => break,
                _ => {}
            }
        }
        if let Some(at) = self.ready.take_if(|ready| *ready <= complete_to) {
            let place = events.partition_point(|event| event.at <= at);
            let state = CallerState::OwnWork;
            events.insert(place, main(at, Kind::Caller { state }));
        }
    }

    fn note(&mut self, event: &Event) {
        self.last = self.last.max(event.at);
        match &event.kind {
            Kind::LaneOpened(lane) if lane.kind == LaneKind::Worker => {
                self.workers.extend(lane.pid.map(|pid| (event.lane, pid)));
            }
            Kind::LaneClosed { .. } => {
                self.workers.remove(&event.lane);
            }
            Kind::CallBegan(_) => self.called = true,
            Kind::Started { .. } => {
                self.begun.insert(event.lane, event.at);
            }
            Kind::Finished { .. } => {
                let begun = self.begun.remove(&event.lane);
                self.done
                    .push(Span::new(begun.unwrap_or(event.at), event.at));
            }
            _ => {}
        }
        self.stuck.note(event);
    }

    /// Ends a script whose call can never complete, as soon as nothing else can happen in it.
    fn give_up(&mut self) {
        if self.never.is_none() && self.stuck.is_so() && self.handle.exit().is_none() {
            self.never = Some(self.last);
            self.handle.kill();
        }
    }

    fn printed(&mut self, piece: &Output) {
        if piece.stream == Stream::Err {
            return self.complaint.add(&piece.bytes);
        }
        for &byte in &piece.bytes {
            match byte {
                b'\n' => self.read_line(),
                _ if self.line.len() < LONGEST_LINE => self.line.push(byte),
                _ => {}
            }
        }
    }

    fn read_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let events = match serde_json::from_slice(&line) {
            Ok(Said::Version { python }) => vec![begin(self.experiment, &python)],
            Ok(Said::Ready { ready }) => {
                self.ready = Some(Time(ready.saturating_sub(self.began)));
                return;
            }
            Ok(Said::Began { began, at }) => {
                let at = self.at(at);
                let mut events = self.loop_begins(at);
                events.extend(plain::starts(task(began), at));
                events
            }
            Ok(Said::Ended { ended, at, error }) => plain::ends(task(ended), self.at(at), error),
            Ok(Said::Counter { main, sum }) => {
                self.counter = Some((main, sum));
                return;
            }
            // Whatever else the interpreter prints.
            Err(_) => Vec::new(),
        };
        self.send(events, Time::ZERO);
    }

    /// What the tasks left in the counter, once all of them are known.
    fn counters(&self) -> Vec<Kind> {
        let Some((of_main, sum)) = self.counter else {
            return Vec::new();
        };
        let Experiment { effect, pool, .. } = self.experiment;
        // Processes have a counter each, and nobody to race with.
        let races = *effect == CounterEffect::Race && *pool == PythonPool::ThreadPool;
        let times = u64::from(self.experiment.increments);
        let bounds = races.then(|| race::bounds(&self.done, times, self.experiment.lock));
        let counter = Counter {
            main: of_main,
            sum,
            bounds,
            lock_wait: None,
        };
        let told = counter.samples();
        told.map(|sample| Kind::Sample(Box::new(sample))).collect()
    }

    /// A plain loop begins with its first task.
    fn loop_begins(&mut self, at: Time) -> Vec<Event> {
        if std::mem::replace(&mut self.called, true) {
            return Vec::new();
        }
        plain::begins(self.handle.pid(), self.experiment.tasks, at)
    }

    /// A moment that the script tells of.
    fn at(&mut self, monotonic: u64) -> Time {
        let at = Time(monotonic.saturating_sub(self.began));
        self.last = self.last.max(at);
        at
    }

    fn send(&self, events: Vec<Event>, complete_to: Time) {
        self.feed.send(events, complete_to);
    }
}

fn begin(experiment: &Experiment, version: &str) -> Event {
    let works = workload::tasks(experiment);
    let run = RunBegan {
        label: format!("python {version}"),
        measured: true,
        cpus: Some(platform::usable_cpus()),
        cpu_ids: Vec::new(),
        gil: experiment.pool == PythonPool::ThreadPool,
        serial: experiment.serial,
        work: Some(works.iter().map(|work| work.cost).sum()),
        program: true,
    };
    main(Time::ZERO, Kind::RunBegan(Box::new(run)))
}

/// The run and its end are told here, and the script's processes (`other` lanes) are no lanes of the lab.
fn is_of_the_lab(kind: &Kind, other: bool) -> bool {
    match kind {
        Kind::RunBegan(_) | Kind::RunEnded { .. } => false,
        Kind::LaneOpened(_) | Kind::LaneClosed { .. } => !other,
        // The script's own work is a wait, so that it takes no CPU from the workers.
        Kind::Sample(sample) => !other && sample.quantity != CALLER_ON_CPU,
        Kind::Noted(note) => note.kind != NoteKind::ProgramEnded,
        _ => true,
    }
}

fn main(at: Time, kind: Kind) -> Event {
    Event {
        at,
        lane: MAIN,
        kind,
    }
}

fn task(index: u32) -> TaskId {
    TaskId { call: CALL, index }
}
