//! What becomes of the counter G: copies, lost updates, and what a lock makes of them.
//!
//! An increment is two steps, load and store. A task may make its increments at any moments between its begin
//! and its end: the steps of tasks that run side by side may be mixed in any way, each as likely as any
//! other, and those of tasks of which one ends before the other begins may not. A run draws such moments.

mod least;

use crate::event::Counter;
use crate::time::Span;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// One G that everybody writes to without disturbing the others.
pub(super) fn shared(increments: &[u64]) -> Counter {
    let sum = increments.iter().sum();
    Counter {
        main: sum,
        sum,
        ..Counter::default()
    }
}

/// A copy of G for each worker; that of the main program stays 0.
pub(super) fn separate(increments: &[u64]) -> Counter {
    Counter {
        main: 0,
        ..shared(increments)
    }
}

/// One G to which each task adds so many `times`, and one interleaving of their steps, drawn from the
/// seed. A lock makes one step of an increment. Of tasks that take no time the first comes first.
pub(super) fn race(tasks: &[Span], times: u64, locked: bool, seed: u64) -> Counter {
    let bounds = bounds(tasks, times, locked);
    let main = if locked {
        bounds.1
    } else {
        play(tasks, times, seed)
    };
    Counter {
        main,
        sum: main,
        bounds: Some(bounds),
        lock_wait: None,
    }
}

/// The least and the greatest G of all interleavings. A lock makes one step of an increment.
pub(in crate::origin) fn bounds(tasks: &[Span], times: u64, locked: bool) -> (u64, u64) {
    let sum = tasks.len() as u64 * times;
    let least = if locked {
        sum
    } else {
        least::least(tasks, times)
    };
    (least, sum)
}

/// G after all steps, each at a moment drawn from those of its task.
fn play(tasks: &[Span], times: u64, seed: u64) -> u64 {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // The costs of the tasks come from stream 0.
    random.set_stream(1);
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    order.sort_by_key(|&task| tasks[task].start());
    let mut counter = 0;
    let mut under_way: BinaryHeap<Reverse<Next>> = BinaryHeap::new();
    for (place, &task) in order.iter().enumerate() {
        let span = tasks[task];
        // What comes before it begins can be played.
        let begin = u128::from(span.start().0) << 64;
        while under_way.peek().is_some_and(|next| next.0.at < begin) {
            step(&mut under_way, &mut counter);
        }
        let length = u128::from(span.length().0);
        let mut left: Vec<u128> = (0..2 * times)
            .map(|_| begin + length * u128::from(random.random::<u64>()))
            .collect();
        // The earliest is the last, to be taken off.
        left.sort_unstable_by_key(|&at| Reverse(at));
        if let Some(at) = left.pop() {
            let loaded = None;
            under_way.push(Reverse(Next {
                at,
                place,
                left,
                loaded,
            }));
        }
    }
    while !under_way.is_empty() {
        step(&mut under_way, &mut counter);
    }
    counter
}

/// The next step of a task: when, in 2^64ths of a nanosecond, and those after it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    at: u128,
    place: usize,
    left: Vec<u128>,
    /// What its increment has loaded, if it has.
    loaded: Option<u64>,
}

/// The earliest step of all: in turn a load and a store.
fn step(under_way: &mut BinaryHeap<Reverse<Next>>, counter: &mut u64) {
    let Some(Reverse(mut next)) = under_way.pop() else {
        return;
    };
    match next.loaded.take() {
        None => next.loaded = Some(*counter),
        Some(loaded) => *counter = loaded + 1,
    }
    if let Some(at) = next.left.pop() {
        next.at = at;
        under_way.push(Reverse(next));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;
    use std::collections::{BTreeMap, BTreeSet};

    /// Tasks from and to these moments.
    fn spans(tasks: &[(u64, u64)]) -> Vec<Span> {
        let span = |&(start, end): &(u64, u64)| Span::new(Time(start), Time(end));
        tasks.iter().map(span).collect()
    }

    /// Every interleaving of these tasks, step by step: which comes after which, and G at the end of each.
    struct Interleavings<'a> {
        tasks: &'a [Span],
        steps: u64,
        endings: BTreeMap<u64, u32>,
        seen: BTreeSet<(Vec<(u64, u64)>, u64)>,
        counts_all: bool,
    }

    impl Interleavings<'_> {
        /// `done`: of each task how many steps it has made, and what it loaded last.
        fn go(&mut self, done: &mut Vec<(u64, u64)>, counter: u64) {
            if !self.counts_all && !self.seen.insert((done.clone(), counter)) {
                return;
            }
            if done.iter().all(|task| task.0 == self.steps) {
                *self.endings.entry(counter).or_default() += 1;
            }
            for task in 0..done.len() {
                let (span, before) = (self.tasks[task], done[task]);
                // One that ended before this begins has made all its steps; of those that take no time
                // the first comes first, and nobody gets between its steps.
                let waits = (0..done.len()).any(|other| {
                    let (ended, left) = (self.tasks[other], done[other].0 < self.steps);
                    let same = (ended.start(), ended.end()) == (span.start(), span.end());
                    let earlier = ended.end() <= span.start() && (!same || other < task);
                    let inside = ended.length().0 == 0 && done[other].0 > 0 && left;
                    other != task && (left && earlier || inside)
                });
                if before.0 == self.steps || waits {
                    continue;
                }
                let is_load = before.0 % 2 == 0;
                let loaded = if is_load { counter } else { before.1 };
                done[task] = (before.0 + 1, loaded);
                self.go(done, if is_load { counter } else { loaded + 1 });
                done[task] = before;
            }
        }
    }

    /// How many interleavings end in which G; without counting, it is a matter of moments.
    fn endings(tasks: &[Span], times: u64, counts_all: bool) -> BTreeMap<u64, u32> {
        let mut all = Interleavings {
            tasks,
            steps: 2 * times,
            endings: BTreeMap::new(),
            seen: BTreeSet::new(),
            counts_all,
        };
        all.go(&mut vec![(0, 0); tasks.len()], 0);
        all.endings
    }

    #[test]
    fn two_times_three_increments_have_924_interleavings() {
        let expected = [(2, 8), (3, 300), (4, 416), (5, 180), (6, 20)];
        let tasks = spans(&[(0, 9), (0, 9)]);
        assert_eq!(endings(&tasks, 3, true), BTreeMap::from(expected));
    }

    #[test]
    fn the_bounds_are_those_of_all_interleavings() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for round in 0..300_u64 {
            let times = 1 + round % 3;
            let tasks: Vec<(u64, u64)> = (0..=random.random_range(0..6 - times))
                .map(|_| {
                    let start = random.random_range(0..8);
                    (start, start + random.random_range(0..5))
                })
                .collect();
            let spans = spans(&tasks);
            let endings = endings(&spans, times, false);
            let all = (
                *endings.first_key_value().unwrap().0,
                *endings.last_key_value().unwrap().0,
            );
            assert_eq!(bounds(&spans, times, false), all, "{times} times {tasks:?}");
            let drawn = race(&spans, times, false, round).main;
            assert!(
                endings.contains_key(&drawn),
                "{drawn}: {times} times {tasks:?}"
            );
        }
    }

    #[test]
    fn tasks_that_do_not_overlap_lose_nothing() {
        for tasks in [
            &[(0, 5), (5, 10), (10, 10), (10, 12)][..],
            &[(3, 3), (3, 3)],
        ] {
            let counters = race(&spans(tasks), 3, false, 1);
            let sum = 3 * tasks.len() as u64;
            assert_eq!(counters.main, sum);
            assert_eq!(counters.bounds, Some((sum, sum)));
        }
    }

    #[test]
    fn every_interleaving_is_drawn_as_often_as_any_other() {
        let runs = 9_240_u32;
        let tasks = spans(&[(0, 9), (0, 9)]);
        let mut drawn: BTreeMap<u64, u32> = BTreeMap::new();
        for seed in 0..runs {
            let main = race(&tasks, 3, false, u64::from(seed)).main;
            *drawn.entry(main).or_default() += 1;
        }
        for (value, count) in endings(&tasks, 3, true) {
            let expected = f64::from(count) * f64::from(runs) / 924.0;
            let seen = f64::from(drawn.get(&value).copied().unwrap_or(0));
            // Five standard deviations.
            assert!(
                (seen - expected).abs() < 5.0 * expected.sqrt(),
                "{value}: {seen} of {expected}"
            );
        }
    }

    #[test]
    fn a_lock_loses_nothing() {
        assert_eq!(race(&spans(&[(0, 9), (0, 9)]), 3, true, 1).main, 6);
        assert_eq!(separate(&[2, 2, 2, 2]).main, 0);
        assert_eq!(separate(&[2, 2, 2, 2]).sum, 8);
    }
}
