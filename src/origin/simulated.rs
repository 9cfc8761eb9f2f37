//! A pool in virtual time: exact, deterministic, with any number of workers and CPUs.
//!
//! The specification of the numbers: times are whole nanoseconds, and nothing but the experiment has a say.
//! One loop goes from moment to moment. At each, in this order: tasks end, in the order of their
//! submission; the caller does what it can; the dispatcher's message arrives; free workers take chunks, the one
//! idle longest first. What the pool does with a call is the business of [`crate::call`].
//!
//! | file | holds |
//! |---|---|
//! | `pool` | workers: chunks, tasks and what goes wrong in them |
//! | `main_program` | the caller and the dispatcher |
//! | `processors` | how tasks share CPUs |
//! | `slices` | which task is drawn on which CPU |
//! | `race` | what becomes of the counter |

mod main_program;
mod pool;
mod processors;
pub(in crate::origin) mod race;
mod slices;

use super::{Cancel, Feed};
use crate::call::Collector;
use crate::event::{
    CallId, Counter, Ended, Ends, Event, Indexes, Kind, LaneId, LaneKind, LaneOpened, PoolId,
    PoolOpened, RunBegan, TaskId,
};
use crate::experiment::{CounterEffect, Experiment, MemoryModel};
use crate::method::Sends;
use crate::time::{Nanos, Span, Time};
use crate::workload::{self, Work};
use main_program::{Dispatcher, MainProgram};
use pool::Worker;
use processors::Processors;
use slices::Slices;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events that are sent together, at least.
const BATCH: usize = 4_096;

/// Moments between two looks at whether somebody still wants the run.
const PATIENCE: u32 = 1_024;

const CALL: CallId = CallId(0);
const POOL: PoolId = PoolId(0);
const CALLER: LaneId = LaneId(0);

/// Everything that happens in a run of `experiment`, in the order of time.
pub fn run(experiment: &Experiment) -> Vec<Event> {
    Simulation::new(experiment)
        .run(&Cancel::default())
        .unwrap_or_default()
}

/// Runs `experiment` and sends all of it.
pub(crate) fn feed(experiment: &Experiment, feed: &Feed) {
    let Some(events) = Simulation::new(experiment).run(feed.cancel()) else {
        return;
    };
    let mut events = events.into_iter().peekable();
    while !feed.cancel().is_cancelled() {
        let mut batch: Vec<Event> = events.by_ref().take(BATCH).collect();
        // What happens at one moment stays together, however much: only within a batch it is put in order
        // at little cost.
        let last = batch.last().map(|event| event.at);
        while let Some(event) = events.next_if(|event| Some(event.at) == last) {
            batch.push(event);
        }
        let complete_to = events.peek().map_or(Time::NEVER, |next| next.at);
        feed.send(batch, complete_to);
        if complete_to == Time::NEVER {
            return;
        }
    }
}

/// A run under way.
struct Simulation<'a> {
    experiment: &'a Experiment,
    work: Vec<Work>,
    collector: Collector,
    now: Time,
    events: Vec<Event>,
    next_lane: u32,

    main: MainProgram,
    dispatcher: Dispatcher,

    workers: Vec<Worker>,
    /// Free workers, the one idle longest first. One that never worked has been idle longest of all.
    idle: BinaryHeap<Reverse<(Option<Time>, usize)>>,
    /// Chunks that were taken from the queue.
    taken: u32,
    processors: Processors,
    slices: Slices,
    /// Ends of waits, with their worker.
    waits: BinaryHeap<Reverse<(Time, usize)>>,
    /// No worker lives any more.
    broken: bool,
    /// The tasks that have raced for the counter.
    racing: Vec<Span>,
}

impl<'a> Simulation<'a> {
    fn new(experiment: &'a Experiment) -> Self {
        let work = workload::tasks(experiment);
        let tasks = work.len() as u32;
        let costs: Vec<Nanos> = work.iter().map(|work| work.cost).collect();
        let workers = experiment.running_workers() as usize;
        let processors = if experiment.gil {
            1
        } else {
            experiment.simulated_cpus()
        };
        let computing = work.iter().filter(|work| !work.io).map(|work| work.cost);
        Self {
            collector: Collector::new(experiment.method, tasks, experiment.real_chunksize()),
            now: Time::ZERO,
            events: Vec::new(),
            next_lane: CALLER.0,
            main: MainProgram::new(
                experiment,
                tasks,
                experiment.main_work_length(&costs, experiment.simulated_cpus()),
            ),
            dispatcher: Dispatcher::new(experiment),
            workers: Vec::new(),
            idle: (0..workers).map(|worker| Reverse((None, worker))).collect(),
            taken: 0,
            processors: Processors::new(processors),
            slices: Slices::new(processors, workers, computing),
            waits: BinaryHeap::new(),
            broken: false,
            racing: Vec::new(),
            experiment,
            work,
        }
    }

    /// `None` if the run was cancelled.
    fn run(mut self, cancel: &Cancel) -> Option<Vec<Event>> {
        self.open();
        for moment in 1_u32.. {
            let next = self.next_moment();
            if next == Time::NEVER {
                break;
            }
            if moment % PATIENCE == 0 && cancel.is_cancelled() {
                return None;
            }
            self.processors.advance(next);
            self.slices.advance(next, &mut self.events);
            self.now = next;
            self.end_tasks();
            loop {
                self.step_main();
                self.dispatch();
                if !self.take_chunks() {
                    break;
                }
            }
            self.tell_state();
        }
        self.close();
        // Only how tasks ran is told late: at the task's end.
        self.events.sort_by_key(|event| event.at);
        Some(self.events)
    }

    fn next_moment(&self) -> Time {
        let pool = if self.broken {
            Time::NEVER
        } else {
            let waits = self
                .waits
                .peek()
                .map_or(Time::NEVER, |&Reverse((end, _))| end);
            waits
                .min(self.processors.next_end())
                .min(self.dispatcher.arrives)
        };
        pool.min(self.main.busy_until)
    }

    fn tell(&mut self, lane: LaneId, kind: Kind) {
        let at = self.now;
        self.events.push(Event { at, lane, kind });
    }

    /// Is there a pool? A loop has none.
    fn has_pool(&self) -> bool {
        self.experiment.method.rules().sends != Sends::Nothing
    }

    fn open(&mut self) {
        let experiment = self.experiment;
        let workers = experiment.running_workers();
        self.tell(
            CALLER,
            Kind::RunBegan(Box::new(RunBegan {
                label: experiment.method.name().to_owned(),
                measured: false,
                cpus: Some(experiment.simulated_cpus()),
                cpu_ids: Vec::new(),
                gil: experiment.gil,
                serial: experiment.serial,
                work: Some(self.work.iter().map(|work| work.cost).sum()),
                program: false,
            })),
        );
        if self.has_pool() {
            self.tell(
                CALLER,
                Kind::PoolOpened(Box::new(PoolOpened {
                    pool: POOL,
                    kind: "simulated".to_owned(),
                    start_method: None,
                    workers: Some(workers),
                })),
            );
        }
        self.open_lane(LaneKind::Caller, "main".to_owned());
        if self.dispatcher.takes_time() {
            self.dispatcher.lane = self.open_lane(LaneKind::Dispatcher, "dispatcher".to_owned());
        }
        for worker in 0..workers {
            let name = if self.has_pool() {
                format!("worker {worker}")
            } else {
                "main".to_owned()
            };
            let lane = self.open_lane(LaneKind::Worker, name.clone());
            self.workers.push(Worker::new(lane, name));
        }
        self.tell_state();
    }

    fn open_lane(&mut self, kind: LaneKind, name: String) -> LaneId {
        let lane = LaneId(self.next_lane);
        self.next_lane += 1;
        let pool = (kind != LaneKind::Caller && self.has_pool()).then_some(POOL);
        self.tell(
            lane,
            Kind::LaneOpened(Box::new(LaneOpened {
                kind,
                pool,
                name,
                pid: None,
                tid: None,
            })),
        );
        lane
    }

    /// Nothing else can happen.
    fn close(&mut self) {
        let ends = self.main.ended.unwrap_or(Ends::Never);
        if ends == Ends::Never {
            self.now = self.now.max(Time::ZERO + self.experiment.stop_at);
        }
        self.close_workers();
        if self.dispatcher.takes_time() {
            self.close_lane(self.dispatcher.lane, Ended::Finished);
        }
        self.tell_counters();
        if self.has_pool() {
            self.tell(CALLER, Kind::PoolClosed { pool: POOL });
        }
        self.close_lane(CALLER, Ended::Finished);
        self.tell(CALLER, Kind::RunEnded { ends });
    }

    fn close_lane(&mut self, lane: LaneId, ended: Ended) {
        self.tell(lane, Kind::LaneClosed { ended });
    }

    fn tell_counters(&mut self) {
        let experiment = self.experiment;
        let increments: Vec<u64> = self.workers.iter().map(|worker| worker.effects).collect();
        let counter = match (experiment.effect, experiment.memory_model()) {
            (CounterEffect::None, _) => return,
            (CounterEffect::Count, MemoryModel::Separate) if self.has_pool() => {
                race::separate(&increments)
            }
            (CounterEffect::Count, _) => race::shared(&increments),
            (CounterEffect::Race, _) => {
                let times = u64::from(experiment.increments);
                race::race(&self.racing, times, experiment.lock, experiment.seed)
            }
        };
        let counter = Counter {
            // Increments take no virtual time, so nobody waits long for the lock around them.
            lock_wait: experiment.lock.then_some(Nanos::ZERO),
            ..counter
        };
        for sample in counter.samples() {
            self.tell(CALLER, Kind::Sample(Box::new(sample)));
        }
    }
}

fn task(index: u32) -> TaskId {
    TaskId { call: CALL, index }
}

fn ready(tasks: Indexes) -> Kind {
    Kind::Ready { call: CALL, tasks }
}
