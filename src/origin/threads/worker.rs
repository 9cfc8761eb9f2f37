//! A worker: takes chunks, runs their tasks one after another, hands the results in, and tells all of it.

use super::recorder::{Note, Recorder};
use super::task::Fate;
use super::{CALL, Shared};
use crate::call::ChunkResult;
use crate::event::{
    Category, Ended, Indexes, Kind, LaneKind, LaneOpened, NamedSpan, Outcome, Raised, TaskId,
};
use crate::experiment::Policy;
use crate::method::Delivery;
use crate::platform::{self, Spent, ThreadClock};
use crate::time::{Nanos, Time};
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) recorder: Recorder,
    pub(super) clock: Option<ThreadClock>,
    /// The last reading of that clock, and when it was taken.
    pub(super) reading: Option<(Time, Spent)>,
    /// Its place in the pool; one that replaces it has the same.
    pub(super) row: u32,
}

impl Worker {
    /// A worker on the calling thread, whose lane opens `at`.
    pub(super) fn open(shared: Arc<Shared>, recorder: Recorder, row: u32, at: Time) -> Self {
        let name = shared.worker_name(row);
        let mut worker = Self {
            shared,
            recorder,
            clock: ThreadClock::open(),
            reading: None,
            row,
        };
        worker.recorder.tell(
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
            let next = match self.shared.queue.try_take() {
                Some(chunk) => Some(chunk),
                None => self.recorder.quietly(|| self.shared.queue.take()),
            };
            let Some(chunk) = next else { break };
            if self.shared.halt.is_cancelled() {
                break;
            }
            if self.serve(chunk).is_break() {
                return;
            }
        }
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
            self.recorder.quietly(|| self.shared.halt.wait_until(until));
        }
        let span = NamedSpan {
            name: "start-up".to_owned(),
            category: Category::Overhead,
            since: Time::ZERO,
        };
        let at = self.recorder.now();
        self.recorder.tell(at, Kind::Span(Box::new(span)));
    }

    pub(super) fn close(&mut self, ended: Ended) {
        let at = self.recorder.now();
        self.recorder.tell(at, Kind::LaneClosed { ended });
    }

    /// Runs a chunk and hands it in. Breaks if that was the end of this worker, which is told by then.
    pub(super) fn serve(&mut self, chunk: u32) -> ControlFlow<()> {
        let at = self.recorder.now();
        if !self.shared.is_loop {
            self.recorder.tell(at, Kind::Dequeued { call: CALL, chunk });
        }
        let tasks = self.shared.chunks[chunk as usize];
        let mut now = at;
        let mut result = ChunkResult::Ok;
        for index in tasks.iter() {
            if result == ChunkResult::Failed {
                self.finish(now, index, Outcome::Skipped);
                continue;
            }
            if index > tasks.first {
                now = self.recorder.now();
            }
            let (ended_at, fate) = self.run_task(now, index);
            now = ended_at;
            match fate {
                Fate::Done => self.finish(now, index, Outcome::Ok),
                Fate::Raised(error) => {
                    let task = TaskId { call: CALL, index };
                    let raised = Raised { task, error };
                    self.recorder.tell(now, Kind::Raised(Box::new(raised)));
                    self.finish(now, index, Outcome::Failed);
                    result = ChunkResult::Failed;
                }
                Fate::Died => {
                    self.die(now, tasks);
                    return Break(());
                }
                Fate::Halted => {
                    if self.shared.is_broken() {
                        self.recorder.tell(now, Kind::Lost { call: CALL, tasks });
                    }
                    self.close(self.ended_by_halt());
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
        self.recorder
            .tell(at, Kind::Finished { task, outcome, cpu });
    }

    fn hand_in(&mut self, finished: Time, chunk: u32, result: ChunkResult) {
        let shared = &self.shared;
        let handed = shared.desk.hand_in(shared.clock, finished, chunk, result);
        let at = handed.at;
        if !shared.is_loop {
            self.recorder.tell(at, Kind::Returned { call: CALL, chunk });
        }
        let Some(tasks) = handed.ready else { return };
        self.recorder.tell(at, Kind::Ready { call: CALL, tasks });
        if self.shared.delivery == Delivery::Callback && result == ChunkResult::Ok {
            self.recorder
                .tell(at, Kind::Delivered { call: CALL, tasks });
        }
    }

    /// The worker dies, and its chunk with it.
    fn die(&mut self, at: Time, chunk: Indexes) {
        let shared = self.shared.clone();
        let lost = Kind::Lost {
            call: CALL,
            tasks: chunk,
        };
        self.recorder.tell(at, lost);
        match shared.experiment.policy {
            Policy::Pool => {
                self.close(Ended::Crashed);
                // In this order: when the caller learns of it, the pool knows already.
                shared.note(Note::Died { row: self.row });
                shared.desk.lose();
            }
            Policy::Executor => {
                shared.break_down();
                for tasks in shared.desk.give_up() {
                    self.recorder.tell(at, Kind::Ready { call: CALL, tasks });
                }
                self.close(Ended::Crashed);
            }
        }
    }
}
