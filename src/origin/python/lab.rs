//! The lab's experiment on CPython's own pools: a script does the calls, and is watched as any program.
//!
//! The script stands in `assets/probe/lab.py`. What cannot be seen from outside it says on its standard
//! output, a JSON object a line: its version, when all is started, the tasks of a plain loop and when it is over,
//! which task hangs now, when main has all it asked for, the counter.

mod counters;
mod last_line;
mod plain;
pub(in crate::origin) mod program;
mod said;
mod stuck;
mod waits;

use super::{Exit, Handle, Output, Stream, Watched};
use crate::event::{
    BlockedIn, CALLER_ON_CPU, CallId, CallerState, Ended, Ends, Event, Kind, LaneId, LaneKind,
    NoteKind, RunBegan, TaskId,
};
use crate::experiment::Experiment;
use crate::method::Method;
use crate::origin::{Batch, Feed};
use crate::platform;
use crate::time::{Nanos, Span, Time};
use crate::workload;
use counters::Counters;
use crossbeam_channel::select;
use last_line::LastLine;
use said::Said;
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

/// Starts the script and hands on what is seen of it, as a run of the lab.
pub(crate) fn feed(experiment: &Experiment, feed: &Feed) {
    let watched = match super::start(&program::of(experiment)) {
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
        counter: Counters::default(),
        stuck: Stuck::new(experiment),
        waits: Waits::new(experiment),
        called: false,
        ready_at: None,
        ready: None,
        hanging: Vec::new(),
        done: None,
        leaving: Vec::new(),
        doing: None,
        looped: false,
        never: None,
        last: Time::ZERO,
        raised: false,
        error: None,
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
    counter: Counters,
    stuck: Stuck,
    waits: Waits,
    called: bool,
    /// When the script had started all it needs.
    ready_at: Option<Time>,
    /// The same, until that is told.
    ready: Option<Time>,
    /// Tasks that hang, and since when, until that is told.
    hanging: Vec<(Time, u32)>,
    /// When main had all results and had done its own work. What follows is the end of the pool.
    done: Option<Time>,
    /// The events of main that end it.
    leaving: Vec<Event>,
    /// What main was told to do last.
    doing: Option<CallerState>,
    /// A plain loop came to its end.
    looped: bool,
    /// When it was clear that the call can never complete.
    never: Option<Time>,
    last: Time,
    /// Main asked for a result and got an error.
    raised: bool,
    /// The name of the error that ended main.
    error: Option<String>,
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
    fn close(mut self) {
        let ends = self.ends();
        let mut events = self.counter.told(self.experiment);
        if self.experiment.tasks == 0 {
            self.tell_nothing();
        }
        self.leave();
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
            if self.never.is_none() && !self.looped {
                events.push(Kind::CallEnded { call: CALL, ends });
            }
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

    /// Where there is nothing to do some methods make no call that could be seen.
    fn tell_nothing(&mut self) {
        if let Some(ready) = self.ready_at.filter(|_| !self.called) {
            let events = self.nothing(ready + self.experiment.serial);
            self.send(events, Time::ZERO);
        }
    }

    /// A call without tasks, in the middle of what main does itself.
    fn nothing(&mut self, at: Time) -> Vec<Event> {
        self.called = true;
        let state = CallerState::OwnWork;
        let ready = self.ready.take();
        let start = ready.map(|at| main(at, Kind::Caller { state }));
        let call = plain::nothing(self.experiment.method, at);
        start.into_iter().chain(call).collect()
    }

    /// Main ends when it has what it asked for, not when its pool is gone.
    fn leave(&mut self) {
        let mut leaving = std::mem::take(&mut self.leaving);
        if self.never.is_some() {
            // It was killed in its call.
            return;
        }
        for event in &mut leaving {
            if matches!(event.kind, Kind::Caller { .. }) {
                event.at = self.done.unwrap_or(event.at);
            }
        }
        self.send(leaving, Time::ZERO);
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
            Some(_) => match &self.error {
                Some(name) if name == Ends::BrokenProcessPool.word() => Ends::BrokenProcessPool,
                None if self.stuck.is_broken() => Ends::BrokenProcessPool,
                _ => Ends::Error,
            },
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
        self.mend(&mut events);
        // The probe takes a call that Python refuses for a task that starts.
        if !self.experiment.enters() {
            events.retain(|event| !matches!(event.kind, Kind::Started { .. }));
        }
        if let Some(never) = self.never {
            // What became of it when it was killed is no part of the run.
            events.retain(|event| event.at <= never);
        }
        self.keep_leaving(&mut events);
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
        for (_, index) in self
            .hanging
            .extract_if(.., |(at, _)| *at <= batch.complete_to)
        {
            self.stuck.hangs(index);
        }
        self.give_up();
    }

    /// What the lab knows better than who watches.
    fn mend(&mut self, events: &mut [Event]) {
        let method = self.experiment.method;
        let one_by_one = matches!(method, Method::Apply | Method::ApplyAsync);
        for event in events {
            match &mut event.kind {
                // An iterator has no length, and of calls of one task each the first begins; the lab knows of all.
                Kind::CallBegan(call) => call.tasks = Some(self.experiment.tasks),
                Kind::Noted(note) => self.raised |= note.kind == NoteKind::ErrorTaken,
                // Main ended with the first error of its tasks; the others went on, or broke later.
                Kind::CallEnded { ends, .. } if self.raised => match ends {
                    Ends::BrokenProcessPool => *ends = Ends::Error,
                    Ends::Returned if one_by_one => *ends = Ends::Error,
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// Keeps the end of main until it is known when that was. That it waits for its pool to end is no part of the
    /// experiment.
    fn keep_leaving(&mut self, events: &mut Vec<Event>) {
        let ends = |event: &mut Event| {
            let state = CallerState::Done;
            let is_end = matches!(event.kind, Kind::LaneClosed { .. })
                || event.kind == Kind::Caller { state };
            event.lane == MAIN && is_end
        };
        self.leaving.extend(events.extract_if(.., ends));
        // Of a loop the script itself tells what main does.
        let is_told = self.is_loop() && self.called;
        events.retain(|event| match event.kind {
            Kind::Caller { .. } if event.lane == MAIN && is_told => false,
            Kind::Caller { state } if event.lane == MAIN => {
                let waits = matches!(
                    state,
                    CallerState::Blocked(BlockedIn::Join | BlockedIn::Shutdown)
                );
                let is_news = !waits && self.doing != Some(state);
                self.doing = if waits { self.doing } else { Some(state) };
                is_news
            }
            _ => true,
        });
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
                let begun = self.begun.remove(&event.lane).unwrap_or(event.at);
                self.counter.ran(Span::new(begun, event.at));
            }
            _ => {}
        }
        self.stuck.note(event);
    }

    /// Ends a script whose call can never complete, as soon as nothing else can happen in it.
    fn give_up(&mut self) {
        let main_is_out = self.done.is_some();
        if self.never.is_none() && self.stuck.is_so(main_is_out) && self.handle.exit().is_none() {
            // An executor that is left with a task that hangs never ends; main has its error by then.
            self.never = Some(self.last).filter(|_| !main_is_out);
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
                self.ready_at = Some(Time(ready.saturating_sub(self.began)));
                self.ready = self.ready_at;
                return;
            }
            Ok(Said::Began { began, at }) => {
                let at = self.at(at);
                let mut events = self.loop_begins(at);
                events.extend(self.waits.tell(plain::starts(task(began), at)));
                self.begun.insert(HANDS, at);
                events
            }
            Ok(Said::Ended {
                ended,
                at,
                took,
                error,
            }) => {
                let at = self.at(at);
                let since = self.begun.remove(&HANDS).unwrap_or(at);
                let ran = plain::ran(task(ended), since, at, &took);
                let events = ran.into_iter().chain(plain::ends(task(ended), at, error));
                self.counter.ran(Span::new(since, at));
                self.waits.tell(events.collect())
            }
            Ok(Said::Looped { looped }) => {
                let at = self.at(looped);
                self.looped = true;
                let state = CallerState::OwnWork;
                let ends = Ends::Returned;
                if self.called {
                    vec![
                        main(at, Kind::CallEnded { call: CALL, ends }),
                        main(at, Kind::Caller { state }),
                    ]
                } else {
                    self.nothing(at)
                }
            }
            Ok(Said::Hangs { hangs, at }) => {
                let at = self.at(at);
                self.hanging.push((at, hangs));
                return;
            }
            Ok(Said::Done { done, error }) => {
                (self.done, self.error) = (Some(self.at(done)), error);
                return self.give_up();
            }
            Ok(Said::Counted { copy, counted }) => {
                return self.counter.counted(copy, counted);
            }
            Ok(Said::Counter { main, counter }) => {
                return self.counter.close(main, counter);
            }
            // Whatever else the interpreter prints.
            Err(_) => Vec::new(),
        };
        self.send(events, Time::ZERO);
    }

    /// A plain loop begins with its first task.
    fn loop_begins(&mut self, at: Time) -> Vec<Event> {
        if std::mem::replace(&mut self.called, true) {
            return Vec::new();
        }
        let starting = self.doing.is_none().then_some(Time::ZERO);
        let starting = starting.map(|at| (at, CallerState::Starting));
        let ready = self.ready.take();
        let own_work = ready.map(|at| (at, CallerState::OwnWork));
        let before = starting.into_iter().chain(own_work);
        let before = before.map(|(at, state)| main(at, Kind::Caller { state }));
        let begins = plain::begins(self.handle.pid(), self.experiment.tasks, at);
        before.chain(begins).collect()
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
        gil: experiment.has_one_interpreter(),
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
