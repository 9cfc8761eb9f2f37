//! A worker: takes chunks, runs their tasks one after another, hands the results in, and tells all of it.

use super::recorder::{HubMessage, Recorder};
use super::task::{Fate, Place, Runner};
use super::work::{Pace, Token};
use super::{CALL, Shared};
use crate::call::ChunkResult;
use crate::event::{
    Category, Ended, Indexes, Kind, LaneKind, LaneOpened, NamedSpan, Outcome, Raised, TaskId,
};
use crate::experiment::{CounterEffect, Policy};
use crate::method::Delivery;
use crate::origin::Cancel;
use crate::platform;
use crate::time::{Nanos, Time};
use crate::workload::Work;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Instant;

pub(super) struct Worker {
    shared: Arc<Shared>,
    runner: Runner<Here, Recorder>,
    /// Its place in the pool; one that replaces it has the same.
    row: u32,
    /// Chunks that are back but not handed in yet. Where all results become ready together, nobody misses
    /// those of short tasks until something else than short tasks follows.
    held: Vec<(u32, ChunkResult)>,
    /// When the last of them came back.
    back: Time,
}

/// Chunks that a worker hands in together at most.
const MOST_HELD: usize = 64;
/// Tasks of less than this are short: those held together are done within the time of a frame.
const SHORT: Nanos = Nanos(250_000);

/// A thread of this process.
struct Here {
    shared: Arc<Shared>,
    row: u32,
}

impl Place for Here {
    fn pace(&self) -> Pace {
        self.shared.pace
    }

    fn instant(&self, at: Time) -> Instant {
        self.shared.clock.instant(at)
    }

    fn halt(&self) -> &Cancel {
        &self.shared.halt
    }

    fn token(&self) -> Option<Arc<Token>> {
        self.shared.token.clone()
    }

    fn waits_tell_every(&self) -> Nanos {
        self.shared.waits_tell_every
    }

    fn count(&self) {
        let counter = &self.shared.counter;
        let effects = &self.shared.effects[self.row as usize];
        match self.shared.experiment.effect {
            CounterEffect::None => {}
            CounterEffect::Count => {
                effects.fetch_add(1, Ordering::Relaxed);
                counter.fetch_add(1, Ordering::Relaxed);
            }
            CounterEffect::Race => {
                let times = self.shared.experiment.increments;
                effects.fetch_add(u64::from(times), Ordering::Relaxed);
                for _ in 0..times {
                    let lock = self.shared.experiment.lock.then(|| self.lock_counter());
                    let seen = counter.load(Ordering::Relaxed);
                    // As in any program, others may run between the load and the store.
                    std::thread::yield_now();
                    counter.store(seen + 1, Ordering::Relaxed);
                    drop(lock);
                }
            }
        }
    }

    fn hangs(&self, _: u32, _: Time) {
        self.shared.desk.hang();
        // The hub looks whether anything else can still happen; if not, it stops the run.
        self.shared.tell_hub(HubMessage::Look);
    }

    fn error_text(&self, index: u32) -> String {
        self.shared.experiment.error_text(index)
    }
}

impl Here {
    fn lock_counter(&self) -> MutexGuard<'_, ()> {
        let asked = self.shared.clock.now();
        let lock = self.shared.counter_lock.lock();
        let waited = self.shared.clock.now().since(asked);
        self.shared.lock_wait.fetch_add(waited.0, Ordering::Relaxed);
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    /// A worker on the calling thread, whose lane opens `at`.
    pub(super) fn open(shared: Arc<Shared>, recorder: Recorder, row: u32, at: Time) -> Self {
        let name = shared.worker_name(row);
        let here = Here {
            shared: shared.clone(),
            row,
        };
        let mut worker = Self {
            shared,
            runner: Runner::new(here, recorder),
            row,
            held: Vec::with_capacity(MOST_HELD),
            back: Time::ZERO,
        };
        worker.runner.recorder.tell(
            at,
            Kind::LaneOpened(Box::new(LaneOpened {
                kind: LaneKind::Worker,
                pool: worker.shared.pool(),
                name,
                pid: Some(std::process::id()),
                tid: platform::thread_id(),
            })),
        );
        worker
    }

    /// Works until there is nothing left to do.
    pub(super) fn work(mut self) {
        while !self.shared.halt.is_cancelled() {
            let next = self.shared.queue.try_take().or_else(|| {
                self.hand_in_held();
                self.runner.recorder.quietly(|| self.shared.queue.take())
            });
            let Some(chunk) = next else { break };
            if self.shared.halt.is_cancelled() {
                break;
            }
            if self.serve(chunk).is_break() {
                return;
            }
        }
        self.hand_in_held();
        self.close(self.ended_by_halt());
    }

    /// The run is over; but an executor that gives up kills its workers, busy or not.
    fn ended_by_halt(&self) -> Ended {
        if self.shared.is_broken() {
            Ended::Killed
        } else {
            Ended::Finished
        }
    }

    /// From the begin of the run until the thread lives and its start-up is over.
    pub(super) fn start_up(&mut self) {
        let startup = self.shared.experiment.startup;
        if startup > Nanos::ZERO {
            let until = self.shared.clock.instant(Time::ZERO + startup);
            self.runner
                .recorder
                .quietly(|| self.shared.halt.wait_until(until));
        }
        let span = NamedSpan {
            name: "start-up".to_owned(),
            category: Category::Overhead,
            since: Time::ZERO,
        };
        let at = self.runner.recorder.now();
        self.runner.recorder.tell(at, Kind::Span(Box::new(span)));
    }

    pub(super) fn close(&mut self, ended: Ended) {
        self.close_at(self.runner.recorder.now(), ended);
    }

    fn close_at(&mut self, at: Time, ended: Ended) {
        self.runner.recorder.tell(at, Kind::LaneClosed { ended });
    }

    /// Runs a chunk and hands it in. Breaks if that was the end of this worker, which is told by then.
    pub(super) fn serve(&mut self, chunk: u32) -> ControlFlow<()> {
        let at = self.runner.recorder.now();
        if !self.shared.is_loop {
            self.runner
                .recorder
                .tell(at, Kind::Dequeued { call: CALL, chunk });
        }
        let tasks = self.shared.chunks.tasks(chunk);
        let works = &self.shared.works[tasks.first as usize..tasks.end as usize];
        if !self.held.is_empty() && !works.iter().all(is_short) {
            self.hand_in_held();
        }
        let mut now = at;
        let mut result = ChunkResult::Ok;
        for index in tasks.iter() {
            if result == ChunkResult::Failed {
                self.finish(now, index, Outcome::Skipped);
                continue;
            }
            if index > tasks.first {
                now = self.runner.recorder.now();
            }
            let (ended_at, fate) =
                self.runner
                    .run_task(now, index, self.shared.works[index as usize]);
            now = ended_at;
            match fate {
                Fate::Done => self.finish(now, index, Outcome::Ok),
                Fate::Raised(error) => {
                    let task = TaskId { call: CALL, index };
                    let raised = Raised { task, error };
                    self.runner
                        .recorder
                        .tell(now, Kind::Raised(Box::new(raised)));
                    self.finish(now, index, Outcome::Failed);
                    result = ChunkResult::Failed;
                }
                Fate::Died => {
                    self.die(now, tasks);
                    return Break(());
                }
                Fate::Halted => {
                    if self.shared.is_broken() {
                        self.runner
                            .recorder
                            .tell(now, Kind::Lost { call: CALL, tasks });
                    }
                    self.close_at(now, self.ended_by_halt());
                    return Break(());
                }
            }
        }
        self.hand_in(now, chunk, result);
        Continue(())
    }

    fn finish(&mut self, at: Time, index: u32, outcome: Outcome) {
        let task = TaskId { call: CALL, index };
        let cpu = platform::current_cpu();
        self.runner
            .recorder
            .tell(at, Kind::Finished { task, outcome, cpu });
    }

    fn hand_in(&mut self, finished: Time, chunk: u32, result: ChunkResult) {
        let shared = &self.shared;
        if shared.delivery == Delivery::List {
            self.runner
                .recorder
                .tell(finished, Kind::Returned { call: CALL, chunk });
            self.held.push((chunk, result));
            self.back = finished;
            if self.held.len() == MOST_HELD {
                self.hand_in_held();
            }
            return;
        }
        let handed = shared.desk.hand_in(shared.clock, finished, chunk, result);
        let at = handed.at;
        if !shared.is_loop {
            self.runner
                .recorder
                .tell(at, Kind::Returned { call: CALL, chunk });
        }
        let Some(tasks) = handed.ready else { return };
        self.runner
            .recorder
            .tell(at, Kind::Ready { call: CALL, tasks });
        if self.shared.delivery == Delivery::Callback && result == ChunkResult::Ok {
            self.runner
                .recorder
                .tell(at, Kind::Delivered { call: CALL, tasks });
        }
    }

    /// Hands in what this worker has held back.
    fn hand_in_held(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let Shared { desk, clock, .. } = &*self.shared;
        let handed = desk.hand_in_all(*clock, self.back, self.held.drain(..));
        if let Some(tasks) = handed.ready {
            self.runner
                .recorder
                .tell(handed.at, Kind::Ready { call: CALL, tasks });
        }
    }

    /// The worker dies, and its chunk with it.
    fn die(&mut self, at: Time, chunk: Indexes) {
        let shared = self.shared.clone();
        let lost = Kind::Lost {
            call: CALL,
            tasks: chunk,
        };
        self.runner.recorder.tell(at, lost);
        match shared.experiment.policy {
            Policy::Pool => {
                self.close(Ended::Crashed);
                // In this order: when the caller learns of it, the pool knows already.
                shared.tell_hub(HubMessage::Died { row: self.row });
                shared.desk.lose();
            }
            Policy::Executor => {
                shared.break_down();
                for tasks in shared.desk.give_up() {
                    self.runner
                        .recorder
                        .tell(at, Kind::Ready { call: CALL, tasks });
                }
                self.close(Ended::Crashed);
            }
        }
    }
}

/// True if the task will be over in a moment, whatever happens.
fn is_short(work: &Work) -> bool {
    work.cost < SHORT && !work.io && work.fault.is_none()
}
