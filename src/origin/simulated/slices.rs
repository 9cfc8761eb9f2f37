//! Which task is on which CPU, for display: turns of one slice each, round robin.
//!
//! The ideal sharing of [`super::processors`] decides when tasks end; nothing here has a say in that. While
//! there is a CPU for every task, each takes the lowest free one and keeps it. With more tasks than CPUs
//! the one that waits longest takes the place of the one whose slice is over; slices are staggered, so that
//! everybody waits equally often and nobody is moved without need.

use crate::event::{CpuId, Event, Kind, LaneId, OnCpu, TaskId};
use crate::time::{Nanos, Time};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// Slices of one run: a longer run has longer ones.
const MOST_SLICES: u64 = 200_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Slices {
    slice: Nanos,
    turns: Vec<Option<Turn>>,
    free: BinaryHeap<Reverse<usize>>,
    /// Ends of slices by time, with their CPU; what no longer agrees with `turns` is void.
    ends: BinaryHeap<Reverse<(Time, usize)>>,
    /// Workers whose tasks wait for a CPU, with the number of the task; void once that has ended.
    queue: VecDeque<(usize, u32)>,
    waiting: usize,
    /// By worker.
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    worker: usize,
    lane: LaneId,
    task: TaskId,
    since: Time,
    ends: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Away,
    Waiting(LaneId, TaskId),
    On(usize),
}

impl Slices {
    /// For tasks of these costs, all of which compute.
    pub(super) fn new(cpus: u32, workers: usize, costs: impl Iterator<Item = Nanos>) -> Self {
        let (count, work) = costs.fold((0, Nanos::ZERO), |(count, sum), cost| {
            (count + 1_u64, sum + cost)
        });
        let twentieth = work.0 / (count.max(1) * 20);
        Self {
            slice: Nanos(twentieth.max(work.0 / MOST_SLICES).max(1)),
            turns: vec![None; cpus as usize],
            free: (0..cpus as usize).map(Reverse).collect(),
            ends: BinaryHeap::new(),
            queue: VecDeque::new(),
            waiting: 0,
            places: vec![Place::Away; workers],
        }
    }

    /// Plays the turns that end before `to`.
    pub(super) fn advance(&mut self, to: Time, events: &mut Vec<Event>) {
        while self.waiting > 0 {
            let Some(&Reverse((at, cpu))) = self.ends.peek() else {
                return;
            };
            if at >= to {
                return;
            }
            self.ends.pop();
            let Some(turn) = self.turns[cpu].filter(|turn| turn.ends == at) else {
                continue;
            };
            self.leave(cpu, at, events);
            self.places[turn.worker] = Place::Waiting(turn.lane, turn.task);
            self.queue.push_back((turn.worker, turn.task.index));
            self.waiting += 1;
            self.seat_next(cpu, at);
        }
    }

    /// A task has begun to compute: its CPU, if there is one for it.
    pub(super) fn start(
        &mut self,
        worker: usize,
        lane: LaneId,
        task: TaskId,
        at: Time,
    ) -> Option<CpuId> {
        if let Some(Reverse(cpu)) = self.free.pop() {
            self.seat(cpu, worker, lane, task, at);
            return Some(CpuId(cpu as u16));
        }
        self.places[worker] = Place::Waiting(lane, task);
        self.queue.push_back((worker, task.index));
        self.waiting += 1;
        if self.waiting == 1 {
            self.stagger(at);
        }
        None
    }

    /// The task of this worker has ended: the CPU it was on, if it was on one.
    pub(super) fn stop(
        &mut self,
        worker: usize,
        at: Time,
        events: &mut Vec<Event>,
    ) -> Option<CpuId> {
        match std::mem::replace(&mut self.places[worker], Place::Away) {
            Place::Away => None,
            Place::Waiting(..) => {
                self.waiting -= 1;
                None
            }
            Place::On(cpu) => {
                self.leave(cpu, at, events);
                if self.waiting > 0 {
                    self.seat_next(cpu, at);
                } else {
                    self.free.push(Reverse(cpu));
                }
                Some(CpuId(cpu as u16))
            }
        }
    }

    fn leave(&mut self, cpu: usize, at: Time, events: &mut Vec<Event>) {
        if let Some(turn) = self.turns[cpu].take().filter(|turn| turn.since < at) {
            events.push(Event {
                at,
                lane: turn.lane,
                kind: Kind::OnCpu(Box::new(OnCpu {
                    task: turn.task,
                    since: turn.since,
                    cpu: CpuId(cpu as u16),
                })),
            });
        }
    }

    fn seat_next(&mut self, cpu: usize, at: Time) {
        while let Some((worker, index)) = self.queue.pop_front() {
            if let Place::Waiting(lane, task) = self.places[worker]
                && task.index == index
            {
                self.waiting -= 1;
                self.seat(cpu, worker, lane, task, at);
                return;
            }
        }
    }

    fn seat(&mut self, cpu: usize, worker: usize, lane: LaneId, task: TaskId, at: Time) {
        let ends = at + self.slice;
        self.places[worker] = Place::On(cpu);
        self.turns[cpu] = Some(Turn {
            worker,
            lane,
            task,
            since: at,
            ends,
        });
        self.ends.push(Reverse((ends, cpu)));
        if self.ends.len() > 4 * self.turns.len() + 16 {
            self.list_ends();
        }
    }

    /// From here on tasks wait. Slices that were over while nobody waited end one by one, not all at once.
    fn stagger(&mut self, at: Time) {
        while let Some(&Reverse((ends, cpu))) = self.ends.peek() {
            if ends > at {
                return;
            }
            if self.turns[cpu].is_some_and(|turn| turn.ends == ends) {
                break;
            }
            self.ends.pop();
        }
        let cpus = self.turns.len() as u64;
        for (cpu, turn) in (1..).zip(&mut self.turns) {
            if let Some(turn) = turn.as_mut().filter(|turn| turn.ends <= at) {
                turn.ends = at + Nanos((self.slice.0 * cpu / cpus).max(1));
            }
        }
        self.list_ends();
    }

    fn list_ends(&mut self) {
        let turns = self.turns.iter().enumerate();
        self.ends = turns
            .filter_map(|(cpu, turn)| turn.map(|turn| Reverse((turn.ends, cpu))))
            .collect();
    }
}
