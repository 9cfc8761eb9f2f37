//! The lab's experiment on CPython's own pools: a script does the calls, and is watched as any program.
//!
//! The script stands in `assets/probe/lab.py`. What cannot be seen from outside it says on its standard
//! output, a JSON object a line: its version, when all is started, the tasks of a plain loop, the counter.

use super::{Exit, Handle, Input, Outlet, Output, Program, Stream, Target, Watched};
use crate::event::{
    CallBegan, CallId, CallerState, Ended, Ends, Event, Indexes, Kind, LaneId, LaneKind,
    LaneOpened, Note, NoteKind, Outcome, Raised, RunBegan, Sample, TaskId,
};
use crate::experiment::{Experiment, FaultKind, PythonPool, StartMethod};
use crate::method::{Method, Sends};
use crate::origin::{Batch, Feed};
use crate::platform;
use crate::time::{Nanos, Time};
use crate::workload;
use crossbeam_channel::select;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;

const CALL: CallId = CallId(0);
const MAIN: LaneId = LaneId(0);
/// A plain loop has no pool: its tasks are told on a lane of their own.
const HANDS: LaneId = LaneId(1);
/// More of a line that the script never writes is not kept.
const LONGEST_LINE: usize = 1 << 16;
/// What the script says of a loop arrives this much later than it happens, at most.
const SAID_LATE: Nanos = Nanos(30_000_000);

/// The script with the experiment beside it.
pub(crate) fn program(experiment: &Experiment) -> Program {
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
        min: u64,
        max: u64,
    },
}

/// Hands on what is seen of the script, as a run of the lab.
pub(crate) fn feed(experiment: &Experiment, watched: Watched, feed: &Feed) {
    Lab {
        experiment,
        handle: &watched.handle,
        began: watched.began,
        feed,
        line: Vec::new(),
        complaint: Vec::new(),
        workers: HashMap::new(),
        ended: 0,
        lost: 0,
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
    complaint: Vec<u8>,
    workers: HashMap<LaneId, u32>,
    /// Tasks that ended, and those whose results can never come.
    ended: u32,
    lost: u32,
    called: bool,
    /// When the script had started all it needs, until that is told.
    ready: Option<Time>,
    /// When it was clear that the call can never complete.
    never: Option<Time>,
    last: Time,
}

impl Lab<'_> {
    fn run(mut self, watched: &Watched) {
        self.send(vec![self.begin(None)], Time::ZERO);
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
        let ends = self.ends();
        let mut events = Vec::new();
        if ends == Ends::Error && !self.called {
            let note = Note {
                kind: NoteKind::NoProbe,
                pool: None,
                call: None,
                text: format!("python made no call: {}", self.last_words()),
                value: 0,
            };
            events.push(Kind::Noted(Box::new(note)));
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
        let line = String::from_utf8_lossy(&self.complaint);
        match self.handle.exit() {
            _ if !line.trim().is_empty() => line.trim().to_owned(),
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
        let broken = b"concurrent.futures.process.BrokenProcessPool";
        match self.handle.exit() {
            _ if self.feed.cancel().is_cancelled() => Ends::Cancelled,
            _ if self.never.is_some() => Ends::Never,
            None => Ends::Cancelled,
            Some(exit) if exit.value() == 0 && (self.called || self.experiment.tasks == 0) => {
                Ends::Returned
            }
            Some(_) if self.complaint.starts_with(broken) => Ends::BrokenProcessPool,
            Some(_) => Ends::Error,
        }
    }

    fn begin(&self, version: Option<&str>) -> Event {
        let experiment = self.experiment;
        let works = workload::tasks(experiment);
        let version = version.unwrap_or("");
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

    fn batch(&mut self, batch: Batch) {
        let is_loop = self.is_loop();
        let mut events = batch.events;
        events.retain(|event| !(is_loop && event.lane != MAIN) && is_of_the_lab(&event.kind));
        for event in &mut events {
            // An iterator has no length, but the lab knows what it iterates over.
            if let Kind::CallBegan(call) = &mut event.kind {
                call.tasks.get_or_insert(self.experiment.tasks);
            }
        }
        self.tell_start(&mut events, batch.complete_to);
        for event in &events {
            self.note(event);
        }
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
            Kind::Finished { .. } => self.ended += 1,
            Kind::Lost { tasks, .. } => self.lost += tasks.len(),
            _ => {}
        }
    }

    /// Ends a script whose call can never complete, as soon as nothing else can happen in it.
    fn give_up(&mut self) {
        let hanging = self.experiment.faults.iter();
        let hanging = hanging
            .filter(|fault| fault.kind == FaultKind::Hang)
            .count() as u32;
        let is_over = self.ended + self.lost + hanging >= self.experiment.tasks;
        if self.never.is_none()
            && self.lost + hanging > 0
            && is_over
            && self.handle.exit().is_none()
        {
            self.never = Some(self.last);
            self.handle.kill();
        }
    }

    fn printed(&mut self, piece: &Output) {
        for &byte in &piece.bytes {
            let line = match piece.stream {
                Stream::Out => &mut self.line,
                Stream::Err => &mut self.complaint,
            };
            match (byte, piece.stream) {
                (b'\n', Stream::Out) => self.read_line(),
                (b'\n', Stream::Err) => line.push(byte),
                _ if line.len() >= LONGEST_LINE => {}
                _ => {
                    if line.last() == Some(&b'\n') {
                        line.clear();
                    }
                    line.push(byte);
                }
            }
        }
    }

    fn read_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let events = match serde_json::from_slice(&line) {
            Ok(Said::Version { python }) => vec![self.begin(Some(&python))],
            Ok(Said::Ready { ready }) => {
                self.ready = Some(Time(ready.saturating_sub(self.began)));
                return;
            }
            Ok(Said::Began { began, at }) => {
                let at = self.at(at);
                let mut events = self.loop_begins(at);
                events.extend(starts(task(began), at));
                events
            }
            Ok(Said::Ended { ended, at, error }) => ends(task(ended), self.at(at), error),
            Ok(Said::Counter {
                main: of_main,
                sum,
                min,
                max,
            }) => [
                ("counter_main", of_main),
                ("counter_sum", sum),
                ("counter_min", min),
                ("counter_max", max),
            ]
            .map(|(quantity, value)| {
                let sample = Sample {
                    quantity: quantity.to_owned(),
                    value: value as f64,
                };
                main(self.last, Kind::Sample(Box::new(sample)))
            })
            .into(),
            // Whatever else the interpreter prints.
            Err(_) => Vec::new(),
        };
        self.send(events, Time::ZERO);
    }

    /// A plain loop is a call without a pool, and begins with its first task.
    fn loop_begins(&mut self, at: Time) -> Vec<Event> {
        if std::mem::replace(&mut self.called, true) {
            return Vec::new();
        }
        let hands = LaneOpened {
            kind: LaneKind::Worker,
            pool: None,
            name: "main".to_owned(),
            pid: Some(self.handle.pid()),
            tid: None,
        };
        let call = CallBegan {
            call: CALL,
            pool: None,
            method: Method::Loop.name().to_owned(),
            function: "f".to_owned(),
            source: None,
            tasks: Some(self.experiment.tasks),
            chunksize: Some(1),
        };
        let hands = Event {
            at,
            lane: HANDS,
            kind: Kind::LaneOpened(Box::new(hands)),
        };
        let state = CallerState::OwnWork;
        let call = Kind::CallBegan(Box::new(call));
        vec![hands, main(at, call), main(at, Kind::Caller { state })]
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

/// The run and its end are told here, and the script's processes are no lanes of the lab.
fn is_of_the_lab(kind: &Kind) -> bool {
    match kind {
        Kind::RunBegan(_) | Kind::RunEnded { .. } => false,
        Kind::LaneOpened(lane) => lane.kind != LaneKind::Other,
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

/// One task of a plain loop starts: it was not submitted before.
fn starts(task: TaskId, at: Time) -> Vec<Event> {
    let tasks = Indexes::one(task.index);
    let started = Event {
        at,
        lane: HANDS,
        kind: Kind::Started { task, cpu: None },
    };
    vec![main(at, Kind::Submitted { call: CALL, tasks }), started]
}

/// One task of a plain loop ends: its value is there at once.
fn ends(task: TaskId, at: Time, error: Option<String>) -> Vec<Event> {
    let outcome = match error {
        Some(_) => Outcome::Failed,
        None => Outcome::Ok,
    };
    let ok = error.is_none();
    let raised = error.map(|error| Kind::Raised(Box::new(Raised { task, error })));
    let finished = Kind::Finished {
        task,
        outcome,
        cpu: None,
    };
    let mut events: Vec<Event> = raised
        .into_iter()
        .chain([finished])
        .map(|kind| Event {
            at,
            lane: HANDS,
            kind,
        })
        .collect();
    let tasks = Indexes::one(task.index);
    if ok {
        events.push(main(at, Kind::Ready { call: CALL, tasks }));
        events.push(main(at, Kind::Delivered { call: CALL, tasks }));
    }
    events
}
