//! The least that a race can leave in G.
//!
//! The last store of all adds 1 to what its increment has loaded, which is what another one stored, and so
//! on down to one that loaded 0. So G is the length of a chain of increments, each from its load to its
//! store, one after the other; what all others store must lie within one of them, or it would be the last
//! before the next load. The least G is the length of the shortest such chain.
//!
//! A link can be as long as its task. A task is out of the way if a link of another one overlaps it: there it
//! makes all its increments that are not links themselves. Otherwise all of its own are links.

use crate::time::{Span, Time};
use std::collections::VecDeque;

/// The least G of all interleavings of these tasks, each of which makes `times` increments at any moments
/// between its begin and its end.
pub(super) fn least(tasks: &[Span], times: u64) -> u64 {
    let mut tasks = Tasks::new(tasks.to_vec());
    let before = tasks.all.len();
    // What takes no time, and during which nobody runs, comes between the others.
    let alone = |task: &Span| {
        let longest = tasks.longest_before(task.start(), None);
        task.start() == task.end() && longest.is_none_or(|link| link.end <= task.start())
    };
    let rest: Vec<Span> = tasks
        .all
        .iter()
        .copied()
        .filter(|task| !alone(task))
        .collect();
    if rest.len() < before {
        tasks = Tasks::new(rest);
    }
    let alone = (before - tasks.all.len()) as u64;
    alone * times + tasks.shortest_chain(times as usize) as u64
}

/// A link of this task, until the task's end.
#[derive(Clone, Copy, Debug)]
struct Link {
    task: usize,
    end: Time,
}

/// How far the best chain of some length gets.
#[derive(Clone, Copy, Debug, Default)]
struct Reach {
    /// All tasks that begin before this are out of the way.
    to: Option<Time>,
    /// The same but for the task of the last link.
    owing: Option<Link>,
}

/// Tasks by their begin.
struct Tasks {
    all: Vec<Span>,
    /// Of the tasks up to each: the two that end last. One that takes no time is no link for others.
    last: Vec<[Option<Link>; 2]>,
    /// Of the tasks from each on: the one that ends first.
    first: Vec<usize>,
}

impl Tasks {
    fn new(mut all: Vec<Span>) -> Self {
        all.sort_unstable_by_key(|task| (task.start(), task.end()));
        let ends_before = |link: &Option<Link>, end| link.is_none_or(|link| link.end < end);
        let mut two = [None; 2];
        let last = (0..).zip(&all).map(|(task, span)| {
            let end = span.end();
            let link = Some(Link { task, end });
            if span.start() == end {
            } else if ends_before(&two[0], end) {
                two = [link, two[0]];
            } else if ends_before(&two[1], end) {
                two[1] = link;
            }
            two
        });
        let last = last.collect();
        let mut first: Vec<usize> = (0..all.len()).collect();
        for task in (1..all.len()).rev() {
            if all[first[task]].end() <= all[task - 1].end() {
                first[task - 1] = first[task];
            }
        }
        Self { all, last, first }
    }

    /// Of the tasks that begin at `time` or later, the one that ends first.
    fn first_to_end(&self, time: Time) -> Option<usize> {
        let from = self.all.partition_point(|task| task.start() < time);
        self.first.get(from).copied()
    }

    /// Of the tasks that begin before `time`, and are not this one, the one that ends last.
    fn longest_before(&self, time: Time, but: Option<usize>) -> Option<Link> {
        let count = self.all.partition_point(|task| task.start() < time);
        let two = self.last[..count].last()?;
        let mut others = two.iter().flatten().filter(|link| Some(link.task) != but);
        others.next().copied()
    }

    /// From chain to longer chain, until one leaves nothing to do.
    fn shortest_chain(&self, times: usize) -> usize {
        let mut reach = Reach {
            to: Some(Time::ZERO),
            owing: None,
        };
        // Of chains that are longer by one, by two, and so on.
        let mut longer = VecDeque::new();
        let mut length = 0;
        loop {
            // The next link puts the task of the last one out of the way, too.
            if let Some(link) = reach.owing
                && let Some(next) = self.longest_before(link.end, Some(link.task))
            {
                by(1, &mut longer).go(next.end);
            }
            if let Some(to) = reach.to {
                let Some(first) = self.first_to_end(to) else {
                    return length;
                };
                self.go_on(to, first, times, &mut longer);
            }
            reach = longer.pop_front().unwrap_or_default();
            length += 1;
        }
    }

    /// All ways to go on from a chain that gets `to` there. Of the tasks that are left then, `first` ends
    /// first.
    fn go_on(&self, to: Time, first: usize, times: usize, longer: &mut VecDeque<Reach>) {
        let task = self.all[first];
        let overlaps = |link: &Link| link.end > task.start();
        if task.start() < task.end() {
            by(times, longer).go(task.end());
        }
        // By a link of one that is itself out of the way.
        if let Some(link) = self.longest_before(to, None).filter(overlaps) {
            by(1, longer).go(link.end);
        }
        let longest = self.longest_before(task.end(), Some(first));
        let Some(link) = longest.filter(overlaps) else {
            return;
        };
        by(times, longer).go(link.end);
        // A short link of another one before this long one: each puts the task of the other out of the way.
        let begins = self.all[link.task].start();
        let other = self.longest_before(task.end(), Some(link.task));
        if times > 1 && other.is_some_and(|other| other.end > begins) {
            by(2, longer).go(link.end);
        }
        let owing = &mut by(1, longer).owing;
        if owing.is_none_or(|other| other.end < link.end) {
            *owing = Some(link);
        }
    }
}

/// How far chains get that are longer by so many links, which are 1 or more.
fn by(links: usize, longer: &mut VecDeque<Reach>) -> &mut Reach {
    if longer.len() < links {
        longer.resize(links, Reach::default());
    }
    &mut longer[links - 1]
}

impl Reach {
    fn go(&mut self, to: Time) {
        self.to = self.to.max(Some(to));
    }
}
