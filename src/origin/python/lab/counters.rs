//! What the tasks of the lab did to the counter: the script tells of each copy.

use crate::event::{Counter, Kind};
use crate::experiment::{CounterEffect, Experiment};
use crate::origin::simulated::race;
use crate::time::Span;
use std::collections::HashMap;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Tasks that ended.
    ran: Vec<Span>,
    /// What is known of the counter of each process, by pid, after the last of its tasks.
    copies: HashMap<u32, u64>,
    /// G in the main program, and the sum over all copies.
    end: Option<(u64, u64)>,
}

impl Counters {
    /// A task ran.
    pub(super) fn ran(&mut self, span: Span) {
        self.ran.push(span);
    }

    /// The counter of this process after a task of it.
    pub(super) fn counted(&mut self, pid: u32, counter: u64) {
        let last = self.copies.entry(pid).or_default();
        *last = counter.max(*last);
    }

    /// The counter of the main program, of this pid, after all tasks.
    pub(super) fn close(&mut self, pid: u32, counter: u64) {
        // Threads share it.
        let shared = self.copies.contains_key(&pid);
        let sum = || self.copies.values().sum();
        self.end = Some((counter, if shared { counter } else { sum() }));
    }

    /// What is to be told of it, if all of it is known.
    pub(super) fn told(&self, experiment: &Experiment) -> Vec<Kind> {
        let Some((of_main, sum)) = self.end else {
            return Vec::new();
        };
        let races = experiment.effect == CounterEffect::Race;
        let times = u64::from(experiment.increments);
        let bounds = races.then(|| race::bounds(&self.ran, times, experiment.lock));
        let counter = Counter {
            main: of_main,
            sum,
            bounds,
            lock_wait: None,
        };
        let told = counter.samples();
        told.map(|sample| Kind::Sample(Box::new(sample))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_add_up_where_processes_have_their_own() {
        let mut counters = Counters::default();
        for (pid, counter) in [(8, 1), (9, 2), (8, 3), (9, 1)] {
            counters.counted(pid, counter);
        }
        counters.close(7, 0);
        assert_eq!(counters.end, Some((0, 5)));
        counters.close(8, 4);
        assert_eq!(counters.end, Some((4, 4)));
    }
}
