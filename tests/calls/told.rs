//! A program of any number of pools and calls, told as events: each pool has a caller of its own, whose
//! calls follow one another.

use parviz::event::{
    BlockedIn, CallBegan, CallId, CallerState, Category, Ended, Ends, Event, Indexes, Kind, LaneId,
    LaneKind, LaneOpened, NamedSpan, Note, NoteKind, Outcome, PoolId, PoolOpened, Raised, Ran,
    RunBegan, TaskId, Way,
};
use parviz::time::{Nanos, Time};
use proptest::prelude::*;

/// What a caller does with its pool.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// Of each task; a call of an `apply` is one task.
    pub(super) costs: Vec<u64>,
    pub(super) chunksize: u32,
    /// Made once for each task, as an `apply` in a loop is.
    pub(super) series: bool,
    /// Every so many tasks raise.
    pub(super) raises: Option<u32>,
    /// Time of the caller's own after it.
    pub(super) after: u64,
    pub(super) accounted: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) workers: u32,
    pub(super) calls: Vec<Call>,
    /// The last call loses its last chunk, and its worker is replaced.
    pub(super) loses: bool,
}

pub(super) fn calls() -> impl Strategy<Value = Call> {
    (
        proptest::collection::vec(0_u64..40, 0..7),
        1_u32..4,
        any::<bool>(),
        proptest::option::of(2_u32..4),
        0_u64..30,
        any::<bool>(),
    )
        .prop_map(|(costs, chunksize, series, raises, after, accounted)| {
            let series = series && !costs.is_empty();
            Call {
                chunksize: if series { 1 } else { chunksize },
                costs,
                series,
                raises,
                after,
                accounted,
            }
        })
}

pub(super) fn pools() -> impl Strategy<Value = Vec<Pool>> {
    let pool = (
        1_u32..4,
        proptest::collection::vec(calls(), 0..5),
        any::<bool>(),
    );
    let pool = pool.prop_map(|(workers, calls, loses)| Pool {
        workers,
        calls,
        loses,
    });
    proptest::collection::vec(pool, 1..4)
}

/// How a series is told.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Series {
    /// As one call that is made again.
    Shown,
    /// As calls of their own.
    Apart,
}

/// Every event, by (time, lane, order within the lane).
pub(super) fn events(pools: &[Pool], series: Series) -> Vec<Event> {
    let mut teller = Teller {
        events: Vec::new(),
        calls: 0,
    };
    let run = RunBegan::of_program("program".to_owned(), Some(2));
    teller.tell(0, 0, Kind::RunBegan(Box::new(run)));
    let mut end = 1;
    for (number, pool) in pools.iter().enumerate() {
        end = end.max(teller.pool(number as u32, pool, series));
    }
    let ends = Ends::Returned;
    teller.tell(end + 1, 0, Kind::RunEnded { ends });
    teller.events.sort_by_key(|event| (event.at, event.lane));
    teller.events
}

struct Teller {
    events: Vec<Event>,
    calls: u32,
}

/// A worker as it is simulated.
#[derive(Clone, Copy)]
struct Worker {
    lane: u32,
    free: u64,
}

impl Teller {
    fn tell(&mut self, at: u64, lane: u32, kind: Kind) {
        let (at, lane) = (Time(at), LaneId(lane));
        self.events.push(Event { at, lane, kind });
    }

    fn open(&mut self, at: u64, lane: u32, kind: LaneKind, pool: Option<PoolId>, name: String) {
        let facts = LaneOpened {
            kind,
            pool,
            name,
            pid: Some(1_000 + lane),
            tid: None,
        };
        self.tell(at, lane, Kind::LaneOpened(Box::new(facts)));
    }

    /// Lanes 100 k and up; returns when the pool was closed.
    fn pool(&mut self, number: u32, pool: &Pool, series: Series) -> u64 {
        let id = PoolId(number);
        let caller = 1 + number * 100;
        let mut now = u64::from(number) * 3;
        self.open(
            now,
            caller,
            LaneKind::Caller,
            None,
            format!("thread {number}"),
        );
        let facts = PoolOpened {
            pool: id,
            kind: "Pool".to_owned(),
            start_method: Some("fork".to_owned()),
            workers: Some(pool.workers),
        };
        self.tell(now, caller, Kind::PoolOpened(Box::new(facts)));
        let mut workers: Vec<Worker> = (0..pool.workers)
            .map(|k| Worker {
                lane: caller + 1 + k,
                free: now + 2,
            })
            .collect();
        for (k, worker) in workers.iter().enumerate() {
            let (lane, kind) = (worker.lane, LaneKind::Worker);
            self.open(now + 1, lane, kind, Some(id), format!("worker {k}"));
            let span = NamedSpan {
                name: "start-up".to_owned(),
                category: Category::Overhead,
                since: Time(now + 1),
            };
            self.tell(now + 2, lane, Kind::Span(Box::new(span)));
        }
        for (k, call) in pool.calls.iter().enumerate() {
            let loses = pool.loses && k + 1 == pool.calls.len();
            now = self.call(id, caller, call, now, &mut workers, loses, series);
            now += call.after;
        }
        let ended = Ended::Finished;
        let close = workers.iter().map(|worker| worker.free).max();
        let close = close.unwrap_or(now).max(now) + 1;
        for worker in workers {
            self.tell(close, worker.lane, Kind::LaneClosed { ended });
        }
        self.tell(close, caller, Kind::PoolClosed { pool: id });
        let state = CallerState::Done;
        self.tell(close, caller, Kind::Caller { state });
        close
    }

    #[expect(clippy::too_many_arguments, reason = "a call is made of all this")]
    fn call(
        &mut self,
        pool: PoolId,
        caller: u32,
        call: &Call,
        began: u64,
        workers: &mut [Worker],
        loses: bool,
        series: Series,
    ) -> u64 {
        let count = call.costs.len() as u32;
        if !call.series {
            let all = Indexes::new(0, count);
            let id = self.begin(pool, caller, "map", call, began, all);
            return self.run(id, caller, call, all, 0, began, workers, loses);
        }
        let mut now = began;
        let mut shown = None;
        for task in 0..count {
            let (id, tasks, shift) = match (series, shown) {
                (Series::Shown, Some(id)) => {
                    let tasks = Indexes::one(task);
                    self.tell(now, caller, Kind::CallAgain { call: id, tasks });
                    (id, tasks, 0)
                }
                (Series::Shown, None) => {
                    let tasks = Indexes::one(task);
                    (
                        self.begin(pool, caller, "apply", call, now, tasks),
                        tasks,
                        0,
                    )
                }
                (Series::Apart, _) => {
                    let tasks = Indexes::one(0);
                    (
                        self.begin(pool, caller, "apply", call, now, tasks),
                        tasks,
                        task,
                    )
                }
            };
            shown = Some(id);
            let loses = loses && task + 1 == count;
            now = self.run(id, caller, call, tasks, shift, now, workers, loses) + 1;
        }
        now
    }

    fn begin(
        &mut self,
        pool: PoolId,
        caller: u32,
        method: &str,
        call: &Call,
        at: u64,
        tasks: Indexes,
    ) -> CallId {
        let id = CallId(self.calls * 7 + 3);
        self.calls += 1;
        let began = CallBegan {
            call: id,
            pool: Some(pool),
            method: method.to_owned(),
            function: "work".to_owned(),
            source: Some(("program.py".to_owned(), 12)),
            tasks: Some(tasks.len()),
            chunksize: Some(call.chunksize),
        };
        self.tell(at, caller, Kind::CallBegan(Box::new(began)));
        id
    }

    /// Submits these tasks of a call and waits for them; `shift` tells which costs they have.
    #[expect(clippy::too_many_arguments, reason = "a call is made of all this")]
    fn run(
        &mut self,
        id: CallId,
        caller: u32,
        call: &Call,
        tasks: Indexes,
        shift: u32,
        began: u64,
        workers: &mut [Worker],
        loses: bool,
    ) -> u64 {
        let (call_id, size) = (id, call.chunksize);
        let chunks = Indexes::new(tasks.first / size, tasks.end.div_ceil(size));
        self.tell(began, caller, Kind::Submitted { call: id, tasks });
        self.tell(began, caller, Kind::Enqueued { call: id, chunks });
        let state = CallerState::Blocked(BlockedIn::Map);
        self.tell(began, caller, Kind::Caller { state });
        let mut end = began;
        let mut failed = false;
        for chunk in chunks.iter() {
            let (bytes, way) = (100 + chunk, Way::ToWorker);
            let carried = Kind::Carried {
                call: call_id,
                chunk,
                bytes,
                way,
            };
            self.tell(began, caller, carried);
            workers.sort_by_key(|worker| (worker.free, worker.lane));
            let worker = workers[0];
            let lane = worker.lane;
            let mut now = worker.free.max(began);
            self.tell(now, lane, Kind::Dequeued { call: id, chunk });
            let own = Indexes::new(chunk * size, ((chunk + 1) * size).min(tasks.end));
            if loses && chunk + 1 == chunks.end {
                let task = TaskId {
                    call: id,
                    index: own.first,
                };
                self.tell(now, lane, Kind::Started { task, cpu: None });
                let ended = Ended::Killed;
                self.tell(now + 1, lane, Kind::LaneClosed { ended });
                self.tell(
                    now + 1,
                    caller,
                    Kind::Lost {
                        call: id,
                        tasks: own,
                    },
                );
                self.note(now + 1, caller, pool_of(caller), id);
                let name = format!("worker {}", (lane - caller - 1) % 10);
                let pool = Some(pool_of(caller));
                self.open(now + 2, lane + 10, LaneKind::Worker, pool, name);
                workers[0] = Worker {
                    lane: lane + 10,
                    free: now + 3,
                };
                continue;
            }
            for index in own.iter() {
                let cost = call.costs[(index + shift) as usize];
                let raises = call
                    .raises
                    .is_some_and(|every| (index + shift).is_multiple_of(every));
                failed |= raises;
                self.task(
                    TaskId { call: id, index },
                    lane,
                    now,
                    cost,
                    raises,
                    call.accounted,
                );
                now += cost;
            }
            workers[0].free = now + 1;
            self.tell(now + 1, caller, Kind::Returned { call: id, chunk });
            end = end.max(now + 1);
        }
        if loses && !chunks.is_empty() {
            return end;
        }
        self.tell(end, caller, Kind::Ready { call: id, tasks });
        self.tell(end, caller, Kind::Delivered { call: id, tasks });
        let state = CallerState::OwnWork;
        self.tell(end, caller, Kind::Caller { state });
        let ends = if failed { Ends::Error } else { Ends::Returned };
        self.tell(end, caller, Kind::CallEnded { call: id, ends });
        end
    }

    fn task(&mut self, task: TaskId, lane: u32, at: u64, cost: u64, raises: bool, accounted: bool) {
        self.tell(at, lane, Kind::Started { task, cpu: None });
        if accounted {
            let ran = Ran {
                task,
                since: Time(at),
                on_cpu: Nanos(cost / 2),
                waiting: Nanos(cost / 4),
                useful_wait: Nanos::ZERO,
                cpu: None,
                moved_to: None,
            };
            self.tell(at + cost, lane, Kind::Ran(Box::new(ran)));
        }
        let outcome = if raises {
            let error = format!("ValueError: {}", task.index);
            self.tell(
                at + cost,
                lane,
                Kind::Raised(Box::new(Raised { task, error })),
            );
            Outcome::Failed
        } else {
            Outcome::Ok
        };
        let cpu = None;
        self.tell(at + cost, lane, Kind::Finished { task, outcome, cpu });
    }

    fn note(&mut self, at: u64, lane: u32, pool: PoolId, call: CallId) {
        let note = Note {
            kind: NoteKind::LeftOutstanding,
            pool: Some(pool),
            call: Some(call),
            text: String::new(),
            value: 1,
        };
        self.tell(at, lane, Kind::Noted(Box::new(note)));
    }
}

fn pool_of(caller: u32) -> PoolId {
    PoolId((caller - 1) / 100)
}
