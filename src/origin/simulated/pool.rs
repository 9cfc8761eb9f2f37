//! The workers of a simulated run: they take chunks, run their tasks, fail and die.

use super::processors::Mark;
use super::{CALL, CALLER, Simulation, ready, task};
use crate::call::ChunkResult;
use crate::event::{CpuId, Ended, Event, Kind, LaneId, LaneKind, Outcome, Raised, Ran};
use crate::experiment::{CounterEffect, FaultKind, MemoryModel, Policy};
use crate::method::Delivery;
use crate::time::{Nanos, Span, Time};
use std::cmp::Reverse;

/// A place in the pool. A new worker on the same place has a lane of its own.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) lane: LaneId,
    name: String,
    running: Option<Running>,
    /// Tasks whose effect on the counter was made here and not lost.
    pub(super) effects: u64,
}

/// A task on a worker.
#[derive(Debug)]
struct Running {
    chunk: u32,
    task: u32,
    since: Time,
    progress: Progress,
}

#[derive(Debug)]
enum Progress {
    Computing(Mark),
    Waiting(Time),
    /// It has done its work and will never return.
    Hanging(Time),
}

impl Worker {
    pub(super) fn new(lane: LaneId, name: String) -> Self {
        Self {
            lane,
            name,
            running: None,
            effects: 0,
        }
    }
}

impl Simulation<'_> {
    /// Free workers take the chunks that wait; true if one did.
    pub(super) fn take_chunks(&mut self) -> bool {
        let before = self.taken;
        while !self.broken && self.taken < self.dispatcher.sent {
            let Some(Reverse((_, worker))) = self.idle.pop() else {
                break;
            };
            let chunk = self.taken;
            self.taken += 1;
            if self.has_pool() {
                let call = CALL;
                self.tell(self.workers[worker].lane, Kind::Dequeued { call, chunk });
            }
            self.start(worker, chunk, self.collector.chunks().tasks(chunk).first);
        }
        self.taken > before
    }

    fn start(&mut self, worker: usize, chunk: u32, index: u32) {
        let work = self.work[index as usize];
        if !work.enters {
            return self.fail(worker, chunk, index, None);
        }
        let lane = self.workers[worker].lane;
        let (progress, cpu) = if work.io {
            self.waits.push(Reverse((self.now + work.cost, worker)));
            (Progress::Waiting(self.now), None)
        } else {
            let mark = self.processors.start(worker, work.cost);
            let cpu = self.slices.start(worker, lane, task(index), self.now);
            (Progress::Computing(mark), cpu)
        };
        self.workers[worker].running = Some(Running {
            chunk,
            task: index,
            since: self.now,
            progress,
        });
        let task = task(index);
        self.tell(lane, Kind::Started { task, cpu });
    }

    /// The tasks whose work is done at this moment.
    pub(super) fn end_tasks(&mut self) {
        if self.broken {
            return;
        }
        let mut ended = Vec::new();
        self.processors.take_ended(&mut ended);
        while let Some(&Reverse((end, worker))) = self.waits.peek() {
            if end > self.now {
                break;
            }
            self.waits.pop();
            ended.push(worker);
        }
        // None of them is the first; what follows from each follows in the order of submission.
        ended.sort_unstable_by_key(|&worker| {
            let running = self.workers[worker].running.as_ref();
            running.map(|running| running.task)
        });
        for worker in ended {
            self.end_task(worker);
            if self.broken {
                return;
            }
        }
    }

    fn end_task(&mut self, worker: usize) {
        let Some(running) = self.workers[worker].running.take() else {
            return;
        };
        let (chunk, index) = (running.chunk, running.task);
        let lane = self.workers[worker].lane;
        self.account(lane, &running);
        let cpu = self.slices.stop(worker, self.now, &mut self.events);
        let fault = self.work[index as usize].fault;
        if fault == Some(FaultKind::Hang) {
            self.workers[worker].running = Some(Running {
                progress: Progress::Hanging(self.now),
                ..running
            });
            return;
        }
        self.workers[worker].effects += 1;
        if self.experiment.effect == CounterEffect::Race {
            self.racing.push(Span::new(running.since, self.now));
        }
        match fault {
            Some(FaultKind::Die) => self.die(worker, chunk),
            Some(FaultKind::Raise) => self.fail(worker, chunk, index, cpu),
            _ => {
                let (task, outcome) = (task(index), Outcome::Ok);
                self.tell(lane, Kind::Finished { task, outcome, cpu });
                if self.collector.chunks().tasks(chunk).contains(index + 1) {
                    self.start(worker, chunk, index + 1);
                } else {
                    self.give_back(worker, chunk, ChunkResult::Ok);
                }
            }
        }
    }

    /// A task has raised: the rest of its chunk is never entered.
    fn fail(&mut self, worker: usize, chunk: u32, index: u32, cpu: Option<CpuId>) {
        let lane = self.workers[worker].lane;
        let raised = Raised {
            task: task(index),
            error: self.experiment.error_text(index),
        };
        self.tell(lane, Kind::Raised(Box::new(raised)));
        let rest = index..self.collector.chunks().tasks(chunk).end;
        for skipped in rest {
            let (outcome, cpu) = if skipped == index {
                (Outcome::Failed, cpu)
            } else {
                (Outcome::Skipped, None)
            };
            let task = task(skipped);
            self.tell(lane, Kind::Finished { task, outcome, cpu });
        }
        self.give_back(worker, chunk, ChunkResult::Failed);
    }

    fn give_back(&mut self, worker: usize, chunk: u32, result: ChunkResult) {
        self.idle.push(Reverse((Some(self.now), worker)));
        if self.has_pool() {
            self.tell(CALLER, Kind::Returned { call: CALL, chunk });
        }
        let Some(tasks) = self.collector.returned(chunk, result) else {
            return;
        };
        self.tell(CALLER, ready(tasks));
        // A callback is run by whoever receives the result, whatever the main program does.
        let callback = self.experiment.method.rules().delivery == Delivery::Callback;
        if callback && result == ChunkResult::Ok {
            self.tell(CALLER, Kind::Delivered { call: CALL, tasks });
        }
    }

    /// The worker dies with its chunk.
    fn die(&mut self, worker: usize, chunk: u32) {
        self.close_lane(self.workers[worker].lane, Ended::Crashed);
        self.lose(chunk);
        if self.experiment.policy == Policy::Executor {
            return self.give_up(worker);
        }
        let name = self.workers[worker].name.clone();
        let lane = self.open_lane(LaneKind::Worker, name.clone());
        let effects = self.workers[worker].effects;
        self.workers[worker] = Worker::new(lane, name);
        if self.is_shared() {
            self.workers[worker].effects = effects;
        }
        self.idle.push(Reverse((Some(self.now), worker)));
    }

    /// The executor stops all its workers, and everything that is outstanding fails.
    fn give_up(&mut self, dead: usize) {
        self.broken = true;
        if !self.is_shared() {
            self.workers[dead].effects = 0;
        }
        for worker in (0..self.workers.len()).filter(|&worker| worker != dead) {
            let lane = self.workers[worker].lane;
            if let Some(running) = self.workers[worker].running.take() {
                self.account(lane, &running);
                self.slices.stop(worker, self.now, &mut self.events);
                self.lose(running.chunk);
            }
            self.close_lane(lane, Ended::Killed);
        }
        for tasks in self.collector.give_up() {
            if tasks.end <= self.main.submitted {
                self.tell(CALLER, ready(tasks));
            }
        }
    }

    fn lose(&mut self, chunk: u32) {
        let tasks = self.collector.chunks().tasks(chunk);
        self.tell(CALLER, Kind::Lost { call: CALL, tasks });
    }

    /// Tells how a task has run until now.
    fn account(&mut self, lane: LaneId, running: &Running) {
        let id = task(running.task);
        let ran = |since, on_cpu, waiting, useful_wait| {
            Kind::Ran(Box::new(Ran {
                task: id,
                since,
                on_cpu,
                waiting,
                useful_wait,
                cpu: None,
                moved_to: None,
            }))
        };
        match &running.progress {
            Progress::Computing(mark) => {
                for stretch in self.processors.stretches(mark) {
                    let rest = stretch
                        .until
                        .since(stretch.since)
                        .saturating_sub(stretch.computed);
                    // Who waits for the lock of the interpreter is blocked; there may be a free CPU.
                    let waiting = if self.experiment.gil {
                        Nanos::ZERO
                    } else {
                        rest
                    };
                    self.events.push(Event {
                        at: stretch.until,
                        lane,
                        kind: ran(stretch.since, stretch.computed, waiting, Nanos::ZERO),
                    });
                }
            }
            &Progress::Waiting(since) => {
                let waited = self.now.since(since);
                self.tell(lane, ran(since, Nanos::ZERO, Nanos::ZERO, waited));
            }
            &Progress::Hanging(since) => {
                if self.now > since {
                    self.tell(lane, ran(since, Nanos::ZERO, Nanos::ZERO, Nanos::ZERO));
                }
            }
        }
    }

    /// The run is over for those workers that still live.
    pub(super) fn close_workers(&mut self) {
        if self.broken {
            return;
        }
        for worker in 0..self.workers.len() {
            let lane = self.workers[worker].lane;
            if let Some(running) = self.workers[worker].running.take() {
                self.account(lane, &running);
            }
            self.close_lane(lane, Ended::Finished);
        }
    }

    /// There is one G, which outlives every worker.
    fn is_shared(&self) -> bool {
        self.experiment.memory_model() == MemoryModel::Shared
    }
}
