//! Runs told event by event, for tests: one pool, one caller on lane 0, workers on lanes from 1 on. Times
//! are milliseconds.

use super::{Finding, FindingKind, of};
use crate::event::{
    CALLER_ON_CPU, CallBegan, CallId, CallerState, Ended, Ends, Event, Indexes, Kind, LaneId,
    LaneKind, LaneOpened, NamedSpan, Note, NoteKind, Outcome, PoolId, PoolOpened, Raised, Ran,
    RunBegan, Sample, TaskId, Way,
};
use crate::time::{Nanos, Time};
use crate::trace::Trace;

pub(super) const POOL: PoolId = PoolId(0);
pub(super) const CALL: CallId = CallId(0);

pub(super) fn ms(at: u64) -> Time {
    Time(at * 1_000_000)
}

fn length(ms: u64) -> Nanos {
    Nanos(ms * 1_000_000)
}

#[derive(Clone)]
pub(super) struct Told {
    events: Vec<Event>,
}

impl Told {
    /// A program with four CPUs that opened a pool of this kind at 0.
    pub(super) fn pool(kind: &str, workers: u32) -> Self {
        Self::opened(kind, workers, None)
    }

    /// The same with the method that starts its processes.
    pub(super) fn started_by(kind: &str, workers: u32, method: &str) -> Self {
        Self::opened(kind, workers, Some(method))
    }

    fn opened(kind: &str, workers: u32, method: Option<&str>) -> Self {
        let run = RunBegan::of_program("script.py".to_owned(), Some(4));
        let pool = PoolOpened {
            pool: POOL,
            kind: kind.to_owned(),
            start_method: method.map(str::to_owned),
            workers: Some(workers),
        };
        let mut told = Self { events: Vec::new() };
        told.lane(0, 0, LaneKind::Caller, "main", 4_000);
        told.tell(0, 0, Kind::RunBegan(Box::new(run)));
        told.tell(0, 0, Kind::PoolOpened(Box::new(pool)));
        for worker in 1..=workers {
            let name = format!("worker {worker}");
            told.lane(0, worker, LaneKind::Worker, &name, 4_000 + worker);
        }
        told
    }

    /// Of the process with this pid.
    pub(super) fn lane(&mut self, at: u64, lane: u32, kind: LaneKind, name: &str, pid: u32) {
        let facts = LaneOpened {
            kind,
            pool: (kind == LaneKind::Worker).then_some(POOL),
            name: name.to_owned(),
            pid: Some(pid),
            tid: None,
        };
        self.tell(at, lane, Kind::LaneOpened(Box::new(facts)));
    }

    pub(super) fn tell(&mut self, at: u64, lane: u32, kind: Kind) {
        let (at, lane) = (ms(at), LaneId(lane));
        self.event(Event { at, lane, kind });
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Two workers; task 2 of six is running when its worker is killed, and its chunk goes with it.
    pub(super) fn killed(kind: &str, chunksize: u32) -> Self {
        Self::pool(kind, 2)
            .call(0, "map", 6, chunksize)
            .task(1, 0, 1, 10)
            .task(2, 1, 1, 10)
            .start(2, 2, 11)
            .lost(20, 2, 2, 2 + chunksize)
    }

    /// All tasks are sent at once, in line 12.
    pub(super) fn call(self, at: u64, method: &str, tasks: u32, chunksize: u32) -> Self {
        self.announced(at, method, tasks, chunksize)
            .submit(at, Indexes::new(0, tasks))
    }

    /// Its tasks are still to be handed in.
    pub(super) fn announced(mut self, at: u64, method: &str, tasks: u32, chunksize: u32) -> Self {
        let facts = CallBegan {
            call: CALL,
            pool: Some(POOL),
            method: method.to_owned(),
            function: "square".to_owned(),
            source: Some(("script.py".to_owned(), 12)),
            tasks: Some(tasks),
            chunksize: Some(chunksize),
        };
        let chunks = Indexes::new(0, tasks.div_ceil(chunksize));
        self.tell(at, 0, Kind::CallBegan(Box::new(facts)));
        self.tell(at, 0, Kind::Enqueued { call: CALL, chunks });
        self
    }

    pub(super) fn submit(mut self, at: u64, tasks: Indexes) -> Self {
        self.tell(at, 0, Kind::Submitted { call: CALL, tasks });
        self
    }

    /// A call without tasks, as yet.
    pub(super) fn begins_another(mut self, at: u64) -> Self {
        let facts = CallBegan {
            call: CallId(CALL.0 + 1),
            pool: Some(POOL),
            method: "map".to_owned(),
            function: "square".to_owned(),
            source: None,
            tasks: Some(4),
            chunksize: Some(1),
        };
        self.tell(at, 0, Kind::CallBegan(Box::new(facts)));
        self
    }

    /// The task of this number, sent by a call of its own.
    pub(super) fn called_again(mut self, method: &str, index: u32, at: u64) -> Self {
        if index == 0 {
            return self.call(at, method, 1, 1);
        }
        let (call, tasks) = (CALL, Indexes::one(index));
        self.tell(at, 0, Kind::CallAgain { call, tasks });
        self.tell(at, 0, Kind::Submitted { call, tasks });
        let chunks = tasks;
        self.tell(at, 0, Kind::Enqueued { call, chunks });
        self
    }

    /// A call of one task in a message, of which nobody knows how many there will be.
    pub(super) fn calls_as_they_come(mut self, method: &str) -> Self {
        let facts = CallBegan {
            call: CALL,
            pool: Some(POOL),
            method: method.to_owned(),
            function: "square".to_owned(),
            source: None,
            tasks: None,
            chunksize: Some(1),
        };
        self.tell(0, 0, Kind::CallBegan(Box::new(facts)));
        self
    }

    /// A task of it that is sent and done by one of two workers.
    pub(super) fn comes(mut self, index: u32, at: Time, work: Nanos) -> Self {
        let (call, tasks) = (CALL, Indexes::one(index));
        let task = TaskId { call, index };
        let worker = LaneId(1 + index % 2);
        let (outcome, cpu, chunks) = (Outcome::Ok, None, tasks);
        for (at, lane, kind) in [
            (at, LaneId(0), Kind::Submitted { call, tasks }),
            (at, LaneId(0), Kind::Enqueued { call, chunks }),
            (at, worker, Kind::Started { task, cpu }),
            (at + work, worker, Kind::Finished { task, outcome, cpu }),
        ] {
            self.event(Event { at, lane, kind });
        }
        self
    }

    pub(super) fn ready(mut self, at: u64, index: u32) -> Self {
        let (call, tasks) = (CALL, Indexes::one(index));
        self.tell(at, 0, Kind::Ready { call, tasks });
        self
    }

    /// The caller takes a result.
    pub(super) fn takes(mut self, at: u64, index: u32) -> Self {
        let (call, tasks) = (CALL, Indexes::one(index));
        self.tell(at, 0, Kind::Delivered { call, tasks });
        self
    }

    /// A worker has a task of some other call.
    pub(super) fn other(mut self, lane: u32, start: u64, end: u64) -> Self {
        let call = CallId(77);
        let task = TaskId { call, index: 0 };
        self.tell(start, lane, Kind::Started { task, cpu: None });
        let (outcome, cpu) = (Outcome::Ok, None);
        self.tell(end, lane, Kind::Finished { task, outcome, cpu });
        self
    }

    /// A worker calls its own pool from a task, with two tasks more, and waits for them.
    pub(super) fn called_in(mut self, worker: u32, at: u64) -> Self {
        let (lane, call) = (100 + worker, CallId(worker));
        let facts = LaneOpened {
            kind: LaneKind::Caller,
            pool: None,
            name: format!("main {worker}"),
            pid: Some(4_000 + worker),
            tid: None,
        };
        self.tell(at, lane, Kind::LaneOpened(Box::new(facts)));
        let facts = CallBegan {
            call,
            pool: Some(POOL),
            method: "map".to_owned(),
            function: "inner".to_owned(),
            source: None,
            tasks: Some(2),
            chunksize: Some(1),
        };
        let tasks = Indexes::new(0, 2);
        self.tell(at, lane, Kind::CallBegan(Box::new(facts)));
        self.tell(at, lane, Kind::Submitted { call, tasks });
        let chunks = tasks;
        self.tell(at, lane, Kind::Enqueued { call, chunks });
        let state = CallerState::Blocked(crate::event::BlockedIn::Result);
        self.caller_on(at, lane, state)
    }

    pub(super) fn caller_on(mut self, at: u64, lane: u32, state: CallerState) -> Self {
        self.tell(at, lane, Kind::Caller { state });
        self
    }

    pub(super) fn start(mut self, lane: u32, index: u32, at: u64) -> Self {
        let task = TaskId { call: CALL, index };
        self.tell(at, lane, Kind::Started { task, cpu: None });
        self
    }

    pub(super) fn task(self, lane: u32, index: u32, start: u64, end: u64) -> Self {
        self.ended(lane, index, (start, end), Outcome::Ok)
    }

    pub(super) fn fails(mut self, lane: u32, index: u32, start: u64, end: u64) -> Self {
        let raised = Raised {
            task: TaskId { call: CALL, index },
            error: "ValueError: no".to_owned(),
        };
        self.tell(end, lane, Kind::Raised(Box::new(raised)));
        self.ended(lane, index, (start, end), Outcome::Failed)
    }

    fn ended(self, lane: u32, index: u32, (start, end): (u64, u64), outcome: Outcome) -> Self {
        let task = TaskId { call: CALL, index };
        let mut told = self.start(lane, index, start);
        let cpu = None;
        told.tell(end, lane, Kind::Finished { task, outcome, cpu });
        told
    }

    /// A task of which `waiting` is how long it waited for a CPU.
    pub(super) fn waited(
        self,
        lane: u32,
        index: u32,
        (start, end): (u64, u64),
        waiting: u64,
    ) -> Self {
        self.ran(lane, index, (start, end), (end - start - waiting, waiting))
    }

    /// The same, on a CPU and waiting for one for so long, and asleep for the rest.
    pub(super) fn ran(
        self,
        lane: u32,
        index: u32,
        (start, end): (u64, u64),
        (on_cpu, waiting): (u64, u64),
    ) -> Self {
        let task = TaskId { call: CALL, index };
        let ran = Ran {
            task,
            since: ms(start),
            on_cpu: length(on_cpu),
            waiting: length(waiting),
            useful_wait: Nanos::ZERO,
            cpu: None,
            moved_to: None,
        };
        let mut told = self.start(lane, index, start);
        told.tell(end, lane, Kind::Ran(Box::new(ran)));
        let (outcome, cpu) = (Outcome::Ok, None);
        told.tell(end, lane, Kind::Finished { task, outcome, cpu });
        told
    }

    pub(super) fn span(mut self, lane: u32, name: &str, start: u64, end: u64) -> Self {
        let span = NamedSpan {
            name: name.to_owned(),
            category: crate::event::Category::Overhead,
            since: ms(start),
        };
        self.tell(end, lane, Kind::Span(Box::new(span)));
        self
    }

    /// The message of chunk 0 is so large.
    pub(super) fn bytes(self, at: u64, bytes: u32) -> Self {
        self.carried(at, bytes, Way::ToWorker)
    }

    /// And its results.
    pub(super) fn bytes_back(self, at: u64, bytes: u32) -> Self {
        self.carried(at, bytes, Way::ToCaller)
    }

    fn carried(mut self, at: u64, bytes: u32, way: Way) -> Self {
        let (call, chunk) = (CALL, 0);
        self.tell(
            at,
            0,
            Kind::Carried {
                call,
                chunk,
                bytes,
                way,
            },
        );
        self
    }

    /// Another worker, in the place of the first.
    pub(super) fn replaced(mut self, at: u64, lane: u32) -> Self {
        self.lane(at, lane, LaneKind::Worker, "worker 1", 4_000 + lane);
        self
    }

    pub(super) fn call_ended(mut self, at: u64, ends: Ends) -> Self {
        self.tell(at, 0, Kind::CallEnded { call: CALL, ends });
        self
    }

    pub(super) fn note(self, at: u64, lane: u32, kind: NoteKind, value: i64) -> Self {
        self.note_of(at, lane, kind, ("TypeError: no", value))
    }

    /// So many workers end one after the other with this exit code.
    pub(super) fn dying(mut self, count: u32, exit: i64) -> Self {
        for worker in 1..=count {
            let at = 100 * u64::from(worker);
            self = self.note(at, worker, NoteKind::ExitCode, exit);
            let ended = Ended::Crashed;
            self.tell(at, worker, Kind::LaneClosed { ended });
        }
        self
    }

    /// A worker ends because of Ctrl-C.
    pub(super) fn interrupted(self, at: u64, lane: u32) -> Self {
        self.note_of(at, lane, NoteKind::WorkerExit, ("KeyboardInterrupt", 1))
    }

    pub(super) fn note_of(
        mut self,
        at: u64,
        lane: u32,
        kind: NoteKind,
        (text, value): (&str, i64),
    ) -> Self {
        let note = Note {
            kind,
            pool: Some(POOL),
            call: Some(CALL),
            text: text.to_owned(),
            value,
        };
        self.tell(at, lane, Kind::Noted(Box::new(note)));
        self
    }

    pub(super) fn lost(mut self, at: u64, lane: u32, first: u32, end: u32) -> Self {
        let tasks = Indexes::new(first, end);
        let ended = Ended::Killed;
        self.tell(at, lane, Kind::Lost { call: CALL, tasks });
        self.tell(at, lane, Kind::LaneClosed { ended });
        self
    }

    pub(super) fn pool_closed(mut self, at: u64) -> Self {
        self.tell(at, 0, Kind::PoolClosed { pool: POOL });
        self
    }

    pub(super) fn caller(self, at: u64, state: CallerState) -> Self {
        self.caller_on(at, 0, state)
    }

    /// The caller has been on a CPU for this long so far.
    pub(super) fn on_cpu(mut self, at: u64, so_far: u64) -> Self {
        let sample = Sample {
            quantity: CALLER_ON_CPU.to_owned(),
            value: length(so_far).0 as f64,
        };
        self.tell(at, 0, Kind::Sample(Box::new(sample)));
        self
    }

    pub(super) fn over(mut self, at: u64) -> Self {
        let ends = Ends::Returned;
        self.tell(at, 0, Kind::RunEnded { ends });
        self
    }

    pub(super) fn trace(self) -> Trace {
        let mut trace = Trace::default();
        trace.apply(self.events);
        trace
    }

    pub(super) fn findings(self) -> Vec<Finding> {
        let trace = self.trace();
        of(&trace, trace.end())
    }

    /// The kinds of what is found at the end.
    pub(super) fn kinds(self) -> Vec<FindingKind> {
        self.findings()
            .into_iter()
            .map(|finding| finding.kind)
            .collect()
    }

    /// The one finding there is.
    pub(super) fn finding(self) -> Finding {
        let mut findings = self.findings();
        assert_eq!(findings.len(), 1, "{findings:#?}");
        findings.remove(0)
    }

    /// Whatever is found at any moment.
    pub(super) fn ever(self) -> Vec<Finding> {
        let mut moments: Vec<Time> = self.events.iter().map(|event| event.at).collect();
        moments.sort_unstable();
        moments.dedup();
        let trace = self.trace();
        moments.into_iter().flat_map(|at| of(&trace, at)).collect()
    }
}

impl Finding {
    /// Its text has these words.
    #[track_caller]
    pub(super) fn says(&self, words: &str) {
        assert!(self.text.contains(words), "{}", self.text);
    }
}
