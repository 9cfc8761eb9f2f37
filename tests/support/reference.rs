//! A slow model of a pool without faults, written down as the rules are: everything that runs is counted
//! down from event to event.

use parviz::experiment::Experiment;
use parviz::method::{Delivery, Sends};
use parviz::workload::{self, Work};
use std::ops::Range;

/// The least common multiple of 1 to 16: work is counted in these parts of a nanosecond.
const PARTS: u128 = 720_720;

pub(crate) struct Model {
    pub(crate) tasks: Vec<Task>,
    pub(crate) finished: Vec<u32>,
}

#[derive(Clone, Default)]
pub(crate) struct Task {
    pub(crate) started: u64,
    pub(crate) finished: u64,
    pub(crate) ready: u64,
    pub(crate) delivered: u64,
}

struct Worker {
    /// Chunk, task, and what is left of it.
    running: Option<(usize, usize, u128)>,
    idle_since: i128,
}

struct Pool<'a> {
    experiment: &'a Experiment,
    work: Vec<Work>,
    chunks: Vec<Range<usize>>,
    workers: Vec<Worker>,
    /// The next chunk to be taken.
    next: usize,
    begin: u64,
    dispatch: u64,
    /// When the last chunk came back.
    previous: u64,
    now: u64,
}

pub(crate) fn run(experiment: &Experiment) -> Model {
    let work = workload::tasks(experiment);
    let size = experiment.real_chunksize().max(1) as usize;
    let is_loop = experiment.method.rules().sends == Sends::Nothing;
    let begin = experiment.startup.0 + experiment.serial.0;
    let mut tasks = vec![Task::default(); work.len()];
    let mut pool = Pool {
        experiment,
        chunks: (0..work.len())
            .step_by(size)
            .map(|first| first..(first + size).min(work.len()))
            .collect(),
        workers: (0..experiment.running_workers())
            .map(|_| Worker {
                running: None,
                idle_since: -1,
            })
            .collect(),
        work,
        next: 0,
        begin,
        dispatch: if is_loop { 0 } else { experiment.dispatch.0 },
        previous: begin,
        now: 0,
    };
    let mut finished = Vec::new();
    let mut returned = vec![0; pool.chunks.len()];
    loop {
        pool.assign(&mut tasks);
        let Some(step) = pool.next_step() else { break };
        pool.go_on(step, &mut tasks, &mut finished, &mut returned);
    }
    deliver(experiment, &pool.chunks, &returned, begin, &mut tasks);
    Model { tasks, finished }
}

impl Pool<'_> {
    fn running(&self) -> impl Iterator<Item = (usize, usize, u128)> {
        self.workers.iter().filter_map(|worker| worker.running)
    }

    /// When the next chunk can be taken, if it can at all.
    fn available(&self) -> Option<u64> {
        if self.next == self.chunks.len() {
            None
        } else if self.experiment.method.rules().one_at_a_time {
            (self.running().count() == 0).then_some(self.previous + self.dispatch)
        } else {
            Some(self.begin + self.dispatch * (self.next as u64 + 1))
        }
    }

    fn left(&self, task: usize) -> u128 {
        u128::from(self.work[task].cost.0) * PARTS
    }

    fn assign(&mut self, tasks: &mut [Task]) {
        let mut free: Vec<usize> = (0..self.workers.len())
            .filter(|&worker| self.workers[worker].running.is_none())
            .collect();
        free.sort_by_key(|&worker| (self.workers[worker].idle_since, worker));
        for worker in free {
            if self.available().is_some_and(|at| at <= self.now) {
                let task = self.chunks[self.next].start;
                tasks[task].started = self.now;
                self.workers[worker].running = Some((self.next, task, self.left(task)));
                self.next += 1;
            }
        }
    }

    /// Processors, and how many tasks share them.
    fn rate(&self) -> (u128, u128) {
        let processors = if self.experiment.gil {
            1
        } else {
            u128::from(self.experiment.simulated_cpus())
        };
        let computing = self.running().filter(|running| !self.work[running.1].io);
        (processors, processors.max(computing.count() as u128))
    }

    /// The time until a task ends or a chunk is taken.
    fn next_step(&self) -> Option<u64> {
        let (processors, sharing) = self.rate();
        let ends = self.running().map(|(_, task, left)| {
            if self.work[task].io {
                left.div_ceil(PARTS) as u64
            } else {
                (left * sharing).div_ceil(processors * PARTS) as u64
            }
        });
        let is_free = self.workers.iter().any(|worker| worker.running.is_none());
        let arrival = self.available().filter(|_| is_free);
        ends.chain(arrival.map(|at| at - self.now)).min()
    }

    fn go_on(
        &mut self,
        step: u64,
        tasks: &mut [Task],
        finished: &mut Vec<u32>,
        returned: &mut [u64],
    ) {
        // All that share lose the same: what time gives, but not more than the least of them has left.
        let (processors, sharing) = self.rate();
        let computing = self.running().filter(|running| !self.work[running.1].io);
        let least = computing.map(|running| running.2).min().unwrap_or_default();
        let lost = (u128::from(step) * PARTS * processors / sharing).min(least);
        self.now += step;
        let before = finished.len();
        for worker in 0..self.workers.len() {
            let Some((chunk, task, mut left)) = self.workers[worker].running else {
                continue;
            };
            left -= if self.work[task].io {
                u128::from(step) * PARTS
            } else {
                lost
            };
            self.workers[worker].running = Some((chunk, task, left));
            if left > 0 {
                continue;
            }
            tasks[task].finished = self.now;
            finished.push(task as u32);
            if task + 1 < self.chunks[chunk].end {
                tasks[task + 1].started = self.now;
                self.workers[worker].running = Some((chunk, task + 1, self.left(task + 1)));
            } else {
                (returned[chunk], self.previous) = (self.now, self.now);
                self.workers[worker] = Worker {
                    running: None,
                    idle_since: i128::from(self.now),
                };
            }
        }
        finished[before..].sort_unstable();
    }
}

fn deliver(
    experiment: &Experiment,
    chunks: &[Range<usize>],
    returned: &[u64],
    begin: u64,
    tasks: &mut [Task],
) {
    let rules = experiment.method.rules();
    let own_work = experiment.main_work_length(&[], 1).0;
    let free = if rules.blocks { 0 } else { begin + own_work };
    let all = returned.iter().copied().max().unwrap_or(0);
    let mut latest = 0;
    for (chunk, &back) in chunks.iter().zip(returned) {
        latest = latest.max(back);
        let ready = match rules.delivery {
            Delivery::List => all,
            Delivery::InOrder => latest,
            Delivery::AsFinished | Delivery::Callback | Delivery::Value => back,
        };
        let delivered = if rules.delivery == Delivery::Callback {
            ready
        } else {
            ready.max(free)
        };
        for task in &mut tasks[chunk.clone()] {
            (task.ready, task.delivered) = (ready, delivered);
        }
    }
}
