//! CPUs shared by the tasks that compute, as an ideal scheduler would: all alike, in endlessly small turns.
//!
//! With `r` tasks on `C` processors each advances at the rate `min(1, C / r)`. All that share lose the same
//! amount of work, so one running sum stands for all of them: what a processor has given to each since the
//! run began. A task ends when that sum reaches what it was at its start plus its cost, and the next to
//! end is the top of a heap. Nothing is counted down, and a million tasks cost a million heap operations.

use crate::time::{Nanos, Time};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Parts of a nanosecond in which work is counted: the least common multiple of 1 to 40, so that shares are
/// exact with up to 40 tasks, and off by less than 1e-15 ns with more.
const PARTS: u128 = 5_342_931_457_063_200;

/// Stretches of different rate that are told of one task; more are joined.
const MOST_STRETCHES: usize = 16;

/// See the module.
#[derive(Debug)]
pub(super) struct Processors {
    count: u32,
    now: Time,
    /// Work given to each task that was there all the time, in parts.
    given: u128,
    /// What has been given when a task ends, and its worker.
    sharing: BinaryHeap<Reverse<(u128, usize)>>,
    /// The begin of each stretch with another rate.
    rates: Vec<Rate>,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    since: Time,
    given: u128,
    /// Tasks for each `count` processors, at least `count`.
    sharing: u64,
}

/// Where a task stands in the sums when it starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    at: Time,
    given: u128,
    rates: usize,
}

/// A part of a task's run at one rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) since: Time,
    pub(super) until: Time,
    pub(super) computed: Nanos,
}

impl Processors {
    pub(super) fn new(count: u32) -> Self {
        Self {
            count: count.max(1),
            now: Time::ZERO,
            given: 0,
            sharing: BinaryHeap::new(),
            rates: Vec::new(),
        }
    }

    /// A task with this much to compute is there from now on.
    pub(super) fn start(&mut self, worker: usize, cost: Nanos) -> Mark {
        let ends = self.given + u128::from(cost.0) * PARTS;
        self.sharing.push(Reverse((ends, worker)));
        Mark {
            at: self.now,
            given: self.given,
            rates: self.rates.len(),
        }
    }

    /// Of `count` processors, how many tasks share them.
    fn sharers(&self) -> u64 {
        (self.sharing.len() as u64).max(u64::from(self.count))
    }

    /// When the next task ends if no other comes: rounded up to a whole nanosecond.
    pub(super) fn next_end(&self) -> Time {
        let Some(Reverse((ends, _))) = self.sharing.peek() else {
            return Time::NEVER;
        };
        let left = ends.saturating_sub(self.given) * u128::from(self.sharers());
        let length = left.div_ceil(PARTS * u128::from(self.count));
        self.now + Nanos(u64::try_from(length).unwrap_or(u64::MAX))
    }

    /// Computes up to a moment that is not after [`Processors::next_end`].
    pub(super) fn advance(&mut self, to: Time) {
        let Some(&Reverse((ends, _))) = self.sharing.peek() else {
            self.now = to;
            return;
        };
        let length = to.since(self.now);
        if length == Nanos::ZERO {
            return;
        }
        let sharing = self.sharers();
        if self.rates.last().is_none_or(|rate| rate.sharing != sharing) {
            self.rates.push(Rate {
                since: self.now,
                given: self.given,
                sharing,
            });
        }
        // Rounded up, so that what should end on a whole nanosecond does not end on the next one.
        let share =
            (u128::from(length.0) * u128::from(self.count) * PARTS).div_ceil(u128::from(sharing));
        self.given = (self.given + share).min(ends);
        self.now = to;
    }

    /// The workers whose tasks end now; those with equal work left end together.
    pub(super) fn take_ended(&mut self, workers: &mut Vec<usize>) {
        while let Some(&Reverse((ends, worker))) = self.sharing.peek() {
            if ends > self.given {
                return;
            }
            self.sharing.pop();
            workers.push(worker);
        }
    }

    /// How a task that started at `mark` ran until now, in stretches of one rate each. They follow one
    /// another without gaps, and what they computed adds up to what the task was given.
    pub(super) fn stretches(&self, mark: &Mark) -> impl Iterator<Item = Stretch> {
        let changes = &self.rates[mark.rates..];
        let changes = &changes[changes.partition_point(|rate| rate.since <= mark.at)..];
        let step = changes.len().div_ceil(MOST_STRETCHES - 1).max(1);
        let cuts = changes
            .iter()
            .step_by(step)
            .map(|rate| (rate.since, rate.given));
        let mark = *mark;
        let mut last = (mark.at, Nanos::ZERO);
        cuts.chain([(self.now, self.given)])
            .map(move |(until, given)| {
                let computed = Nanos(((given - mark.given) / PARTS) as u64);
                let stretch = Stretch {
                    since: last.0,
                    until,
                    computed: computed.saturating_sub(last.1),
                };
                last = (until, computed);
                stretch
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs until the next task ends and says when, and whose.
    fn next(processors: &mut Processors) -> (u64, Vec<usize>) {
        processors.advance(processors.next_end());
        let mut ended = Vec::new();
        processors.take_ended(&mut ended);
        (processors.now.0, ended)
    }

    #[test]
    fn an_end_is_rounded_up_and_equal_work_ends_together() {
        let mut processors = Processors::new(2);
        for (worker, cost) in [(0, 10), (1, 10), (2, 11)] {
            processors.start(worker, Nanos(cost));
        }
        // Three on two: 10 ns of work take 15 ns, and all three have lost as much.
        assert_eq!(next(&mut processors), (15, vec![0, 1]));
        assert_eq!(next(&mut processors), (16, vec![2]));
        let mut thirds = Processors::new(3);
        for worker in 0..4 {
            thirds.start(worker, Nanos(1));
        }
        assert_eq!(next(&mut thirds), (2, vec![0, 1, 2, 3]));
    }

    #[test]
    fn the_stretches_of_a_task_change_with_the_rate_and_add_up_to_its_cost() {
        let mut processors = Processors::new(1);
        let mark = processors.start(0, Nanos(10));
        processors.advance(Time(4));
        processors.start(1, Nanos(3));
        // The second comes and goes: 4 ns alone, 6 ns shared, 3 ns alone.
        assert_eq!(next(&mut processors), (10, vec![1]));
        assert_eq!(next(&mut processors), (13, vec![0]));
        let stretches: Vec<_> = processors
            .stretches(&mark)
            .map(|stretch| (stretch.since.0, stretch.until.0, stretch.computed.0))
            .collect();
        assert_eq!(stretches, [(0, 4, 4), (4, 10, 3), (10, 13, 3)]);
    }

    #[test]
    fn a_task_whose_rate_changes_all_the_time_is_told_in_few_stretches() {
        let mut processors = Processors::new(1);
        let mark = processors.start(0, Nanos(10_000));
        for _ in 0..1_000 {
            processors.start(1, Nanos(1));
            next(&mut processors);
            processors.advance(processors.now + Nanos(1));
        }
        next(&mut processors);
        let stretches: Vec<_> = processors.stretches(&mark).collect();
        assert!(stretches.len() <= MOST_STRETCHES);
        let computed: u64 = stretches.iter().map(|stretch| stretch.computed.0).sum();
        assert_eq!(computed, 10_000);
    }
}
